internal import CMicroHTTPD
internal import Glibc
internal import Wire

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
