internal import EventLoop
internal import HTTPWire
internal import Logging
internal import MicroHTTPD
internal import ProxyCore

/// One listening socket of a worker, with the daemon that serves it.
final class Listener: HTTPDaemonDelegate, ReadinessHandler {
    /// What is served there.
    enum Role {
        /// All providers by their mounts; the admin paths too, unless they have a listener of their own.
        case providers(servesAdmin: Bool)
        /// The provider of this name, at `/`.
        case provider(String)
        /// The admin paths alone.
        case admin
    }

    /// Bytes per connection for the heads of a request and its answer, and the library's notes about them.
    static let connectionMemory = 16 << 10
    /// What the library notes per field.
    static let fieldOverhead = 64
    /// What Weir, and the library, may write into an answer's head besides its fields.
    static let headReserve = 1024

    let role: Role
    /// Where requests go that are not for the admin paths.
    private var destination = Exchange.Destination.mounts
    /// Whether a web page could have a browser connect to it: not to a Unix socket.
    private let isWithinReachOfPages: Bool
    private let worker: Worker
    let daemon: HTTPDaemon

    init(role: Role, socket: ListenSocket, worker: Worker) throws {
        self.role = role
        self.worker = worker
        isWithinReachOfPages = !socket.isUnix
        let configuration = worker.service.configuration
        daemon = try HTTPDaemon(
            listener: socket,
            limits: HTTPDaemon.Limits(
                connectionMemory: Self.connectionMemory, connections: configuration.limits.connections,
                idleSeconds: Int(configuration.clientTimeouts.idle.components.seconds),
                request: RequestScanner.Limits(
                    target: configuration.limits.uri, fieldBytes: configuration.limits.requestHead,
                    fieldCount: configuration.limits.headerCount,
                    head: Self.connectionMemory - Self.headReserve, fieldOverhead: Self.fieldOverhead,
                    body: Int64(configuration.limits.requestBody))),
            identity: worker.service.identities.identity(for: role))
        daemon.delegate = self
        adoptConfiguration()
        try worker.loop.watch(daemon.pollDescriptor, for: .readable, handler: self)
    }

    /// Takes what is its own from the worker's configuration: the certificate, and the provider; it may be there no more.
    func adoptConfiguration() {
        if let identity = worker.service.identities.identity(for: role) { daemon.identity = identity }
        guard case .provider(let name) = role else { return }
        let index = worker.service.configuration.providers.firstIndex { $0.name == name }
        destination = index.map { .provider($0) } ?? .nowhere
    }

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) { worker.daemonsAreReady() }

    // MARK: HTTPDaemonDelegate

    func daemon(_ daemon: HTTPDaemon, beginsRequestFor target: Span<UInt8>) -> IncomingRequest {
        switch role {
        case .admin: return AdminRequest(worker: worker, target: target)
        case .providers(servesAdmin: true) where AdminPath.contains(target):
            return AdminRequest(worker: worker, target: target)
        case .providers, .provider:
            let exchange = worker.makeExchange(target: target, to: destination)
            exchange.isWithinReachOfPages = isWithinReachOfPages
            return exchange
        }
    }

    func daemon(_ daemon: HTTPDaemon, accepted socket: Int32) { worker.watchClient(socket) }

    func daemon(_ daemon: HTTPDaemon, closes socket: Int32) { worker.loop.forget(socket) }

    func daemon(
        _ daemon: HTTPDaemon, refuses fault: RequestFault, of request: IncomingRequest?
    ) -> ClosingAnswer {
        if let exchange = request as? Exchange { return exchange.refuse(fault) }
        // Nothing that can be routed has come: the refusal is an exchange all the same, which is counted and logged.
        let exchange = worker.makeExchange(target: Span(), to: .mounts)
        defer { exchange.completed(isWhole: true) }
        return exchange.refuse(fault)
    }

    func daemon(_ daemon: HTTPDaemon, logs message: String) {
        worker.service.logger.debug("libmicrohttpd", metadata: ["text": .string(message)])
    }
}
