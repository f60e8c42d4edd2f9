internal import CMicroHTTPD
internal import Glibc
public import Loop
public import Wire

/// Whoever runs a daemon: makes the object for each request, and hears of connections.
public protocol HTTPDaemonDelegate: AnyObject {
    /// A request's first line has come.
    ///
    /// - Parameter target: the request target as it was sent, valid during the call.
    func daemon(_ daemon: HTTPDaemon, beginsRequestFor target: Span<UInt8>) -> IncomingRequest

    /// ``HTTPDaemon/run()`` has something to do; called while the loop waits, or inside a call of the daemon's.
    func daemonIsReady(_ daemon: HTTPDaemon)

    /// The client on `socket` has ended its side; `isBroken`, the whole connection. Called once for each, in the middle of a request: as
    /// soon as it is known, or as the request is.
    func daemon(_ daemon: HTTPDaemon, clientEnds socket: Int32, isBroken: Bool)

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
/// Confined to one thread. `MHD_USE_EPOLL` without an internal thread, and without its epoll: the loop watches the clients.
@safe public final class HTTPDaemon {
    /// The sizes and times of a daemon.
    public struct Limits: Sendable {
        /// Bytes per connection for the request's head and the answer's: a head that does not fit is refused.
        public var connectionMemory: Int
        /// Most connections at a time; more wait in the backlog.
        public var connections: Int
        /// A descriptor this high shows that the system will soon have none left for providers and files.
        public var descriptors: Int
        /// Seconds after which a silent connection is closed, and one whose head has begun and is not complete.
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
    private(set) var limits: Limits
    /// Which of the limits of requests are in force, by number.
    private(set) var limitsRevision = 0
    private let speaksTLS: Bool
    /// What clients are shown that connect from now on, where TLS is spoken.
    public var identity: ServerIdentity?
    /// Watches the clients' sockets.
    let loop: EventLoop
    /// What the library calls in place of the system's functions.
    private let hooks: UnsafeMutablePointer<cmhd_hooks>
    /// Clients on whose sockets something has happened of which the library has not heard, and of how many it has.
    var ready: [ClientConnection] = []
    var nextInReady = 0
    /// The clients, by their descriptors.
    var clients: [ClientConnection?] = []
    /// How many there are.
    var connections = 0
    /// Where clients connect; -1 when no more are wanted.
    public private(set) var listenDescriptor: Int32
    /// Whether the system had no room for another client when one was taken last.
    var wasExhausted = false
    /// Clients whose bytes are no HTTP, and who still wait for the answer to an earlier request.
    var refused: [ClientConnection] = []
    /// How far the look at clients has come that may rest, and whether it has met one that may rest later.
    private var (nextToRest, someMayRest) = (0, false)
    /// Of how many connections the memory is given back at a time: others wait meanwhile.
    private static let returnsAtATime = 256
    /// How often, in milliseconds, clients are looked at that are in the middle of a head.
    static let headPause = 1000
    /// Clients who have ended their side, and may still wait for answers.
    var ended: [ClientConnection] = []
    /// Clients whose handshake needs something of them.
    var handshaking: [ClientConnection] = []
    /// Clients whose end came before a request of theirs had been read.
    var endedBefore: [(client: ClientConnection, isBroken: Bool)] = []
    /// How many clients are in the middle of a head, and when they were looked at last.
    var openHeads = 0
    var headsSeenAt = 0
    /// Clients whose connections the library has closed, and may not have ended.
    var closed: [ClientConnection] = []
    /// How many requests sleep: one that is woken costs a look at each of them.
    public internal(set) var sleepers = 0
    /// Where heads of answers are composed, one at a time.
    var headScratch = ByteQueue()
    /// What the library notes per field of a request.
    public static let fieldOverhead = 64
    /// What the library, and Weir, may write into an answer's head besides its fields.
    public static let headReserve = 1024
    /// Clients who have got their last answer.
    var leaving: [ClientConnection] = []
    /// Sockets behind last answers, in the order in which the library closed their connections; closed ones stay for a while.
    var lingering: [LingeringSocket] = []
    /// How many of them are open.
    var openLingering = 0
    /// How often the library has run.
    private(set) var runs: UInt = 0
    /// Whether connections may sleep no more.
    private(set) var isStopping = false
    /// Who makes the requests' objects.
    ///
    /// Not retained: it must outlive the daemon. Needed before the first ``run()``.
    public unowned var delegate: (any HTTPDaemonDelegate)?

    /// Starts serving connections of `listener`, which the daemon owns from then on.
    ///
    /// - Parameters:
    ///   - identity: with one, TLS is spoken, and nothing else.
    ///   - loop: watches the clients' sockets, in the thread that calls ``run()``.
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
        // Without that, libmicrohttpd would read what nobody has looked at.
        if let fault = identity == nil ? LibraryHooks.plainFault : LibraryHooks.fault {
            // It is the caller's again.
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
            // It is the caller's again.
            listenDescriptor = -1
            throw DaemonError()
        }
    }

    /// The longest time, in milliseconds, until ``run()`` should be called; `nil` for no limit.
    public var timeoutMilliseconds: Int? {
        guard let handle = unsafe handle else { return nil }
        if hasNews { return 0 }
        var timeout: UInt64 = 0
        let isLimited = unsafe MHD_get_timeout(handle, &timeout) == .YES
        var wait = isLimited ? Int(clamping: timeout) : nil
        for client in leaving {
            guard let farewell = client.farewell else { continue }
            if farewell.isDue { return 0 }
            wait = min(wait ?? .max, max(0, farewell.input.endsAt - Self.milliseconds))
        }
        if let end = lingeringEnd { wait = min(wait ?? .max, max(0, end - Self.milliseconds)) }
        if openHeads > 0 {
            wait = min(wait ?? .max, max(0, headsSeenAt + Self.headPause - Self.milliseconds))
        }
        return wait
    }

    /// Whether something has happened on a client's socket of which the library has not heard.
    public var hasNews: Bool { !ready.isEmpty }

    /// Takes other limits of requests, which hold from the next request on.
    public func change(to limits: RequestScanner.Limits) {
        self.limits.request = limits
        limitsRevision += 1
    }

    /// Reads, calls the requests' methods, writes; never from inside such a method.
    public func run() {
        runLibrary()
        if !endedBefore.isEmpty { tellEndsBefore() }
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

    /// Gives back the memory of connections on which nothing has happened since the last look at them, of a few at a time; never
    /// from inside a request's method.
    public func giveBackIdleMemory() -> MemoryReturn {
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

    /// Stops accepting; connections that exist go on.
    ///
    /// The listening socket is closed.
    public func quiesce() {
        guard listenDescriptor >= 0 else { return }
        close(listenDescriptor)
        listenDescriptor = -1
    }

    /// No request or handshake sleeps from now on: ``stop()`` is about to be called.
    ///
    /// > 0.9.75 aborts the process if it is stopped while a connection is suspended.
    public func stopSuspending() {
        isStopping = true
        for client in clients {
            client?.endFarewell()
            client?.wake()
        }
    }

    /// Closes all connections and ends.
    public func stop() {
        guard let handle = unsafe handle else { return }
        quiesce()
        stopSuspending()
        stopLingering()
        // > MHD_stop_daemon() shuts sockets down before it would send a close_notify.
        for client in clients where client?.request?.isAnswered != true {
            client?.session?.endIfEstablished()
        }
        enterThread()
        let descriptor = epollDescriptor
        unsafe self.handle = nil
        unsafe MHD_stop_daemon(handle)
        unsafe cmhd_unbind_epoll(descriptor, hooks)
    }

    /// A daemon that never served may just be let go.
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

/// Whether memory of idle connections is left to be given back.
public enum MemoryReturn: Hashable, Sendable {
    /// None: only after something has happened there may be.
    case none
    /// Some may have been idle for long enough after a while.
    case later
    /// At once: there are more.
    case goesOn
}

/// libmicrohttpd refused to start; its log says why.
public struct DaemonError: Error, Sendable, CustomStringConvertible {
    /// What was found out before the library was asked.
    var reason: String?

    /// One line for a user.
    public var description: String {
        "libmicrohttpd could not be started" + (reason.map { ": \($0)" } ?? "")
    }
}
