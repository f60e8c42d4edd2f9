internal import CMicroHTTPD
internal import Glibc
internal import Loop
internal import Wire

/// Weir's part of a client's connection: it checks what the client sends before libmicrohttpd sees it, and may write
/// the final response itself.
@safe final class ClientConnection {

    /// The library's connection; valid while ``isOpen``.
    private let connection: OpaquePointer?
    let socket: Int32
    /// `nil` without TLS.
    let session: TLSSession?
    unowned let daemon: HTTPDaemon
    var scanner: RequestScanner
    /// The current request.
    var request: IncomingRequest?
    /// Whether the loop watches the socket.
    var isWatched = false
    /// Whether the library is interested in it, and the library's tag for it.
    var isMember = false
    var tag: UInt64 = 0
    /// Whether it is in the list ``HTTPDaemon/ready``.
    var isListed = false
    private var readiness = SocketReadiness()
    /// How many requests libmicrohttpd has finished.
    var completedRequests = 0
    /// The number of the library's run in which a whole response was last passed to the system.
    var answeredInRun: UInt?
    /// Whether the end of the client's data has been read.
    private var hasReadEnd = false
    var isOpen = true
    /// Its final response, once given: from then on libmicrohttpd does not take part in the connection until its end.
    var farewell: Farewell?
    /// When the incomplete head began, or the connection if its handshake comes first; 0 if there is none.
    private(set) var headSince = 0
    /// The number of the request to which that applies.
    private var headIndex = 0
    private var limitsRevision = 0
    private var sleepsInHandshake = false
    private var sleepsUntilGone = false
    /// Whether the library still has memory for it.
    var hasMemory = true
    /// When it was last checked for memory to be released, in milliseconds, and when it was last seen in use before.
    private var (lookedAt, wasIdleAt) = (HTTPDaemon.milliseconds, 0)
    /// `nil` before the first bytes are requested.
    private var idleMemory: IdleMemory?
    /// Bytes received after the end of a request, and how many of them have been passed on since.
    var (held, heldStart): ([UInt8], Int) = ([], 0)
    /// Whether the library received less than there may be, and must be notified once the request is over.
    private var owesReading = false

    init(
        _ connection: OpaquePointer?, socket: Int32, session: TLSSession?, limits: RequestScanner.Limits,
        daemon: HTTPDaemon
    ) {
        unsafe self.connection = connection
        self.socket = socket
        self.session = session
        self.daemon = daemon
        scanner = RequestScanner(limits: limits, hidesQuery: true)
        limitsRevision = daemon.limitsRevision
        if session != nil { beginHead() }
    }

    private func beginHead() {
        if headSince == 0 { daemon.openHeads += 1 }
        headSince = HTTPDaemon.milliseconds
        headIndex = scanner.completeRequests
    }

    /// There is no incomplete head.
    func endHead() {
        if headSince > 0 { daemon.openHeads -= 1 }
        headSince = 0
    }

    /// Whether the scanner has passed the head of the current request.
    var hasScannedHead: Bool { completedRequests < scanner.completeHeads }

    /// Whether the client may still have to read a response after which the library closes the connection, and may
    /// still be sending.
    ///
    /// > The library closes a connection in the run in which it has sent the last answer.
    var hasJustBeenAnswered: Bool {
        if hasReadEnd { return false }
        return farewell?.hasEnded ?? (answeredInRun.map { $0 &+ 1 >= daemon.runs } ?? false)
    }

    /// Whether all requests before the malformed one have been answered.
    var isDue: Bool { completedRequests == scanner.completeRequests }

    /// The maximum time, in nanoseconds, between the last bytes of a request and the end of the client's side.
    ///
    /// - Parameter age: how long ago, in nanoseconds, the whole request was read.
    func nanosecondsToEnd(ofRequestReadBefore age: Int64) -> Int64 {
        var info = tcp_info()
        var size = socklen_t(MemoryLayout<tcp_info>.size)
        guard unsafe getsockopt(socket, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 else { return age }
        // Both are milliseconds ago. The segment with the end acknowledges something; a later segment may do so as
        // well.
        let segment = Int64(info.tcpi_last_ack_recv) * 1_000_000
        let sinceReading = max(0, age - segment)
        // With TLS, the last bytes are those of its close_notify.
        if isEncrypted { return sinceReading }
        return min(sinceReading, max(0, Int64(info.tcpi_last_data_recv) * 1_000_000 - segment))
    }

    /// What the system knows about the client's own socket.
    var peer: IncomingRequest.Peer {
        switch cmhd_peer(socket) {
        case CMHD_PEER_OPEN: .open
        case CMHD_PEER_CLOSED: .closed
        default: .unknown
        }
    }

    /// How many bytes the client has not received yet; `nil` if unknown.
    var unreceivedBytes: Int? {
        let count = cmhd_unreceived(socket)
        return count < 0 ? nil : Int(count)
    }

    /// Whether the connection uses TLS.
    var isEncrypted: Bool { session != nil }

    /// Records an event of the socket.
    ///
    /// - Returns: whether the client has newly ended its side, or the whole connection.
    func note(_ readiness: Readiness) -> Bool { self.readiness.note(readiness) }

    /// Whether the client has ended its sending side, or the whole connection.
    var hasEndedSending: Bool { readiness.hasEnd }

    /// Whether the library has not seen an event yet.
    var hasNews: Bool { readiness.hasNews }

    /// Returns the pending events for the library, and clears them.
    func takeNews() -> UInt32 { readiness.takeNews() }

    /// The result of recv() or, with TLS, gnutls_record_recv(), restricted to valid HTTP; with `errno`.
    ///
    /// Returns nothing while a complete request is unanswered, neither bytes nor the end.
    ///
    /// > A resumed connection makes 0.9.75 read once as if it still read the request: an end closes the connection then, and the answer
    /// is lost. And what it reads of the next request takes up the memory that the answer's head needs.
    func receive(into room: UnsafeMutableRawBufferPointer, _ flags: Int32) -> Int {
        // The library only needs to notice that the connection is over.
        if isLeaving { return 0 }
        guard let base = room.baseAddress else { return 0 }
        if idleMemory == nil {
            unsafe idleMemory = IdleMemory(firstRoom: room, pool: daemon.limits.connectionMemory)
        }
        idleMemory?.use()
        if limitsRevision != daemon.limitsRevision, scanner.isBetweenRequests {
            limitsRevision = daemon.limitsRevision
            scanner.limits = daemon.limits.request
        }
        var filled = 0
        while scanner.fault == nil, filled < room.count, isDue {
            let isHeld = hasHeld
            let free = unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled...])
            let count = unsafe isHeld ? copyHeld(into: free) : read(base + filled, free.count, flags)
            if count <= 0 {
                if filled == 0 { return count }
                break
            }
            let start = unsafe (base + filled).assumingMemoryBound(to: UInt8.self)
            var bytes = unsafe MutableSpan(_unsafeStart: start, count: count)
            let (passed, scanned) = scanner.scanRequest(&bytes)
            if isHeld {
                takeHeld(scanned)
            } else if scanned < count {
                held = unsafe Array(UnsafeBufferPointer(start: start + scanned, count: count - scanned))
            }
            filled += passed
            if scanner.fault != nil { daemon.noteRefused(self) }
            // libmicrohttpd takes a short read as a sign that there is no more; not with TLS, where only GnuTLS
            // knows.
            if session == nil ? count < free.count : filled > 0 { break }
        }
        if !scanner.isInHead {
            endHead()
        } else if headSince == 0 || headIndex != scanner.completeRequests {
            beginHead()
        }
        if session == nil ? filled < room.count : filled == 0 { noteUnread() }
        return filled == 0 ? nothingYet() : filled
    }

    /// The library is made to believe that there is nothing to read: it is notified when it may have more.
    private func noteUnread() {
        guard scanner.fault == nil, hasHeld || session != nil || readiness.mayBeReadable else { return }
        if isDue { announceReadable() } else { owesReading = true }
    }

    private func announceReadable() {
        readiness.announceReadable()
        daemon.list(self)
    }

    /// A request has been answered completely: bytes after it may be read.
    func readOn() {
        guard owesReading else { return }
        owesReading = false
        announceReadable()
    }

    /// Whether bytes after the end of a request are waiting to be passed on.
    var hasHeld: Bool { heldStart < held.count }

    private func copyHeld(into room: UnsafeMutableRawBufferPointer) -> Int {
        unsafe held.withUnsafeBytes { bytes in
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[heldStart...].prefix(room.count))
            unsafe room.copyMemory(from: part)
            return part.count
        }
    }

    private func takeHeld(_ count: Int) {
        heldStart += count
        if !hasHeld { (held, heldStart) = ([], 0) }
    }

    /// Releases the connection's memory if nothing has happened since the last call: it is idle, or its request
    /// waits.
    func giveBackIdleMemory() -> IdleMemory.Step {
        guard hasMemory else { return .none }
        guard scanner.fault == nil, !isLeaving else { return .later }
        let now = HTTPDaemon.milliseconds
        defer { lookedAt = now }
        let isWaiting = request?.waits == true
        let isIdle = request == nil && scanner.isBetweenRequests && isDue
        // > 0.9.75 gives the memory of a connection that was idle for too long back at once, and tells when it looks again.
        if isIdle, now >= wasIdleAt + daemon.limits.idleSeconds * 1000, wasIdleAt > 0 { return .none }
        let step = idleMemory?.giveBack(rests: isIdle || isWaiting) ?? .none
        if case .later = step { wasIdleAt = lookedAt }
        if isWaiting, case .given = step { request?.memoryIsAway = true }
        return step
    }

    /// Makes the library ignore it until something happens on its socket: its handshake waits for the client.
    func suspendHandshake() {
        // An end that arrived with bytes is not read before the next call, and is reported once.
        guard let connection = unsafe connection, isOpen, !hasNews, !hasEndedSending, !sleepsInHandshake,
            !daemon.isStopping
        else { return }
        sleepsInHandshake = true
        unsafe MHD_suspend_connection(connection)
    }

    /// Makes the library continue its handshake, if that waits.
    func resumeHandshake() {
        guard sleepsInHandshake, let connection = unsafe connection else { return }
        sleepsInHandshake = false
        unsafe MHD_resume_connection(connection)
    }

    /// Resumes it if it is suspended: its daemon is about to stop.
    func wake() {
        request?.resume()
        resumeHandshake()
        guard isOpen, let connection = unsafe connection else { return }
        if unsafe cmhd_is_suspended(connection) != 0 { unsafe MHD_resume_connection(connection) }
    }

    /// Makes the library process it, and end it if it is closed.
    func haveLookedAt() {
        guard let connection = unsafe connection else { return }
        if unsafe cmhd_is_suspended(connection) == 0 { unsafe MHD_suspend_connection(connection) }
        unsafe MHD_resume_connection(connection)
    }

    /// Restores the memory of a request that waited.
    func putMemoryBack() { idleMemory?.putBack() }

    /// Makes the library ignore it until ``wakeLibrary()``: its final response bypasses the library.
    func putLibraryToSleep() {
        guard let connection = unsafe connection else { return }
        daemon.enterThread()
        if let request { return request.sleepUntilGone() }
        guard !daemon.isStopping, unsafe cmhd_is_suspended(connection) == 0 else { return }
        sleepsUntilGone = true
        unsafe MHD_suspend_connection(connection)
    }

    /// Makes the library process it again, and notice that it is over.
    func wakeLibrary() {
        if let request { request.resume() }
        guard sleepsUntilGone, let connection = unsafe connection else { return }
        sleepsUntilGone = false
        unsafe MHD_resume_connection(connection)
    }

    /// Like recv() or gnutls_record_recv(); with `errno`.
    func read(_ bytes: UnsafeMutableRawPointer?, _ room: Int, _ flags: Int32) -> Int {
        if let session {
            let count = unsafe session.receive(bytes, room)
            if count == 0 { hasReadEnd = true }
            return count
        }
        guard readiness.mayBeReadable else { return nothingYet() }
        let count = unsafe cmhd_receive(socket, bytes, room, flags)
        if count == 0 { hasReadEnd = true }
        if count < 0 ? errno == EAGAIN : count < room { readiness.hasBeenDrained() }
        return count
    }

    /// The error that libmicrohttpd interprets as no data yet.
    private func nothingYet() -> Int {
        if session != nil { return TLSSession.nothingYet }
        errno = EAGAIN
        return -1
    }

    /// Sends what fits, bypassing libmicrohttpd; with TLS, the same bytes must be passed again after
    /// ``TLSSession/Written/later``.
    ///
    /// - Parameters:
    ///   - more: bytes to send after them, if all fit; not with TLS.
    ///   - flags: the flags of send().
    func write(
        _ bytes: UnsafeRawBufferPointer,
        with more: UnsafeRawBufferPointer = unsafe UnsafeRawBufferPointer(start: nil, count: 0),
        flags: Int32 = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
    ) -> TLSSession.Written {
        if let session { return unsafe session.send(bytes) }
        let count = unsafe cmhd_send(
            socket, bytes.baseAddress, bytes.count, more.baseAddress, more.count, flags)
        if count > 0 { return .bytes(count) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .later : .failed
    }

    /// Ends a connection without a pending request.
    func endWithoutAnswer() {
        session?.endIfEstablished()
        cutOff()
    }

    /// Shuts the socket down in both directions: libmicrohttpd notices that, and closes it.
    func cutOff() {
        shutdown(socket, Int32(SHUT_RDWR))
    }
}

/// Writes between two responses of libmicrohttpd.
extension ClientConnection {
    /// The maximum size of an interim response.
    static let interimLimit = 4 << 10
    /// The free buffer space that is required, in the system's count, in which each packet counts 1 KiB more than its
    /// data.
    private static let roomNeeded = 32 << 10

    /// Writes an interim response if the system will certainly accept all of it; never waits.
    ///
    /// - Returns: whether it was written. After an unexpected partial write the connection ends, since nothing may
    ///   follow.
    func sendInterim(_ message: [UInt8]) -> Bool {
        guard isOpen, !isLeaving, message.count <= Self.interimLimit, systemHasRoom else { return false }
        var sent = 0
        while sent < message.count {
            let written = unsafe message.withUnsafeBytes {
                unsafe write(UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            switch written {
            case .bytes(let count): sent += count
            case .later, .failed:
                // Unsent TLS data would precede the next record.
                if sent > 0 || isEncrypted { cutOff() }
                return false
            }
        }
        pushOut()
        return true
    }

    /// Whether the socket's buffer has plenty of space; a slow client fills it.
    private var systemHasRoom: Bool {
        // SK_MEMINFO_…: sndbuf is the fourth, and what counts against it wmem_alloc, the third, or wmem_queued, the sixth.
        var counts = [UInt32](repeating: 0, count: 9)
        var size = socklen_t(counts.count * MemoryLayout<UInt32>.stride)
        guard unsafe getsockopt(socket, SOL_SOCKET, SO_MEMINFO, &counts, &size) == 0,
            Int(size) >= 6 * MemoryLayout<UInt32>.stride
        else { return false }
        return Int(counts[3]) - Int(max(counts[2], counts[5])) >= Self.roomNeeded
    }

    /// > With TLS, 0.9.75 leaves the socket corked behind an answer, which it has pushed out just so.
    private func pushOut() {
        var on: Int32 = 1
        unsafe setsockopt(
            socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
}
