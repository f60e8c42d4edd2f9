internal import CMicroHTTPD
internal import CReceive
internal import Glibc
public import HTTPWire

/// Whoever runs a daemon: makes the object for each request, and hears of connections.
public protocol HTTPDaemonDelegate: AnyObject {
    /// A request's first line has come.
    ///
    /// - Parameter target: the request target as it was sent, valid during the call.
    func daemon(_ daemon: HTTPDaemon, beginsRequestFor target: Span<UInt8>) -> IncomingRequest

    /// A client has connected; `socket` stays its descriptor until it is closed.
    func daemon(_ daemon: HTTPDaemon, accepted socket: Int32)

    /// The connection is about to be closed.
    func daemon(_ daemon: HTTPDaemon, closes socket: Int32)

    /// A client has sent what is no HTTP.
    ///
    /// - Parameter request: the one that is broken by it; `nil` if none has begun.
    /// - Returns: the answer, after which the connection ends.
    func daemon(
        _ daemon: HTTPDaemon, refuses fault: RequestFault, of request: IncomingRequest?
    ) -> ClosingAnswer

    /// libmicrohttpd has something to say; `message` may contain what a client sent.
    func daemon(_ daemon: HTTPDaemon, logs message: String)
}

/// A server of HTTP/1.1 on one listening socket, to be run by someone's loop: it never waits and has no thread.
///
/// Confined to one thread. `MHD_USE_EPOLL` without an internal thread: ``pollDescriptor`` is readable when there is work.
@safe public final class HTTPDaemon {
    /// The sizes and times of a daemon.
    public struct Limits: Sendable {
        /// Bytes per connection for the request's head and the answer's: a head that does not fit is refused.
        public var connectionMemory: Int
        /// Most connections at a time; more wait in the backlog.
        public var connections: Int
        /// A descriptor this high shows that the system will soon have none left for providers and files.
        public var descriptors: Int
        /// Seconds after which a silent connection is closed.
        public var idleSeconds: Int
        /// How long the parts of a request may be.
        public var request: RequestScanner.Limits

        /// Limits with these values.
        public init(
            connectionMemory: Int, connections: Int, descriptors: Int = .max, idleSeconds: Int,
            request: RequestScanner.Limits
        ) {
            self.connectionMemory = connectionMemory
            self.connections = connections
            self.descriptors = descriptors
            self.idleSeconds = idleSeconds
            self.request = request
        }
    }

    private(set) var handle: OpaquePointer?
    let limits: Limits
    private let speaksTLS: Bool
    /// What clients are shown that connect from now on, where TLS is spoken.
    public var identity: ServerIdentity?
    /// The clients, by their descriptors.
    private var clients: [ClientConnection?] = []
    /// How many there are.
    private(set) var connections = 0
    /// Where clients connect; -1 when no more are wanted.
    public private(set) var listenDescriptor: Int32
    /// Whether the system had no room for another client when one was taken last.
    var wasExhausted = false
    /// Clients whose bytes are no HTTP, and who still wait for the answer to an earlier request.
    private var refused: [ClientConnection] = []
    /// Clients who have ended their side, and may still wait for answers.
    private var ended: [ClientConnection] = []
    /// Clients who have got their last answer.
    private var leaving: [ClientConnection] = []
    /// Who makes the requests' objects.
    ///
    /// Not retained: it must outlive the daemon. Needed before the first ``run()``.
    public unowned var delegate: (any HTTPDaemonDelegate)?

    /// Starts serving connections of `listener`, which the daemon owns from then on.
    ///
    /// - Parameters:
    ///   - identity: with one, TLS is spoken, and nothing else.
    ///   - delegate: see ``delegate``.
    public init(
        listener: ListenSocket, limits: Limits, identity: ServerIdentity? = nil,
        delegate: (any HTTPDaemonDelegate)? = nil
    ) throws(DaemonError) {
        // Without that, libmicrohttpd would read what nobody has looked at.
        precondition(creceive_is_used() != 0, "recv() of the program is not the one that libraries call")
        precondition(
            identity == nil || creceive_records_are_used() != 0,
            "gnutls_record_recv() of the program is not the one that libraries call")
        self.delegate = delegate
        self.identity = identity
        speaksTLS = identity != nil
        self.limits = limits
        listenDescriptor = listener.descriptor
        unsafe handle = nil
        var settings = unsafe cmhd_settings()
        unsafe settings.connection_memory = limits.connectionMemory
        unsafe settings.connection_limit = UInt32(clamping: limits.connections)
        unsafe settings.idle_timeout = UInt32(clamping: limits.idleSeconds)
        unsafe settings.access = DaemonCallbacks.access
        unsafe settings.begin = DaemonCallbacks.begin
        unsafe settings.completed = DaemonCallbacks.completed
        unsafe settings.connection = DaemonCallbacks.connection
        unsafe settings.log = DaemonCallbacks.log
        unsafe settings.context = Unmanaged.passUnretained(self).toOpaque()
        unsafe settings.uses_tls = speaksTLS ? 1 : 0
        unsafe handle = cmhd_start(&settings)
        guard unsafe handle != nil else { throw DaemonError() }
    }

    /// Readable when ``run()`` has something to do; ``listenDescriptor`` is when ``accept()`` has.
    public var pollDescriptor: Int32 { unsafe handle.map { unsafe cmhd_epoll_fd($0) } ?? -1 }

    /// The longest time, in milliseconds, until ``run()`` should be called; `nil` for no limit.
    public var timeoutMilliseconds: Int? {
        guard let handle = unsafe handle else { return nil }
        var timeout: UInt64 = 0
        let isLimited = unsafe MHD_get_timeout(handle, &timeout) == .YES
        guard let first = leaving.first else { return isLimited ? Int(clamping: timeout) : nil }
        let wait = max(0, first.leavesAt - Self.milliseconds)
        return isLimited ? min(wait, Int(clamping: timeout)) : wait
    }

    /// Reads, calls the requests' methods, writes; never from inside such a method.
    public func run() {
        guard let handle = unsafe handle else { return }
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        if speaksTLS {
            // What recv() gives to GnuTLS is nothing to look at.
            unsafe creceive_begin_records(DaemonCallbacks.receiveRecord, context)
            unsafe MHD_run(handle)
            creceive_end_records()
        } else {
            unsafe creceive_begin(DaemonCallbacks.receive, context)
            unsafe MHD_run(handle)
            creceive_end()
        }
        if !refused.isEmpty { answerRefused() }
        if !ended.isEmpty { endAnswered() }
        if !leaving.isEmpty { attendLeaving() }
    }

    /// Gives back the memory of connections that have been idle since the last call; never from inside a request's method.
    ///
    /// - Returns: whether there may be something to give back later.
    public func giveBackIdleMemory() -> Bool {
        var isWanted = false
        for client in clients { if client?.giveBackIdleMemory() == true { isWanted = true } }
        return isWanted
    }

    /// Stops accepting; connections that exist go on.
    ///
    /// The listening socket is closed.
    public func quiesce() {
        guard listenDescriptor >= 0 else { return }
        close(listenDescriptor)
        listenDescriptor = -1
    }

    /// Closes all connections and ends; every suspended request must have been resumed, and ``run()`` called since.
    public func stop() {
        guard let handle = unsafe handle else { return }
        unsafe self.handle = nil
        quiesce()
        unsafe MHD_stop_daemon(handle)
    }

    /// A daemon that never served may just be let go; one with a suspended request ends the program, as libmicrohttpd does.
    deinit { stop() }

    /// The version that runs, such as `0.9.75`.
    public static var version: String { unsafe String(cString: MHD_get_version()) }

    // MARK: Clients

    /// The client on `socket`, if it is one of this daemon's.
    func client(on socket: Int32) -> ClientConnection? {
        socket >= 0 && Int(socket) < clients.count ? clients[Int(socket)] : nil
    }

    func begin(_ socket: Int32, session: OpaquePointer?) {
        guard socket >= 0 else { return }
        while clients.count <= Int(socket) { clients.append(nil) }
        let session = unsafe session.flatMap { session in
            identity.map { unsafe TLSSession(session, identity: $0) }
        }
        clients[Int(socket)] = ClientConnection(
            socket: socket, session: session, limits: limits.request, daemon: self)
        connections += 1
        delegate?.daemon(self, accepted: socket)
    }

    func end(_ socket: Int32) {
        client(on: socket)?.isOpen = false
        if socket >= 0, Int(socket) < clients.count, clients[Int(socket)] != nil {
            clients[Int(socket)] = nil
            connections -= 1
        }
        delegate?.daemon(self, closes: socket)
    }

    /// The client on `socket`, if it is one of this daemon's, will send no more: when its requests have been answered, its
    /// connection ends.
    ///
    /// > Where the end of a connection comes with its last bytes, 0.9.75 misses it; not with TLS, where it reads until there is
    /// nothing. ``run()`` must follow.
    public func clientHasEnded(_ socket: Int32) {
        if let client = client(on: socket), !client.isEncrypted { ended.append(client) }
    }

    private func endAnswered() {
        ended.removeAll { client in
            guard client.isOpen else { return true }
            if client.isLeaving { return true }
            // What is left to be read may complete a request.
            guard client.isDue, !client.hasUnread else { return false }
            client.cutOff()
            return true
        }
    }

    /// `client` has sent what is no HTTP.
    func noteRefused(_ client: ClientConnection) { refused.append(client) }

    /// `client` has been given its last answer.
    func noteLeaving(_ client: ClientConnection) {
        client.leavesAt = Self.milliseconds + ClientConnection.leavingTime
        leaving.append(client)
    }

    /// Answers what is no HTTP, once the requests before it are over: libmicrohttpd writes nothing then.
    private func answerRefused() {
        let clients = refused
        refused.removeAll(keepingCapacity: true)
        for client in clients where client.isOpen && !client.isLeaving {
            guard let fault = client.scanner.fault, client.isDue else {
                refused.append(client)
                continue
            }
            if let answer = delegate?.daemon(self, refuses: fault, of: client.request) {
                client.leave(answer)
            }
        }
    }

    private func attendLeaving() {
        let now = Self.milliseconds
        leaving.removeAll { client in
            guard client.isOpen else { return true }
            client.sendRest()
            guard client.leavesAt <= now else { return false }
            // libmicrohttpd reads the end, and closes.
            client.cutOff()
            return true
        }
    }

    private static var milliseconds: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

/// libmicrohttpd refused to start; its log says why.
public struct DaemonError: Error, Sendable, CustomStringConvertible {
    /// One line for a user.
    public var description: String { "libmicrohttpd could not be started" }
}
