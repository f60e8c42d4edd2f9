/// How long Weir waits for its own clients.
public struct ClientTimeouts: Hashable, Sendable {
    /// How long a connection without a request is kept; 75 s by default, whole seconds.
    public var idle: Duration
    /// How long a client may neither go on with its request nor take its answer; 30 s by default.
    public var stall: Duration

    /// Timeouts, the default where none is given.
    public init(idle: Duration = .seconds(75), stall: Duration = .seconds(30)) {
        self.idle = idle
        self.stall = stall
    }
}
