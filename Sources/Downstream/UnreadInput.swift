internal import CMicroHTTPD
internal import Glibc

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
