internal import CEpoll

/// What a file descriptor is ready for, or what someone waits for.
public struct Readiness: OptionSet, Sendable {
    /// The bits of `epoll_event.events`.
    public let rawValue: UInt32

    /// These bits of `epoll_event.events`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Bytes, an end of file, or a connection to accept.
    public static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    /// Room to write into.
    public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer has ended its side, or all of the connection.
    ///
    /// Reported once, not as long as it lasts.
    public static let hangup = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLET.rawValue)

    /// Whether the peer is gone or the descriptor failed.
    public var isGone: Bool {
        rawValue & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
    }

    /// Whether the descriptor failed or was closed on both sides.
    public var isBroken: Bool { rawValue & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
}
