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
    /// Everything that may happen to a socket, each change reported once.
    public static let anyChange = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLET.rawValue)
        .union(readable).union(writable).union(urgent)
    /// Bytes out of their order.
    public static let urgent = Readiness(rawValue: EPOLLPRI.rawValue)
    /// The descriptor failed, or was closed on both sides; reported in any case.
    public static let broken = Readiness(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
    /// The peer has ended its side, or all of the connection.
    public static let ended = Readiness(rawValue: EPOLLRDHUP.rawValue).union(broken)

    /// Whether the descriptor failed or was closed on both sides.
    public var isBroken: Bool { !isDisjoint(with: .broken) }
}
