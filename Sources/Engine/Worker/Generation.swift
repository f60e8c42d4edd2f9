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
