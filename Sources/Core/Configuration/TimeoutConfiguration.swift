/// How long one exchange may wait for its provider.
public struct TimeoutConfiguration: Hashable, Sendable {
    /// Until a new connection stands, TLS included; 5 s by default.
    public var connect: Duration
    /// From the last byte of the request to the first byte of the response; 30 s by default, `nil` for a long poll that has no end.
    public var response: Duration?
    /// Between two pieces of a response's body; 30 s by default, `nil` for as long as it takes.
    ///
    /// A stream of events (`text/event-stream`) may be silent in any case.
    public var idle: Duration?
    /// From the head of an answer that is, or may be, an error to the end of its body; 5 s by default.
    ///
    /// Then what has come of it counts.
    public var errorBody: Duration
    /// From the first byte sent to the last one received; `nil`, the default, lets a stream go on.
    public var total: Duration?

    /// Timeouts, the default where none is given.
    public init(
        connect: Duration = .seconds(5), response: Duration? = .seconds(30), idle: Duration? = .seconds(30),
        errorBody: Duration = .seconds(5), total: Duration? = nil
    ) {
        self.connect = connect
        self.response = response
        self.idle = idle
        self.errorBody = errorBody
        self.total = total
    }
}
