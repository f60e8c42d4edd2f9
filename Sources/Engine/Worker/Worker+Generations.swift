internal import Core

/// The change from one configuration to the next.
extension Worker {
    /// Serves what begins from now on by `service`; what has begun goes on as it was.
    func adopt(_ service: ProxyService) {
        let former = generation
        let next = Generation(service: service)
        next.open(on: self, after: former)
        generation = next
        upstreams += next.upstreams.filter { upstream in !upstreams.contains { $0 === upstream } }
        formerGenerations.append(former)
        // They would hold on to the former generation.
        idleExchanges = []
        for listener in listeners { listener.adoptConfiguration() }
        adoptLedgers(of: service)
        mustSweep = true
    }

    /// Ends former generations without exchanges: nobody uses their connections any more.
    ///
    /// Only between the libraries' calls: libcurl must not be closed from inside one of its own.
    func sweepGenerations() {
        mustSweep = false
        formerGenerations.removeAll { $0.exchanges == 0 }
        let used = (formerGenerations + [generation]).flatMap(\.upstreams)
        for upstream in upstreams where !used.contains(where: { $0 === upstream }) {
            upstream.close()
            listed.removeAll { $0 === upstream }
        }
        upstreams.removeAll { upstream in !used.contains { $0 === upstream } }
    }
}
