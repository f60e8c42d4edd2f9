internal import Core
internal import Locking

/// One configuration as a worker serves it, with its connections to the providers.
///
/// An exchange finishes under the generation under which it began. A generation that was replaced lives until its
/// last exchange is over.
final class Generation {
    let service: ProxyService
    /// The connections to the providers, in the providers' order.
    private(set) var upstreams: [ProviderConnections] = []
    /// The number of its exchanges in flight.
    var exchanges = 0

    init(service: ProxyService) { self.service = service }

    /// Opens the connections to the providers; takes over those of `former` that lead to the same place.
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

    /// Releases everything that retains the worker.
    func releaseAll() { upstreams = [] }
}

/// The change from one configuration to the next.
extension Worker {
    /// Uses `service` for new requests; exchanges that have begun continue unchanged.
    func adopt(_ service: ProxyService) {
        flushTraces()
        let former = generation
        guard service !== former.service else { return }
        let next = Generation(service: service)
        next.open(on: self, after: former)
        generation = next
        upstreams += next.upstreams.filter { upstream in !upstreams.contains { $0 === upstream } }
        formerGenerations.append(former)
        // They would retain the former generation.
        idleExchanges = []
        for listener in listeners { listener.adoptConfiguration() }
        adoptLedgers(of: service)
        mustSweep = true
    }

    /// Looks whether the file with the credential of the provider at `index` has changed, and uses the new one from now on.
    func refreshCredential(of index: Int) {
        let provider = service.providers[index]
        guard let file = provider.credentialFile,
            let credential = file.replacement(of: provider.configuration.credential),
            let change = service.instance.credentialChange.withLock({ $0 }),
            let changed = change(file.path, credential)
        else { return }
        adopt(changed)
    }

    /// Closes former generations without exchanges, whose connections are no longer used.
    ///
    /// Must not be called from inside a library's callback: libcurl must not be closed from its own callback.
    func sweepGenerations() {
        mustSweep = false
        formerGenerations.removeAll { $0.exchanges == 0 }
        let used = (formerGenerations + [generation]).flatMap(\.upstreams)
        for upstream in upstreams where !used.contains(where: { $0 === upstream }) {
            upstream.close()
            scheduled.removeAll { $0 === upstream }
        }
        upstreams.removeAll { upstream in !used.contains { $0 === upstream } }
    }
}
