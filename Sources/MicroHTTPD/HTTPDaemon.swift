internal import CMicroHTTPD
internal import Glibc
internal import HTTPWire

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
        /// Seconds after which a silent connection is closed.
        public var idleSeconds: Int

        /// Limits with these values.
        public init(connectionMemory: Int, connections: Int, idleSeconds: Int) {
            self.connectionMemory = connectionMemory
            self.connections = connections
            self.idleSeconds = idleSeconds
        }
    }

    private var handle: OpaquePointer?
    /// Who makes the requests' objects.
    ///
    /// Not retained: it must outlive the daemon. Needed before the first ``run()``.
    public unowned var delegate: (any HTTPDaemonDelegate)?

    /// Starts serving connections of `listener`, which the daemon owns from now on.
    ///
    /// - Parameter delegate: see ``delegate``.
    public init(
        listener: ListenSocket, limits: Limits, delegate: (any HTTPDaemonDelegate)? = nil
    ) throws(DaemonError) {
        self.delegate = delegate
        unsafe handle = nil
        var settings = unsafe cmhd_settings()
        unsafe settings.listener = listener.descriptor
        unsafe settings.connection_memory = limits.connectionMemory
        unsafe settings.connection_limit = UInt32(clamping: limits.connections)
        unsafe settings.idle_timeout = UInt32(clamping: limits.idleSeconds)
        unsafe settings.access = DaemonCallbacks.access
        unsafe settings.begin = DaemonCallbacks.begin
        unsafe settings.completed = DaemonCallbacks.completed
        unsafe settings.connection = DaemonCallbacks.connection
        unsafe settings.log = DaemonCallbacks.log
        unsafe settings.context = Unmanaged.passUnretained(self).toOpaque()
        unsafe handle = cmhd_start(&settings)
        guard unsafe handle != nil else { throw DaemonError() }
    }

    /// Readable when ``run()`` has something to do.
    public var pollDescriptor: Int32 { unsafe handle.map { unsafe cmhd_epoll_fd($0) } ?? -1 }

    /// The longest time, in milliseconds, until ``run()`` should be called; `nil` for no limit.
    public var timeoutMilliseconds: Int? {
        guard let handle = unsafe handle else { return nil }
        var timeout: UInt64 = 0
        guard unsafe MHD_get_timeout(handle, &timeout) == .YES else { return nil }
        return Int(clamping: timeout)
    }

    /// Accepts, reads, calls the requests' methods, writes; never from inside such a method.
    public func run() {
        if let handle = unsafe handle { unsafe MHD_run(handle) }
    }

    /// Stops accepting; connections that exist go on.
    ///
    /// The listening socket is closed.
    public func quiesce() {
        guard let handle = unsafe handle else { return }
        let listener = unsafe MHD_quiesce_daemon(handle)
        if listener >= 0 { close(listener) }
    }

    /// Closes all connections and ends; every suspended request must have been resumed, and ``run()`` called since.
    public func stop() {
        guard let handle = unsafe handle else { return }
        unsafe self.handle = nil
        unsafe MHD_stop_daemon(handle)
    }

    /// A daemon that never served may just be let go; one with a suspended request ends the program, as libmicrohttpd does.
    deinit { stop() }

    /// The version that runs, such as `0.9.75`.
    public static var version: String { unsafe String(cString: MHD_get_version()) }

    /// Whether the library parses in place and lets faulty heads pass, so that ``RequestHead`` has to look where things lie.
    static let needsLayoutCheck = version.hasPrefix("0.9.")
}

/// libmicrohttpd refused to start; its log says why.
public struct DaemonError: Error, Sendable, CustomStringConvertible {
    /// One line for a user.
    public var description: String { "libmicrohttpd could not be started" }
}
