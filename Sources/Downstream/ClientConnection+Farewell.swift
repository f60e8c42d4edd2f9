internal import CMicroHTTPD
internal import Glibc
internal import Wire

/// A last answer that is written past the library, while the client may still send.
///
/// What the client sends meanwhile is read and dropped: it may not read before it has sent everything. The library sleeps: nothing
/// that it may want to do, `100 Continue` included, has a place behind the answer. Once all of the answer is on its way, the library is
/// woken and closes the connection as it does behind an answer of its own; see ``HTTPDaemon/linger(behind:)``.
extension ClientConnection {
    /// A last answer on its way.
    struct Farewell {
        let answer: [UInt8]
        var sentBytes = 0
        /// What is read until the answer is sent; its time begins anew whenever the client takes a part of the answer.
        var input = UnreadInput()
        /// Whether all of the answer has been sent, and our side ended.
        var hasEnded = false
        /// Whether something may be done: the socket has news, or has not been emptied.
        var isDue = true
        /// Whether nothing is left to be done: the library may close the connection.
        var isOver = false

        init(answer: [UInt8]) { self.answer = answer }
    }

    /// Whether the last answer has been given.
    var isLeaving: Bool { farewell != nil }

    /// Whether the last answer has been given, and the connection is over.
    var isGone: Bool { farewell?.isOver ?? false }

    /// Gives the last answer; what cannot be sent at once follows in ``attendFarewell()``.
    func leave(_ answer: ClosingAnswer) {
        guard farewell == nil else { return }
        farewell = Farewell(answer: answer.bytes)
        endHead()
        (held, heldStart) = ([], 0)
        putLibraryToSleep()
        daemon.noteLeaving(self)
        sendRest()
    }

    /// Sends what is left of the last answer, and drops what the client has sent.
    func attendFarewell() {
        guard farewell?.isDue == true, !isGone else { return }
        farewell?.isDue = false
        sendRest()
        if !isGone { dropUnread() }
    }

    /// Ends the connection, whatever has become of the answer; ``HTTPDaemon/run()`` must follow.
    func endFarewell() {
        guard farewell?.isOver == false else { return }
        farewell?.isOver = true
        if farewell?.hasEnded != true { cutOff() }
        wakeLibrary()
        daemon.delegate?.daemonIsReady(daemon)
    }

    private func sendRest() {
        guard var farewell, !farewell.hasEnded else { return }
        while farewell.sentBytes < farewell.answer.count {
            let written = unsafe farewell.answer.withUnsafeBytes { bytes in
                unsafe write(UnsafeRawBufferPointer(rebasing: bytes[farewell.sentBytes...]))
            }
            switch written {
            case .bytes(let count):
                farewell.sentBytes += count
                farewell.input.endsAt = HTTPDaemon.milliseconds + UnreadInput.time
            case .later:
                self.farewell = farewell
                return
            case .failed: return endFarewell()
            }
        }
        self.farewell = farewell
        guard session?.sayGoodbye() ?? true else { return }
        self.farewell?.hasEnded = true
        shutdown(socket, Int32(SHUT_WR))
        endFarewell()
    }

    private func dropUnread() {
        switch farewell?.input.drop(from: socket) {
        case .more: farewell?.isDue = true
        case .failed: endFarewell()
        // The client reads on: the answer is still on its way.
        case .ended, .later, nil: break
        }
    }
}

/// What a client has sent that nobody has read yet.
extension ClientConnection {
    /// Whether there are bytes of it that the library has not been given.
    var hasUnread: Bool { hasHeld || unreadBytes > 0 }

    /// Most bytes that are taken out of TLS ahead of the library: more than the system keeps of a connection, unless it was set up so.
    private static let aheadLimit = 16 << 20
    /// How many at a time: what a record carries.
    private static let aheadBlock = 16 << 10

    /// Whether the request that is being read is complete with what is here of it, as the client sends no more.
    var holdsRest: Bool {
        if !isDue { return true }
        if let session { return readAhead(in: session) || completesRequest(held[heldStart...]) }
        let unread = unreadBytes
        guard unread > 0, unread >= scanner.bodyLeft ?? 0 else { return false }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: unread) { room, filled in
            filled = unsafe max(
                0, cmhd_receive(socket, room.baseAddress, unread, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)))
        }
        return completesRequest(bytes[...])
    }

    private func completesRequest(_ bytes: ArraySlice<UInt8>) -> Bool {
        var (ahead, bytes) = (scanner, bytes)
        var span = bytes.mutableSpan
        _ = ahead.scanRequest(&span)
        return ahead.completeRequests > scanner.completeRequests
    }

    /// Takes out of TLS what has come, which cannot be looked at otherwise; the library gets it later.
    ///
    /// - Returns: whether there is so much that not all of it was taken.
    private func readAhead(in session: TLSSession) -> Bool {
        var block = [UInt8](repeating: 0, count: Self.aheadBlock)
        while held.count - heldStart < Self.aheadLimit {
            let count = unsafe block.withUnsafeMutableBytes {
                unsafe session.receive($0.baseAddress, $0.count)
            }
            // Its end, or what is wrong with it, the library is given again.
            guard count > 0 else { return false }
            held += block[..<count]
        }
        return true
    }

    private var unreadBytes: Int {
        var count: CInt = 0
        return unsafe ioctl(socket, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }
}

/// What a client still sends behind its last response: it is read and dropped, for a bounded time and amount (RFC 9112 9.6).
///
/// A socket that is closed with unread bytes, or before more bytes arrive, resets the connection. The reset destroys whatever of the
/// response the client has not read yet.
struct UnreadInput {
    /// How long, in milliseconds, a client is read behind its response, and how many bytes of it.
    static let time = 5000
    static let limit = 64 << 20
    /// Most bytes that are read at a time: other clients wait.
    private static let burst = 1 << 20

    /// What is left to be read.
    enum Step {
        /// Nothing yet.
        case later
        /// There is more already.
        case more
        /// The client has ended its side.
        case ended
        /// The connection has failed, or the client has sent more than the limit.
        case failed
    }

    /// When, on the monotonic clock in milliseconds, the client is no longer read.
    var endsAt = HTTPDaemon.milliseconds + Self.time
    private var droppedBytes = 0

    /// Reads what has arrived; with TLS as well, where nobody decrypts it any more.
    mutating func drop(from socket: Int32) -> Step {
        unsafe withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
            var burst = 0
            while burst < Self.burst {
                let count = unsafe cmhd_receive(socket, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
                if count == 0 { return .ended }
                if count < 0 {
                    if errno == EINTR { continue }
                    return errno == EAGAIN ? .later : .failed
                }
                burst += count
                droppedBytes += count
                if droppedBytes > Self.limit { return .failed }
            }
            return .more
        }
    }
}
