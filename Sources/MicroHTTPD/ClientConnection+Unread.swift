internal import CReceive
internal import Glibc
internal import HTTPWire

/// What a client has sent that nobody has read yet.
extension ClientConnection {
    /// Whether the system holds bytes of it that nobody has read.
    var hasUnread: Bool { unreadBytes > 0 }

    /// Whether the rest of the request that is being read may be here, as the client sends no more.
    var mayHoldRest: Bool {
        if !isDue { return true }
        let unread = unreadBytes
        guard unread > 0, unread >= scanner.bodyLeft ?? 0 else { return false }
        // Encrypted bytes are more than those that they carry, and cannot be looked at.
        return isEncrypted || completesRequest(unread)
    }

    /// Whether so many bytes, read ahead, complete the request: nothing is taken of them.
    private func completesRequest(_ count: Int) -> Bool {
        var bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            filled = unsafe max(
                0, creceive(socket, room.baseAddress, count, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)))
        }
        var ahead = scanner
        var span = bytes.mutableSpan
        _ = ahead.scan(&span)
        return ahead.completeRequests > scanner.completeRequests
    }

    private var unreadBytes: Int {
        var count: CInt = 0
        return unsafe ioctl(socket, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }
}
