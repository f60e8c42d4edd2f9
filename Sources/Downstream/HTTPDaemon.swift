internal import CMicroHTTPD
internal import Glibc
public import Loop
public import Wire

/// The owner of a daemon: creates the object for each request, and receives events of connections.
public protocol HTTPDaemonDelegate: AnyObject {
    /// The first line of a request has arrived.
    ///
    /// - Parameter target: the original request target, valid during the call.
    func daemon(_ daemon: HTTPDaemon, beginsRequestFor target: Span<UInt8>) -> IncomingRequest

    /// ``HTTPDaemon/run()`` has work to do; called while the loop waits, or inside a call of the daemon.
    func daemonIsReady(_ daemon: HTTPDaemon)

    /// The client on `socket` has ended its side or, if `isBroken`, the whole connection. Called once for each,
    /// during a request: as soon as the end and the request are both known.
    func daemon(_ daemon: HTTPDaemon, clientEnds socket: Int32, isBroken: Bool)

    /// The connection is about to be closed.
    func daemon(_ daemon: HTTPDaemon, closes socket: Int32)

    /// A client has sent bytes that are not valid HTTP.
    ///
    /// - Parameter request: the request that contains them; `nil` if none has begun.
    /// - Returns: the response, after which the connection ends.
    func daemon(
        _ daemon: HTTPDaemon, refuses fault: RequestFault, of request: IncomingRequest?
    ) -> ClosingAnswer

    /// A log message of libmicrohttpd; `message` may contain what a client sent.
    func daemon(_ daemon: HTTPDaemon, logs message: String)
}

/// An HTTP/1.1 server on one listening socket, run by an external event loop: it never waits and has no thread.
///
/// Confined to the thread of its loop, which is checked. `MHD_USE_EPOLL` without an internal thread, and without its epoll: the loop watches the clients.
@safe public final class HTTPDaemon {
    /// The limits of a daemon.
    public struct Limits: Sendable {
        /// Bytes per connection for the heads of the request and the response: a larger request head is rejected.
        public var connectionMemory: Int
        /// The maximum number of connections; further ones wait in the backlog.
        public var connections: Int
        /// A descriptor number that shows that descriptors for providers and files are running out.
        public var descriptors: Int
        /// The idle timeout in seconds, also for an incomplete head.
        public var idleSeconds: Int
        /// The limits of the parts of a request.
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
    private(set) var limits: Limits
    /// The version of the request limits in force.
    private(set) var limitsRevision = 0
    private let speaksTLS: Bool
    /// The certificate for new clients, if TLS is used.
    public var identity: ServerIdentity?
    /// Watches the clients' sockets.
    let loop: EventLoop
    /// The functions that the library calls instead of the system's.
    private let hooks: UnsafeMutablePointer<cmhd_hooks>
    /// Clients with events that the library has not seen, and how many of them it has processed.
    var ready: [ClientConnection] = []
    var nextInReady = 0
    /// The clients, by their descriptors.
    var clients: [ClientConnection?] = []
    /// The number of clients.
    var connections = 0
    /// The listening socket; -1 when accepting has ended.
    public private(set) var listenDescriptor: Int32
    /// Whether resources were exhausted when a client was last accepted.
    var wasExhausted = false
    /// Clients that sent malformed bytes and still wait for the response to an earlier request.
    var refused: [ClientConnection] = []
    /// The progress of the search for idle clients, and whether it has met one that may become idle later.
    private var (nextToRest, someMayRest) = (0, false)
    /// For how many connections memory is released at a time, since others wait meanwhile.
    private static let returnsAtATime = 256
    /// How often clients with an incomplete head are checked, in milliseconds.
    static let headPause = 1000
    /// Half-closed clients that may still wait for responses.
    var ended: [ClientConnection] = []
    /// Clients whose handshake waits for them.
    var handshaking: [ClientConnection] = []
    /// Clients whose end came before a request of theirs had been read.
    var endedBefore: [ClientConnection] = []
    /// How many clients are in the middle of a head, and when they were looked at last.
    var openHeads = 0
    var headsSeenAt = 0
    /// Clients whose connections the library has closed, but may not have ended.
    var closed: [ClientConnection] = []
    /// The number of suspended requests: resuming one costs a check of each.
    public internal(set) var sleepers = 0
    /// The buffer in which heads of responses are composed, one at a time.
    var headScratch = ByteQueue()
    /// The library's bookkeeping per field of a request, in bytes.
    public static let fieldOverhead = 64
    /// The maximum size that the library and Weir add to a response's head besides its fields.
    public static let headReserve = 1024
    /// Clients that have received their final response.
    var leaving: [ClientConnection] = []
    /// Lingering sockets, in the order in which the library closed their connections; closed ones stay for a while.
    var lingering: [LingeringSocket] = []
    /// The number of open ones.
    var openLingering = 0
    /// The number of runs of the library.
    private(set) var runs: UInt = 0
    /// Whether connections may no longer be suspended.
    private(set) var isStopping = false
    /// How many seconds a client may stall within a request that does not watch its client itself; see
    /// ``IncomingRequest/endsStalledClient``.
    public var stallSeconds = 0
    /// Creates the requests' objects.
    ///
    /// Not retained: it must outlive the daemon. Needed before the first ``run()``.
    public unowned var delegate: (any HTTPDaemonDelegate)?

    /// Starts to serve connections of `listener`, which belongs to the daemon from then on.
    ///
    /// - Parameters:
    ///   - identity: if present, TLS is used, and nothing else.
    ///   - loop: watches the clients' sockets, on the thread that calls ``run()``.
    ///   - delegate: see ``delegate``.
    public init(
        listener: ListenSocket, limits: Limits, identity: ServerIdentity? = nil, loop: EventLoop,
        delegate: (any HTTPDaemonDelegate)? = nil
    ) throws(DaemonError) {
        self.delegate = delegate
        self.identity = identity
        speaksTLS = identity != nil
        self.limits = limits
        self.loop = loop
        unsafe hooks = .allocate(capacity: 1)
        listenDescriptor = listener.descriptor
        unsafe handle = nil
        unsafe hooks.initialize(to: DaemonCallbacks.hooks(of: self))
        // Otherwise libmicrohttpd would read unchecked bytes.
        if let fault = identity == nil ? LibraryHooks.plainFault : LibraryHooks.fault {
            // The socket belongs to the caller again.
            listenDescriptor = -1
            throw DaemonError(reason: fault)
        }
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
        guard unsafe cmhd_bind_epoll(epollDescriptor, hooks) != 0 else {
            // The socket belongs to the caller again.
            listenDescriptor = -1
            throw DaemonError()
        }
    }

    /// The maximum time until ``run()`` must be called, in milliseconds; `nil` for no limit.
    public var timeoutMilliseconds: Int? {
        guard let handle = unsafe handle else { return nil }
        if hasNews { return 0 }
        var timeout: UInt64 = 0
        let isLimited = unsafe MHD_get_timeout(handle, &timeout) == .YES
        var wait = isLimited ? Int(clamping: timeout) : nil
        for client in leaving {
            if client.machine.isClosingDue { return 0 }
            guard let end = client.machine.unread?.endsAt else { continue }
            wait = min(wait ?? .max, max(0, end - Self.milliseconds))
        }
        if let end = lingeringEnd { wait = min(wait ?? .max, max(0, end - Self.milliseconds)) }
        if openHeads > 0 {
            wait = min(wait ?? .max, max(0, headsSeenAt + Self.headPause - Self.milliseconds))
        }
        return wait
    }

    /// Whether there is an event of a client's socket that the library has not seen.
    public var hasNews: Bool { !ready.isEmpty }

    /// Changes the limits of requests, from the next request on.
    public func change(to limits: RequestScanner.Limits) {
        self.limits.request = limits
        limitsRevision += 1
    }

    /// Reads, calls the requests' methods, and writes; must not be called from inside such a method.
    public func run() {
        loop.confinement.check()
        runLibrary()
        if !endedBefore.isEmpty { reportEndsBefore() }
        if !closed.isEmpty { endClosed() }
        if !refused.isEmpty { answerRefused() }
        if !ended.isEmpty { endAnswered() }
        if !leaving.isEmpty { attendLeaving() }
        if openLingering > 0 { endLingering() }
        if openHeads > 0 { endSlowHeads() }
    }

    func runLibrary() {
        guard let handle = unsafe handle else { return }
        runs &+= 1
        enterThread()
        unsafe cmhd_enter(hooks)
        unsafe MHD_run(handle)
        cmhd_leave()
        if !handshaking.isEmpty { suspendHandshakes() }
    }

    /// Releases the memory of a few connections without events since the last check; must not be called from inside a
    /// request's method.
    public func giveBackIdleMemory() -> MemoryReturn {
        loop.confinement.assertKept()
        var rest = Self.returnsAtATime
        while nextToRest < clients.count {
            guard rest > 0 else { return .goesOn }
            switch clients[nextToRest]?.giveBackIdleMemory() {
            case .given: rest -= 1
            case .later: someMayRest = true
            case .some(.none), nil: break
            }
            nextToRest += 1
        }
        defer { (nextToRest, someMayRest) = (0, false) }
        return someMayRest ? .later : .none
    }

    /// Stops accepting; existing connections continue.
    ///
    /// The listening socket is closed.
    public func quiesce() {
        guard listenDescriptor >= 0 else { return }
        close(listenDescriptor)
        listenDescriptor = -1
    }

    /// From now on no request or handshake is suspended: ``stop()`` is about to be called.
    ///
    /// > 0.9.75 aborts the process if it is stopped while a connection is suspended.
    public func stopSuspending() {
        loop.confinement.check()
        isStopping = true
        for client in clients { client?.handle(.daemonStops) }
    }

    /// Closes all connections and stops.
    public func stop() {
        guard let handle = unsafe handle else { return }
        loop.confinement.check()
        quiesce()
        stopSuspending()
        stopLingering()
        // > MHD_stop_daemon() shuts sockets down before it would send a close_notify.
        for client in clients where client?.machine.isAnswered != true { client?.endSession() }
        enterThread()
        let descriptor = epollDescriptor
        unsafe self.handle = nil
        unsafe MHD_stop_daemon(handle)
        unsafe cmhd_unbind_epoll(descriptor, hooks)
    }

    /// A daemon that never served may simply be released.
    deinit {
        stop()
        unsafe hooks.deallocate()
    }

    /// The version that runs, such as `0.9.75`.
    public static var version: String { LibraryVersion.text }

    static var milliseconds: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

/// Whether there is more memory of idle connections to release.
public enum MemoryReturn: Hashable, Sendable {
    /// None until something has happened.
    case none
    /// Some connections may have been idle long enough after a while.
    case later
    /// At once: there is more.
    case goesOn
}

/// libmicrohttpd failed to start; its log says why.
public struct DaemonError: Error, Sendable, CustomStringConvertible {
    /// A failure found before the library was asked.
    var reason: String?

    /// One line for a user.
    public var description: String {
        "libmicrohttpd could not be started" + (reason.map { ": \($0)" } ?? "")
    }
}
