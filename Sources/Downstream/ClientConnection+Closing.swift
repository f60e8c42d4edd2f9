internal import CMicroHTTPD
internal import Glibc
internal import Wire

/// A last response that is written past the library, while the client may still send.
///
/// What the client sends meanwhile is read and dropped: it may not read before it has sent everything. The library sleeps: nothing
/// that it may want to do, `100 Continue` included, has a place behind the response. Once all of it is on its way, the library is
/// woken and closes the connection as it does behind a response of its own; see ``HTTPDaemon/linger(behind:)``.
extension ClientConnection {
    /// A last response on its way.
    struct ClosingProgress {
        var response: [UInt8] = []
        var sentBytes = 0
    }

    /// Gives the last response; what cannot be sent at once follows in ``attendClosing()``.
    func leave(_ response: ClosingAnswer) {
        closing = ClosingProgress(response: response.bytes)
        daemon.leaving.append(self)
        handle(.closingResponse(at: HTTPDaemon.milliseconds))
    }

    /// Ends the connection if it is kept, and its client has not received the whole last response.
    ///
    /// - Returns: whether it ends.
    func endKept() -> Bool {
        handle(.servingEnds(at: HTTPDaemon.milliseconds, unreceived: unreceivedBytes))
        if machine.stage == .leaving { daemon.leaving.append(self) }
        return machine.isLeaving
    }

    /// Sends what is left of the last response, and drops what the client has sent.
    func attendClosing() {
        let now = HTTPDaemon.milliseconds
        handle(.closingAttended)
        handle(.closingTimePassed(at: now, unreceived: unreceivedBytes))
    }

    func sendClosing() {
        while closing.sentBytes < closing.response.count {
            let written = unsafe closing.response.withUnsafeBytes { bytes in
                unsafe write(UnsafeRawBufferPointer(rebasing: bytes[closing.sentBytes...]))
            }
            switch written {
            case .bytes(let count):
                closing.sentBytes += count
                handle(.closingSent(at: HTTPDaemon.milliseconds))
            case .later: return
            case .failed: return handle(.closingFailed)
            }
        }
        if session?.sayGoodbye() ?? true { handle(.closingEnded) }
    }

    func dropInput() {
        guard machine.stage == .leaving else { return }
        handle(.inputDropped(dropUnread()))
    }
}

/// What a client has sent that nobody has read yet.
extension ClientConnection {
    /// Whether there are bytes of it that the library has not been given.
    var hasUnread: Bool { hasHeld || unreadBytes > 0 }

    /// Whether bytes of it lie in the system.
    var hasUnreadInput: Bool { unreadBytes > 0 }

    /// Whether the request that is read has been received whole.
    var hasReceivedRequest: Bool { !machine.isDue || session == nil && holdsRest }

    /// Most bytes that are taken out of TLS ahead of the library: more than the system keeps of a connection, unless it was set up so.
    private static let aheadLimit = 16 << 20
    /// How many at a time: what a record carries.
    private static let aheadBlock = 16 << 10

    /// Whether the request that is being read is complete with what is here of it, as the client sends no more.
    var holdsRest: Bool {
        if !machine.isDue { return true }
        if let session { return readAhead(in: session) || completesRequest(held[heldStart...]) }
        let unread = unreadBytes
        guard unread > 0, unread >= machine.scanner.bodyLeft ?? 0 else { return false }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: unread) { room, filled in
            filled = unsafe max(
                0, cmhd_receive(socket, room.baseAddress, unread, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)))
        }
        return completesRequest(bytes[...])
    }

    private func completesRequest(_ bytes: ArraySlice<UInt8>) -> Bool {
        var bytes = bytes
        var span = bytes.mutableSpan
        return machine.isRequestCompleted(by: &span)
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

extension UnreadInput {
    /// Most bytes that are read at a time: other clients wait.
    private static let burst = 1 << 20

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
                if !drop(count) { return .failed }
            }
            return .more
        }
    }
}
