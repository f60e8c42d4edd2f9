internal import CMicroHTTPD
internal import Glibc
internal import Loop
internal import Wire

/// A client's connection, as far as it is no business of libmicrohttpd's: performs what ``ClientMachine`` decides.
///
/// What the client sends is looked at before libmicrohttpd gets it, and its last response may be written past it.
@safe final class ClientConnection {

    /// The library's; valid while the machine's ``ClientMachine/isOpen``.
    private let connection: OpaquePointer?
    let socket: Int32
    /// `nil` without TLS.
    let session: TLSSession?
    unowned let daemon: HTTPDaemon
    private(set) var machine: ClientMachine
    /// The request that is being read or answered.
    var request: IncomingRequest?
    /// Whether the loop watches the socket.
    var isWatched = false
    /// Whether the library is interested in it, and the library's tag for it.
    var isMember = false
    var tag: UInt64 = 0
    /// Whether it is in the list ``HTTPDaemon/ready``.
    var isListed = false
    /// What has happened on the socket of which the library has not heard.
    private var news: Readiness = []
    /// What is left to be sent of its last response, which goes past the library.
    var closing = ClosingProgress()
    /// When its head began that is not complete, or the connection, where its handshake comes first.
    private(set) var headSince = 0
    private var limitsRevision = 0
    /// When, in milliseconds, it was looked at last for memory to be given back, and when before it was seen to be used last.
    private var (lookedAt, wasIdleAt) = (HTTPDaemon.milliseconds, 0)
    /// `nil` before the first bytes are requested.
    private var idleMemory: IdleMemory?
    /// Bytes received after the end of a request, and how many of them have been passed on since.
    var (held, heldStart): ([UInt8], Int) = ([], 0)

    init(
        _ connection: OpaquePointer?, socket: Int32, session: TLSSession?, limits: RequestScanner.Limits,
        daemon: HTTPDaemon
    ) {
        unsafe self.connection = connection
        self.socket = socket
        self.session = session
        self.daemon = daemon
        machine = ClientMachine(limits: limits, isEncrypted: session != nil, isStopping: daemon.isStopping)
        limitsRevision = daemon.limitsRevision
        if machine.isHeadTimed { startHeadTimer(isNew: true) }
    }

    // MARK: The machine

    /// Reports what has happened, and performs what follows.
    func handle(_ event: ClientMachine.Event) {
        // The daemon is retained for this in builds with assertions only.
        assert(daemon.loop.confinement.isKept, "an event on another thread than the loop's")
        let (wasAsleep, wasTimed) = (machine.isRequestAsleep, machine.isHeadTimed)
        let actions = machine.handle(event)
        if machine.isRequestAsleep != wasAsleep { daemon.sleepers += wasAsleep ? -1 : 1 }
        for action in actions { perform(action, wasTimed: wasTimed) }
    }

    private func perform(_ action: ClientAction, wasTimed: Bool) {
        switch action {
        case .suspend: if let connection = unsafe connection { unsafe MHD_suspend_connection(connection) }
        case .resume: if let connection = unsafe connection { unsafe MHD_resume_connection(connection) }
        case .reportNews: daemon.list(self)
        case .announceReadable:
            news.formUnion(.readable)
            daemon.list(self)
        case .lookAt: daemon.closed.append(self)
        case .requestRun: daemon.delegate?.daemonIsReady(daemon)
        case .reportEnd:
            daemon.delegate?.daemon(daemon, clientEnds: socket, isBroken: machine.end == .broken)
        case .reportEndLater: daemon.endedBefore.append(self)
        case .awaitAnswers: daemon.ended.append(self)
        case .requestRefusal: daemon.refused.append(self)
        case .startHeadTimer: startHeadTimer(isNew: !wasTimed)
        case .stopHeadTimer: daemon.openHeads -= 1
        case .allowStall:
            let isUnlimited = request?.endsStalledClient == true
            setTimeout(isUnlimited ? 0 : max(daemon.limits.idleSeconds, daemon.stallSeconds))
        case .limitIdleness: setTimeout(daemon.limits.idleSeconds)
        case .dropHeld: (held, heldStart) = ([], 0)
        case .sendClosing: sendClosing()
        case .dropInput: dropInput()
        case .endSending: shutdown(socket, Int32(SHUT_WR))
        case .endSession: endSession()
        case .cutOff: cutOff()
        case .linger: daemon.linger(behind: self)
        }
    }

    private func setTimeout(_ seconds: Int) {
        guard let connection = unsafe connection else { return }
        unsafe cmhd_set_timeout(connection, UInt32(clamping: seconds))
    }

    private func startHeadTimer(isNew: Bool) {
        if isNew { daemon.openHeads += 1 }
        headSince = HTTPDaemon.milliseconds
    }

    /// How long after the last bytes of a request, in nanoseconds, the end of its side arrived, at most.
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
        if machine.isEncrypted { return sinceReading }
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

    // MARK: The socket

    /// What the library wants to hear of: it does not know of an end of one side.
    private static let ofInterest = Readiness.readable.union(.writable).union(.urgent).union(.broken)

    /// Something has changed on the socket.
    func note(_ readiness: Readiness) {
        news.formUnion(readiness.intersection(Self.ofInterest))
        handle(
            .socketChanged(ended: !readiness.isDisjoint(with: .ended), broken: readiness.isBroken))
    }

    /// Whether something has happened of which the library has not heard.
    var hasNews: Bool { !news.isEmpty }

    /// What the library hears, which it has then heard.
    func takeNews() -> UInt32 {
        defer { news = [] }
        return news.rawValue
    }

    /// What recv() or, with TLS, gnutls_record_recv() would give, as far as it is HTTP; with `errno`.
    func receive(into room: UnsafeMutableRawBufferPointer, _ flags: Int32) -> Int {
        guard let base = room.baseAddress, machine.source(hasHeld: hasHeld) != .end else { return 0 }
        if idleMemory == nil {
            unsafe idleMemory = IdleMemory(firstRoom: room, pool: daemon.limits.connectionMemory)
        }
        idleMemory?.use()
        if limitsRevision != daemon.limitsRevision, machine.change(to: daemon.limits.request) {
            limitsRevision = daemon.limitsRevision
        }
        var filled = 0
        reading: while filled < room.count {
            let source = machine.source(hasHeld: hasHeld)
            let free = unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled...])
            let count: Int
            switch source {
            case .nothing, .end: break reading
            case .held: unsafe count = copyHeld(into: free)
            case .socket: unsafe count = read(base + filled, free.count, flags)
            }
            if count <= 0 {
                if filled == 0 { return count }
                break
            }
            let start = unsafe (base + filled).assumingMemoryBound(to: UInt8.self)
            var bytes = unsafe MutableSpan(_unsafeStart: start, count: count)
            let (passed, scanned) = machine.scan(&bytes)
            if source == .held {
                takeHeld(scanned)
            } else if scanned < count {
                held = unsafe Array(UnsafeBufferPointer(start: start + scanned, count: count - scanned))
            }
            filled += passed
            // libmicrohttpd takes less than it asked for as a sign that there is no more; not with TLS, where only GnuTLS
            // knows, and says so.
            if session == nil ? count < free.count : filled > 0 { break }
        }
        handle(.readEnded(isShort: session == nil ? filled < room.count : filled == 0, hasHeld: hasHeld))
        return filled == 0 ? nothingYet() : filled
    }

    /// Whether bytes behind the end of a request wait to be passed on.
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
        guard !machine.libraryHasClosed else { return .none }
        guard machine.scanner.fault == nil, !machine.isLeaving else { return .later }
        let now = HTTPDaemon.milliseconds
        defer { lookedAt = now }
        let isWaiting = machine.isRequestAsleep && !machine.isAnswered
        let isIdle = machine.isIdle
        // > 0.9.75 gives the memory of a connection that was idle for too long back at once, and tells when it looks again.
        if isIdle, now >= wasIdleAt + daemon.limits.idleSeconds * 1000, wasIdleAt > 0 { return .none }
        let step = idleMemory?.giveBack(rests: isIdle || isWaiting) ?? .none
        if case .later = step { wasIdleAt = lookedAt }
        if isWaiting, case .given = step { request?.memoryIsAway = true }
        return step
    }

    /// Has the library look at it, and end it if it is closed.
    func haveLookedAt() {
        guard let connection = unsafe connection else { return }
        if unsafe cmhd_is_suspended(connection) == 0 { unsafe MHD_suspend_connection(connection) }
        unsafe MHD_resume_connection(connection)
    }

    /// Reads and drops what has arrived behind the last response.
    func dropUnread() -> UnreadInput.Step { machine.unread?.drop(from: socket) ?? .failed }

    /// Has the memory of a request that waited as it was.
    func putMemoryBack() { idleMemory?.putBack() }

    /// The trailers of the request, once its body is complete; given once.
    func takeTrailers() -> FieldBlock { machine.takeTrailers() }

    /// Reads as recv() or gnutls_record_recv() do; with `errno`.
    private func read(_ bytes: UnsafeMutableRawPointer?, _ room: Int, _ flags: Int32) -> Int {
        if let session {
            let count = unsafe session.receive(bytes, room)
            if count == 0 { handle(.endRead) }
            return count
        }
        guard machine.mayBeReadable else { return nothingYet() }
        let count = unsafe cmhd_receive(socket, bytes, room, flags)
        if count >= room { return count }
        let number = errno
        if count == 0 { handle(.endRead) }
        if count >= 0 || number == EAGAIN { handle(.socketDrained) }
        errno = number
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

    /// Sends a close_notify, if there has been a handshake and the socket takes it at once (RFC 8446 6.1).
    func endSession() {
        if machine.stage != .handshake { _ = session?.sayGoodbye() }
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
        guard machine.isOpen, !machine.isLeaving, message.count <= Self.interimLimit, systemHasRoom else {
            return false
        }
        var sent = 0
        while sent < message.count {
            let written = unsafe message.withUnsafeBytes {
                unsafe write(UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            switch written {
            case .bytes(let count): sent += count
            case .later, .failed:
                // What TLS has not sent yet would stand before the next record.
                if sent > 0 || machine.isEncrypted { cutOff() }
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
