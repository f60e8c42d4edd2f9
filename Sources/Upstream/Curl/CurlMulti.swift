internal import CCurl
internal import CFrames
internal import Glibc

/// Watches sockets for a multi: the event loop's side of libcurl's socket interface.
public protocol SocketWatcher: AnyObject {
    /// Calls ``CurlMulti/socket(_:isReadable:isWritable:isBroken:)`` from now on when `socket` is ready; replaces an
    /// earlier watch.
    func watch(_ socket: Int32, readable: Bool, writable: Bool)

    /// Stops watching; `isClosing` means that the socket is about to be closed.
    func unwatch(_ socket: Int32, isClosing: Bool)

    /// A transfer or a connection attempt begins: from now on the multi's deadline matters.
    func multiHasWork()
}

extension SocketWatcher {
    /// Does nothing, for watchers that check the deadline in any case.
    public func multiHasWork() {}
}

/// The transfers to one upstream and their connections: one multi handle.
///
/// It never waits: its owner watches the requested sockets and calls it. There is one multi per upstream, since
/// libcurl walks all connections of a multi for every request. Confined to one thread.
@safe public final class CurlMulti {
    private let handle: UnsafeMutableRawPointer
    /// The context of libcurl's callbacks: a plain object that outlives the handle, since cleaning up also calls
    /// back.
    let hooks: Hooks
    private let options: UpstreamOptions
    private var idle: [CurlTransfer] = []
    private var isClosed = false
    /// Started transfers that libcurl has not received yet, in order.
    private var starting: [CurlTransfer] = []
    /// Transfers without a connection.
    private var connecting: [CurlTransfer] = []
    /// Reads idle connections; created when the first one has received something.
    private var idleCheck: IdleCheck?
    /// Transfers that failed outside libcurl's own work, with its result code.
    private var failed: [(transfer: CurlTransfer, code: CURLcode)] = []

    /// How many unused transfers are kept.
    private static let idleLimit = 256

    /// Creates a multi for the upstream that `options` describe.
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
        unsafe ccurl_multi_set_long(
            handle, CURLMOPT_PIPELINING, options.offersHTTP2 ? Int(CURLPIPE_MULTIPLEX) : Int(CURLPIPE_NOTHING)
        )
    }

    deinit { close() }

    /// Closes all connections and notifies the watcher; no transfer may be running or be started any more.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        idle.removeAll()
        idleCheck?.stop()
        observeFrames()
        unsafe curl_multi_cleanup(handle)
        if options.offersHTTP2 { cframes_observe(nil, nil) }
    }

    /// Watches the sockets.
    ///
    /// Not retained: it must outlive the multi, or ``close()`` it. Needed before the first transfer.
    public var watcher: (any SocketWatcher)? {
        get { unsafe hooks.watcher }
        set { unsafe hooks.watcher = newValue }
    }

    /// Whether libcurl must be called as soon as possible with ``run()``.
    public var needsKick: Bool { hooks.needsKick }

    /// When libcurl wants to be called at the latest, in milliseconds of the clock given to ``run(nowMilliseconds:)``.
    public var deadlineMilliseconds: Int64? { hooks.deadline }

    /// How many connections have been opened.
    public var openedConnections: Int { hooks.opened }

    /// Running transfers; without any, and without a connection attempt, libcurl's deadline does not matter.
    public internal(set) var runningTransfers = 0
    /// Connection attempts in progress, and a check of idle connections.
    public private(set) var pendingConnections = 0

    /// Whether the last response to a transfer of libcurl's used HTTP/2; `nil` before the first.
    public internal(set) var speaksHTTP2: Bool? {
        didSet { hooks.keepsUnread = speaksHTTP2 == true }
    }

    /// A transfer that is configured for this upstream.
    public func makeTransfer() -> CurlTransfer {
        idle.popLast() ?? CurlTransfer(multi: self, options: options)
    }

    /// Starts to establish a connection to the upstream that libcurl's transfers do not use.
    public func connect(for delegate: any CurlConnectionDelegate) -> CurlConnection {
        pendingConnections += 1
        return CurlConnection(multi: self, options: options, delegate: delegate)
    }

    func takeBack(_ transfer: CurlTransfer) {
        if idle.count < Self.idleLimit { idle.append(transfer) }
    }

    // MARK: Transfers of which several share a connection

    /// Starts a transfer with the next ``run(nowMilliseconds:)``.
    func start(_ transfer: CurlTransfer) {
        guard options.offersHTTP2 else { return add(transfer.easy) }
        starting.append(transfer)
        hooks.needsKick = true
        unsafe hooks.watcher?.multiHasWork()
    }

    /// Lets each transfer look for a connection before the next one does.
    ///
    /// One open connection is enough. While one is being established, each transfer opens its own, so that a provider
    /// that does not respond keeps all of them waiting in parallel.
    ///
    /// > 7.88 also puts a request on a connection whose TLS handshake is not over: the request would be sent in the clear.
    private func startTransfers() {
        while !starting.isEmpty {
            let transfer = starting.removeFirst()
            transfer.needsOwnConnection = !connecting.isEmpty || idleCheck?.isRunning == true
            connecting.append(transfer)
            hooks.frames.begin(transfer)
            add(transfer.easy)
            runTimers()
        }
    }

    /// The transfer opens a new connection, not the one that it had.
    func beginConnecting(_ transfer: CurlTransfer) { connecting.append(transfer) }

    /// The transfer has a connection, or will never have one.
    func endConnecting(_ transfer: CurlTransfer) {
        connecting.removeAll { $0 === transfer }
    }

    /// Cancels a transfer without notifying it.
    func stop(_ transfer: CurlTransfer) {
        if let index = starting.firstIndex(where: { $0 === transfer }) {
            starting.remove(at: index)
        } else {
            remove(transfer.easy)
        }
    }

    /// An HTTP/2 connection is open: transfers that are still opening one look again for a connection to share.
    private func shareNewConnection() {
        guard hooks.frames.hasNewConnection else { return }
        hooks.frames.hasNewConnection = false
        for transfer in connecting { remove(transfer.easy) }
        starting = connecting + starting
        connecting.removeAll()
        if !starting.isEmpty { hooks.needsKick = true }
    }

    /// Ends transfers whose response was passed on completely although their request is incomplete: the rest of it is
    /// not sent.
    ///
    /// > libcurl goes on with the request first, unless the response is an error.
    private func finishEarly() {
        let early = hooks.frames.early
        hooks.frames.early = early.filter { $0.isRunning && !$0.hasWholeResponse }
        for transfer in early where transfer.isRunning && transfer.hasWholeResponse {
            transfer.easyHandleDidFinish(nil)
        }
    }

    /// Ends a transfer that failed while it was resumed, which libcurl does not report.
    func fail(_ transfer: CurlTransfer, _ code: CURLcode) {
        failed.append((transfer, code))
        hooks.needsKick = true
    }

    /// From now on, frames are reported to ``Hooks/frames``.
    func observeFrames() {
        guard options.offersHTTP2 else { return }
        unsafe cframes_observe(CurlCallbacks.frame, Unmanaged.passUnretained(hooks).toOpaque())
    }

    // MARK: Handles

    func add(_ easy: EasyHandle) {
        // libcurl calls back with a pointer to it until it leaves the multi, where this retain is balanced.
        unsafe _ = Unmanaged.passRetained(easy)
        let code = unsafe curl_multi_add_handle(handle, easy.pointer)
        precondition(code == CURLM_OK, "curl_multi_add_handle: \(code.rawValue)")
        hooks.needsKick = true
        unsafe hooks.watcher?.multiHasWork()
    }

    func remove(_ easy: EasyHandle) {
        observeFrames()
        unsafe curl_multi_remove_handle(handle, easy.pointer)
        if options.offersHTTP2 { hooks.frames.end(easy.address) }
        unsafe Unmanaged.passUnretained(easy).release()
    }

    /// A connection is established, or the attempt has failed.
    func connectionIsSettled() { pendingConnections -= 1 }

    /// Informs libcurl that a socket is ready, then reports finished transfers.
    public func socket(_ socket: Int32, isReadable: Bool, isWritable: Bool, isBroken: Bool) {
        guard hooks.isActive(socket) else { return }
        let mask =
            (isReadable ? CURL_CSELECT_IN : 0) | (isWritable ? CURL_CSELECT_OUT : 0)
            | (isBroken ? CURL_CSELECT_ERR : 0)
        var running: Int32 = 0
        observeFrames()
        unsafe curl_multi_socket_action(handle, socket, mask, &running)
    }

    /// Lets libcurl start new transfers and check its deadlines, if either is due.
    public func run(nowMilliseconds now: Int64) {
        hooks.now = now
        if let deadline = hooks.deadline, deadline <= now {
            hooks.deadline = nil
            hooks.needsKick = true
        }
        guard hooks.needsKick else { return }
        hooks.needsKick = false
        if hooks.mustCheckIdle { checkIdleConnections() }
        if starting.isEmpty { runTimers() } else { startTransfers() }
    }

    /// > 7.88 may put one transfer on a connection that another one is still making: a check, which makes none, and transfers that
    /// connect are kept apart.
    private func checkIdleConnections() {
        hooks.mustCheckIdle = false
        // A transfer that is about to start reads the connection that it uses.
        guard starting.isEmpty else { return }
        guard connecting.isEmpty else { return hooks.noteIdleCheck(isLast: true) }
        let check = idleCheck ?? IdleCheck(multi: self, options: options)
        idleCheck = check
        guard !check.isRunning else { return }
        // libcurl looks up the provider's name if no connection is left.
        pendingConnections += 1
        check.start()
    }

    private func runTimers() {
        var running: Int32 = 0
        observeFrames()
        unsafe curl_multi_socket_action(handle, CURL_SOCKET_TIMEOUT, 0, &running)
    }

    /// Notifies the owners of all finished handles.
    public func reportFinished() {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(handle, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE,
                let pointer = unsafe message.pointee.easy_handle,
                let context = unsafe ccurl_private(pointer)
            else { continue }
            // The message is invalid after the next call.
            let result = unsafe ccurl_message_result(message)
            let easy = unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
            easy.owner?.easyHandleDidFinish(easy.fault(of: result))
        }
        shareNewConnection()
        if !hooks.frames.early.isEmpty { finishEarly() }
        // > 7.88 waits for the end of a connection that is over for HTTP/2.
        while let transfer = hooks.frames.violated.popLast() {
            if transfer.isRunning { transfer.easyHandleDidFinish(.notHTTP) }
        }
        while let (transfer, code) = failed.popLast() {
            guard transfer.isRunning else { continue }
            transfer.easyHandleDidFinish(transfer.easy.fault(of: code))
        }
    }
}
