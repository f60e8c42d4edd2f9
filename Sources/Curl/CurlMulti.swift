internal import CCurl
internal import Glibc

/// Watches sockets for a multi; the event loop's side of libcurl's socket interface.
public protocol SocketWatcher: AnyObject {
    /// Calls ``CurlMulti/socket(_:isReadable:isWritable:isBroken:)`` from now on when `socket` is ready; replaces an earlier watch.
    func watch(_ socket: Int32, readable: Bool, writable: Bool)

    /// Stops watching; the socket is about to be closed if `isClosing`.
    func unwatch(_ socket: Int32, isClosing: Bool)
}

/// The transfers to one upstream and their connections: one multi handle.
///
/// It never waits: its owner watches the sockets that it asks for and calls it. One multi per upstream, since libcurl
/// walks all connections of a multi on every request. Confined to one thread.
@safe public final class CurlMulti {
    private let handle: UnsafeMutableRawPointer
    /// What libcurl's callbacks reach: a plain object that outlives the handle, since cleaning up calls back as well.
    let hooks: Hooks
    private let options: UpstreamOptions
    private var idle: [CurlTransfer] = []
    private var isClosed = false

    /// How many unused transfers are kept.
    private static let idleLimit = 256

    /// Makes a multi for the upstream that `options` describe.
    ///
    /// - Parameter watcher: see ``watcher``.
    public init(options: UpstreamOptions, watcher: (any SocketWatcher)? = nil) {
        CurlLibrary.initialise()
        guard let handle = unsafe curl_multi_init() else { fatalError("curl_multi_init: out of memory") }
        unsafe self.handle = handle
        self.options = options
        hooks = Hooks(watcher: watcher, options: options)
        let context = unsafe Unmanaged.passUnretained(hooks).toOpaque()
        unsafe ccurl_multi_set_socket(handle, CurlCallbacks.socket)
        unsafe ccurl_multi_set_pointer(handle, CURLMOPT_SOCKETDATA, context)
        unsafe ccurl_multi_set_timer(handle, CurlCallbacks.timer)
        unsafe ccurl_multi_set_pointer(handle, CURLMOPT_TIMERDATA, context)
        // > MAXCONNECTS counts busy connections too: above it each finished request closes a warm one.
        unsafe ccurl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, 100_000)
        unsafe ccurl_multi_set_long(handle, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    deinit { close() }

    /// Closes all connections, and tells the watcher so; no transfer may be running, and none is started any more.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        idle.removeAll()
        unsafe curl_multi_cleanup(handle)
    }

    /// Who watches the sockets.
    ///
    /// Not retained: it must outlive the multi, or ``close()`` it. Needed before the first transfer.
    public var watcher: (any SocketWatcher)? {
        get { unsafe hooks.watcher }
        set { unsafe hooks.watcher = newValue }
    }

    /// Whether libcurl wants to be called as soon as possible: ``run()``.
    public var needsKick: Bool { hooks.needsKick }

    /// When libcurl wants to be called at the latest, in milliseconds of the clock given to ``run(nowMilliseconds:)``.
    public var deadlineMilliseconds: Int64? { hooks.deadline }

    /// How many connections were opened so far.
    public var openedConnections: Int { hooks.opened }

    /// A transfer that is configured for this upstream; give it back by starting it, or with ``discard(_:)``.
    public func makeTransfer() -> CurlTransfer {
        let transfer = idle.popLast() ?? CurlTransfer(multi: hooks, options: options)
        transfer.prepare()
        return transfer
    }

    /// Takes back a transfer that was not started, or is over.
    public func discard(_ transfer: CurlTransfer) {
        precondition(!transfer.isRunning, "discarded while it runs")
        if idle.count < Self.idleLimit { idle.append(transfer) }
    }

    /// Starts `transfer`; the delegate is held until it is over or cancelled.
    public func start(_ transfer: CurlTransfer, for delegate: any TransferDelegate) {
        transfer.begin(for: delegate)
        let code = unsafe curl_multi_add_handle(handle, transfer.handle)
        precondition(code == CURLM_OK, "curl_multi_add_handle: \(code.rawValue)")
        hooks.needsKick = true
    }

    /// Ends `transfer` without telling its delegate; its connection is closed unless the answer was complete.
    public func cancel(_ transfer: CurlTransfer) {
        guard transfer.isRunning else { return }
        unsafe curl_multi_remove_handle(handle, transfer.handle)
        transfer.end()
    }

    /// Tells libcurl that a socket is ready, then reports the transfers that ended.
    public func socket(_ socket: Int32, isReadable: Bool, isWritable: Bool, isBroken: Bool) {
        guard hooks.isActive(socket) else { return }
        let mask =
            (isReadable ? CURL_CSELECT_IN : 0) | (isWritable ? CURL_CSELECT_OUT : 0)
            | (isBroken ? CURL_CSELECT_ERR : 0)
        var running: Int32 = 0
        unsafe curl_multi_socket_action(handle, socket, mask, &running)
    }

    /// Lets libcurl start new transfers and look at its own deadlines, if it is time for either.
    public func run(nowMilliseconds now: Int64) {
        hooks.now = now
        if let deadline = hooks.deadline, deadline <= now {
            hooks.deadline = nil
            hooks.needsKick = true
        }
        guard hooks.needsKick else { return }
        hooks.needsKick = false
        var running: Int32 = 0
        unsafe curl_multi_socket_action(handle, CURL_SOCKET_TIMEOUT, 0, &running)
    }

    /// Tells the delegates of all transfers that have ended, and takes those transfers back.
    public func reportFinished() {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(handle, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle,
                let context = unsafe ccurl_private(easy)
            else { continue }
            let result = unsafe ccurl_message_result(message)
            let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
            transfer.finish(result)
            // The message dies with this call.
            unsafe curl_multi_remove_handle(handle, easy)
            let delegate = transfer.delegate
            transfer.end()
            delegate?.transferDidFinish(transfer)
        }
    }
}
