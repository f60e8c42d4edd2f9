internal import Core

/// One configuration as a worker serves it, with its ways to the providers.
///
/// An exchange ends under the generation under which it began. One that is no more the worker's own lives until its last
/// exchange is over.
final class Generation {
    let service: ProxyService
    /// The ways to the providers, in their order.
    private(set) var upstreams: [ProviderConnections] = []
    /// Requests that have begun under it, and are not over.
    var exchanges = 0

    init(service: ProxyService) { self.service = service }

    /// Opens the ways to the providers; one that leads where a former one does is that one, with its connections.
    func open(on worker: Worker, after former: Generation?) {
        upstreams = service.providers.map { provider in
            let name = provider.configuration.name
            guard
                let upstream = former?.upstreams.first(where: { $0.provider.configuration.name == name }),
                upstream.provider.configuration.connects(like: provider.configuration)
            else { return ProviderConnections(provider: provider, worker: worker) }
            upstream.provider = provider
            return upstream
        }
    }

    /// Lets go of what holds the worker.
    func letGo() { upstreams = [] }
}

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
