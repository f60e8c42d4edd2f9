internal import Core
internal import Downstream
internal import Logging
internal import Loop
internal import Synchronization
internal import Wire

/// One listening socket of a worker, with the daemon that serves it.
final class Listener: HTTPDaemonDelegate, ReadinessHandler {
    /// What a listener serves.
    enum Role {
        /// All providers by their mounts, and the admin paths unless they have their own listener.
        case providers(servesAdmin: Bool)
        /// One provider, at `/`.
        case provider(String)
        /// Only the admin paths.
        case admin
    }

    /// The memory per connection, in bytes, for the heads of a request and its response and for the library's
    /// bookkeeping.
    static let connectionMemory = 16 << 10

    /// How long accepting is paused when the system has run out of file descriptors, in nanoseconds.
    private static let exhaustionNanoseconds: Int64 = 100_000_000
    /// The minimum time between two warnings about paused accepting, in nanoseconds.
    private static let warningNanoseconds: Int64 = 10_000_000_000
    /// How many bursts are accepted before the listening socket is closed: more connections than a backlog holds.
    private static let backlogBursts = 128
    /// The fraction of file descriptors reserved for providers and files, and its maximum.
    private static let reserve = (share: 4, limit: 1024)

    let role: Role
    /// The destination of requests that are not for the admin paths.
    private var destination = Exchange.Destination.mounts
    /// Whether a browser can be made to connect to it by a web page; not true for a Unix socket.
    private let isWithinReachOfPages: Bool
    private let worker: Worker
    private let socket: ListenSocket
    let daemon: HTTPDaemon
    /// Whether accepting is paused, and why.
    private var acceptance = Acceptance.goesOn
    /// When the next warning about it may be logged.
    private var warnsFrom = MonotonicTime.distantPast

    init(role: Role, socket: ListenSocket, worker: Worker) throws {
        self.role = role
        self.worker = worker
        self.socket = socket
        isWithinReachOfPages = !socket.isUnix
        let configuration = worker.service.configuration
        daemon = try HTTPDaemon(
            listener: socket,
            limits: HTTPDaemon.Limits(
                connectionMemory: Self.connectionMemory, connections: configuration.limits.connections,
                descriptors: Self.highestDescriptor,
                idleSeconds: Int(configuration.clientTimeouts.idle.components.seconds),
                request: Self.requestLimits(of: configuration)),
            identity: worker.service.identities.identity(for: role), loop: worker.loop)
        daemon.delegate = self
        adoptConfiguration()
        try worker.loop.watch(daemon.listenDescriptor, for: .readable, handler: self)
    }

    /// The highest client descriptor; accepting pauses when it is exceeded.
    static var highestDescriptor: Int {
        let files = ProcessReading.maximumFiles
        return files - min(files / reserve.share, reserve.limit)
    }

    private static func requestLimits(of configuration: ProxyConfiguration) -> RequestScanner.Limits {
        RequestScanner.Limits(
            target: configuration.limits.uri, fieldBytes: configuration.limits.requestHead,
            fieldCount: configuration.limits.headerCount, head: connectionMemory - HTTPDaemon.headReserve,
            fieldOverhead: HTTPDaemon.fieldOverhead, body: Int64(configuration.limits.requestBody))
    }

    /// Adopts its part of the worker's configuration: the limits, the certificate and the provider, which may have
    /// been removed.
    func adoptConfiguration() {
        daemon.change(to: Self.requestLimits(of: worker.service.configuration))
        daemon.stallSeconds = Int(worker.service.configuration.clientTimeouts.stall.components.seconds)
        if let identity = worker.service.identities.identity(for: role) { daemon.identity = identity }
        guard case .provider(let name) = role else { return }
        let index = worker.service.configuration.providers.firstIndex { $0.name == name }
        destination = index.map { .provider($0) } ?? .nowhere
    }

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        accept()
        worker.daemonsAreReady()
    }

    // MARK: Accepting

    private func accept() {
        acceptance = daemon.accept()
        guard acceptance != .goesOn else { return }
        // Otherwise each iteration would report the clients in the backlog.
        worker.loop.unwatch(daemon.listenDescriptor)
        worker.service.instance.acceptPauses.add(1, ordering: .relaxed)
        warn()
        if acceptance != .isFull { pauseAccepting() }
    }

    private func pauseAccepting() {
        _ = worker.deadlines.insert(
            .acceptance(self), at: worker.now.later(by: Self.exhaustionNanoseconds))
    }

    /// Resumes accepting after a pause for lack of file descriptors.
    func resumeAccepting() {
        guard daemon.listenDescriptor >= 0 else { return }
        acceptance = daemon.accept()
        worker.daemonsAreReady()
        switch acceptance {
        case .goesOn: worker.watch(daemon.listenDescriptor, for: .readable, handler: self)
        case .isFull: break
        case .isExhausted: pauseAccepting()
        }
    }

    /// Whether it serves `/livez`, `/readyz` and `/metrics`.
    var servesProbes: Bool {
        switch role {
        case .providers(let servesAdmin): servesAdmin
        case .admin: true
        case .provider: false
        }
    }

    /// Closes the listening socket and removes its file; returns whether it was open.
    ///
    /// > Closing resets the connections in the backlog, so they are accepted first.
    @discardableResult
    func stopAccepting() -> Bool {
        guard daemon.listenDescriptor >= 0 else { return false }
        socket.removeFile()
        for _ in 0..<Self.backlogBursts where daemon.accept() == .goesOn { daemon.run() }
        worker.loop.unwatch(daemon.listenDescriptor)
        daemon.quiesce()
        return true
    }

    private func warn() {
        guard worker.now >= warnsFrom else { return }
        warnsFrom = worker.now.later(by: Self.warningNanoseconds)
        let reason: String
        switch acceptance {
        case .goesOn: return
        case .isFull: reason = "limits.connections is reached"
        case .isExhausted(let number):
            var error = SystemError("accept4")
            error.number = number
            reason = "\(error); see ulimit -n, process_open_fds and process_max_fds"
        }
        worker.service.logger.warning(
            "accept paused", metadata: ["reason": .string(reason)])
    }

    // MARK: HTTPDaemonDelegate

    func daemon(_ daemon: HTTPDaemon, beginsRequestFor target: Span<UInt8>) -> IncomingRequest {
        switch role {
        case .admin: return makeAdminRequest(target)
        case .providers(servesAdmin: true) where AdminPath.contains(target): return makeAdminRequest(target)
        case .providers where AdminPath.isLinked(target), .provider where AdminPath.isLinked(target):
            return makeAdminRequest(target)
        case .providers, .provider:
            let exchange = worker.makeExchange(target: target, to: destination)
            exchange.isWithinReachOfPages = isWithinReachOfPages
            return exchange
        }
    }

    private func makeAdminRequest(_ target: Span<UInt8>) -> AdminRequest {
        AdminRequest(worker: worker, target: target, isWithinReachOfPages: isWithinReachOfPages)
    }

    func daemonIsReady(_ daemon: HTTPDaemon) { worker.daemonsAreReady() }

    func daemon(_ daemon: HTTPDaemon, clientEnds socket: Int32, isBroken: Bool) {
        worker.exchange(on: socket)?.clientHungUp(isBroken: isBroken)
    }

    func daemon(_ daemon: HTTPDaemon, closes socket: Int32) {
        guard acceptance == .isFull, daemon.listenDescriptor >= 0 else { return }
        acceptance = .goesOn
        worker.watch(daemon.listenDescriptor, for: .readable, handler: self)
    }

    func daemon(
        _ daemon: HTTPDaemon, refuses fault: RequestFault, of request: IncomingRequest?
    ) -> ClosingAnswer {
        if let exchange = request as? Exchange { return exchange.refuse(fault) }
        // The request cannot be routed; its rejection is still an exchange that is counted and logged.
        let exchange = worker.makeExchange(target: Span(), to: .mounts)
        defer { exchange.completed(isWhole: true) }
        return exchange.refuse(fault)
    }

    func daemon(_ daemon: HTTPDaemon, logs message: String) {
        worker.service.logger.debug("libmicrohttpd", metadata: ["text": .string(message)])
    }
}

/// The listening sockets of all workers: one per address and worker, between which the kernel distributes
/// connections.
struct ListenerPlan {
    /// The sockets of each worker.
    private(set) var sockets: [[(role: Listener.Role, socket: ListenSocket)]]
    /// The bound addresses.
    private(set) var main = ""
    private(set) var admin: String?
    private(set) var providers: [(provider: String, address: String)] = []

    /// Binds all addresses of `configuration`.
    init(_ configuration: ProxyConfiguration, workers: Int) throws(ListenError) {
        sockets = Array(repeating: [], count: workers)
        do throws(ListenError) {
            try bind(configuration, workers: workers)
        } catch {
            removeFiles()
            throw error
        }
    }

    /// Removes the files of all Unix domain sockets.
    func removeFiles() {
        for (_, socket) in sockets.joined() { socket.removeFile() }
    }

    private mutating func bind(_ configuration: ProxyConfiguration, workers: Int) throws(ListenError) {
        main = try add(
            .providers(servesAdmin: configuration.adminListen == nil), at: configuration.listen,
            to: 0..<workers)
        for provider in configuration.providers {
            guard let address = provider.listen else { continue }
            providers.append((provider.name, try add(.provider(provider.name), at: address, to: 0..<workers)))
        }
        // Requests for pages and probes are rare, so one worker serves them.
        if let address = configuration.adminListen { admin = try add(.admin, at: address, to: 0..<1) }
    }

    private mutating func add(
        _ role: Listener.Role, at address: ListenAddress, to workers: Range<Int>
    ) throws(ListenError) -> String {
        switch address {
        case .unix(let path, let mode):
            let socket = try ListenSocket(path: path, mode: mode.bits)
            sockets[workers.lowerBound].append((role, socket))
            return "unix:\(path)"
        case .tcp(let host, let wanted):
            var port = wanted
            let isShared = workers.count > 1
            // A port shared by sockets (SO_REUSEPORT) could also be shared silently with another process of this
            // user; binding it once without sharing detects that.
            if isShared, port != 0 {
                try ListenSocket(host: "\(host)", port: port, isShared: false).closeUnused()
            }
            for worker in workers {
                let socket = try ListenSocket(host: "\(host)", port: port, isShared: isShared)
                port = socket.port
                sockets[worker].append((role, socket))
            }
            return "\(ListenAddress.tcp(host, port: port))"
        }
    }
}
