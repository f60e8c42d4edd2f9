/// What is known of a client that has ended its sending side.
extension IncomingRequest {
    /// What the system knows of a client's own socket.
    public enum Peer: Sendable {
        /// A process has it: it can still read.
        case open
        /// Nobody has it any more.
        case closed
        /// It is not this system's.
        case unknown
    }

    /// Whether the client has ended its sending side, or the whole connection.
    public final var clientHasEndedSending: Bool { client?.hasEndedSending ?? false }

    /// What the system knows of the client's own socket; asked once the client has ended its sending side.
    public final var peer: Peer { client?.peer ?? .closed }

    /// How many bytes of what was sent the client has not received yet; `nil` if that is not known.
    public final var unreceivedBytes: Int? { client?.unreceivedBytes }

    /// Whether what is here of the request, read or not, is all of it; asked once the client has ended its sending side.
    public final var isHereWhole: Bool { client?.holdsRest ?? false }

    /// How long after the request's last bytes, in nanoseconds, the end of the client's side arrived, at most: asked before anything is
    /// answered, once the end is there.
    ///
    /// - Parameter age: how long ago, in nanoseconds, the whole request was read.
    public final func nanosecondsToEnd(ofRequestReadBefore age: Int64) -> Int64 {
        client?.nanosecondsToEnd(ofRequestReadBefore: age) ?? age
    }

    /// Whether TLS is spoken with the client.
    public final var isEncrypted: Bool { client?.isEncrypted ?? false }
}
