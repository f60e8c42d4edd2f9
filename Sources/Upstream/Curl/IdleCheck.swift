internal import CCurl

/// Makes libcurl read what has arrived on idle HTTP/2 connections: it answers PING, and closes a connection that the
/// provider has given up with GOAWAY.
///
/// > 7.88 reads an idle connection only when a handle looks for one to use. So this handle looks for one, and is
/// stopped before it sends a request. It opens no connection.
@safe final class IdleCheck: EasyHandle.Owner {
    private let easy: EasyHandle
    private unowned let multi: CurlMulti
    /// Whether libcurl has it.
    private(set) var isRunning = false

    init(multi: CurlMulti, options: UpstreamOptions) {
        self.multi = multi
        easy = EasyHandle(hooks: multi.hooks, options: options)
        easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        easy.set(CURLOPT_NOBODY, 1)
        unsafe ccurl_set_prereq(easy.pointer, CurlCallbacks.sendNothing)
    }

    /// Starts the check, which must not be running; libcurl must be run.
    func start() {
        isRunning = true
        easy.join(self)
        multi.add(easy)
    }

    /// Ends the check.
    func stop() {
        guard isRunning else { return }
        isRunning = false
        multi.connectionIsSettled()
        multi.remove(easy)
        easy.leave()
    }

    func easyHandleMayConnect() -> Bool { false }

    func easyHandleDidFinish(_ fault: TransferFault?) {
        stop()
        multi.hooks.noteIdleCheck()
    }
}
