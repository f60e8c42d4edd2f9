internal import CMicroHTTPD
internal import Glibc
internal import Wire

/// A final response that bypasses the library while the client may still be sending.
///
/// Bytes from the client are read and dropped in the meantime, because the client may not read before it has sent
/// everything. The library is suspended: nothing that it would write, including `100 Continue`, may follow the
/// response. When the whole response has been written, the library is resumed and closes the connection as after a
/// response of its own; see ``HTTPDaemon/linger(behind:)``.
extension ClientConnection {
    /// A final response in progress.
    struct Farewell {
        let answer: [UInt8]
        var sentBytes = 0
        /// Reads what the client sends until the response is sent; its time limit restarts whenever the client
        /// receives a part of the response.
        var input = UnreadInput()
        /// Whether the whole response has been sent, and our side ended.
        var hasEnded = false
        /// Whether there is work: the socket has an event, or has not been emptied.
        var isDue = true
        /// Whether everything is done: the library may close the connection.
        var isOver = false

        init(answer: [UInt8]) { self.answer = answer }
    }

    /// Whether the final response has been given.
    var isLeaving: Bool { farewell != nil }

    /// Whether the final response has been given, and the connection is over.
    var isGone: Bool { farewell?.isOver ?? false }

    /// Gives the final response; what cannot be sent at once follows in ``attendFarewell()``.
    func leave(_ answer: ClosingAnswer) {
        guard farewell == nil else { return }
        farewell = Farewell(answer: answer.bytes)
        endHead()
        (held, heldStart) = ([], 0)
        putLibraryToSleep()
        daemon.noteLeaving(self)
        sendRest()
    }

    /// Sends the rest of the final response, and drops what the client has sent.
    func attendFarewell() {
        guard farewell?.isDue == true, !isGone else { return }
        farewell?.isDue = false
        sendRest()
        if !isGone { dropUnread() }
    }

    /// Ends the connection, whether the response was sent or not; ``HTTPDaemon/run()`` must follow.
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
        // The client is still reading: the response is still being sent.
        case .ended, .later, nil: break
        }
    }
}

/// Unread bytes of a client.
extension ClientConnection {
    /// Whether there are bytes that the library has not received.
    var hasUnread: Bool { hasHeld || unreadBytes > 0 }

    /// The maximum number of bytes that are decrypted ahead of the library: more than the system buffers per
    /// connection by default.
    private static let aheadLimit = 16 << 20
    /// How many bytes are decrypted at a time: the size of a record.
    private static let aheadBlock = 16 << 10

    /// Whether the current request is complete with the available bytes, since the client sends no more.
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

    /// Decrypts the available bytes, which cannot be inspected otherwise; the library receives them later.
    ///
    /// - Returns: whether there is more than may be decrypted.
    private func readAhead(in session: TLSSession) -> Bool {
        var block = [UInt8](repeating: 0, count: Self.aheadBlock)
        while held.count - heldStart < Self.aheadLimit {
            let count = unsafe block.withUnsafeMutableBytes {
                unsafe session.receive($0.baseAddress, $0.count)
            }
            // The library will receive the end, or the error, again.
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

/// Reads and drops what a client still sends after its final response, for a bounded time and amount (RFC 9112 9.6).
///
/// Closing a socket with unread bytes, or before more bytes arrive, resets the connection. The reset destroys the
/// part of the response that the client has not read yet.
struct UnreadInput {
    /// How long a client is read after its response, in milliseconds, and how many bytes.
    static let time = 5000
    static let limit = 64 << 20
    /// The maximum number of bytes that are read at a time, since other clients wait.
    private static let burst = 1 << 20

    /// What remains to be read.
    enum Step {
        /// Nothing at the moment.
        case later
        /// More bytes are available.
        case more
        /// The client has ended its side.
        case ended
        /// The connection has failed, or the client has sent more than the limit.
        case failed
    }

    /// When reading ends, on the monotonic clock in milliseconds.
    var endsAt = HTTPDaemon.milliseconds + Self.time
    private var droppedBytes = 0

    /// Reads what has arrived; also with TLS, without decrypting it.
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
