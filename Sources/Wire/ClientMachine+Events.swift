extension ClientMachine {
    /// What happens to a client's connection.
    public enum Event: Sendable, Equatable {
        // The socket.

        /// Something has changed on the socket; `ended`: the client has ended its side; `broken`: the whole connection has ended.
        case socketChanged(ended: Bool, broken: Bool)
        /// The socket gave less than was asked for: what arrives later is a change.
        case socketDrained
        /// The end of the client's side was read.
        case endRead
        /// The TLS handshake waits for the client; `hasNews`: the library has not heard of all changes on the socket.
        case handshakeWaits(hasNews: Bool)
        /// The TLS handshake is complete.
        case handshakeEnded

        // What is read.

        /// The library has been given bytes; `isShort`: fewer than it asked for; `hasHeld`: bytes behind a request are held.
        case readEnded(isShort: Bool, hasHeld: Bool)
        /// A head, or the handshake, has taken too long.
        case headTimedOut
        /// All requests of a client that has ended its side are answered, and nothing of it is left to be read.
        case inputExhausted

        // The request that the library reads.

        /// Its first line is here.
        case requestBegan
        /// Its head is complete.
        case headReceived
        /// Its head is held: the client is not told to send its body.
        case headHeld
        /// Its head is looked at again.
        case headReleased
        /// Bytes of its body are here.
        case bodyArrived
        /// All of it is here.
        case requestEnded
        /// The library has nothing to do for it until it is woken.
        case requestSleeps
        /// It is woken.
        case requestWoken
        /// The connection is closed at the end of the callback that runs.
        case requestAbandoned

        // Its response.

        /// The library has accepted a response.
        case responseQueued
        /// The library closes the connection behind the response's body, since nothing else shows where that ends.
        case responseEndsConnection
        /// The library is done with the request, in its run with this number; `isWhole`: it has sent the whole response.
        case requestCompleted(isWhole: Bool, run: UInt)

        /// The system has accepted less of a response than the library had to send.
        case sendingStalls

        // The last response, past the library.

        /// The last response is here; nothing more of the client is served. `at`: now, in milliseconds.
        case closingResponse(at: Int)
        /// A part of it was sent.
        case closingSent(at: Int)
        /// The connection has failed before all of it was sent.
        case closingFailed
        /// All of it was sent.
        case closingEnded
        /// It is looked at behind a run of the library.
        case closingAttended
        /// It has been looked at; `at`: when that began, in milliseconds; `unreceived`: how many bytes of it the system still holds, if known.
        case closingTimePassed(at: Int, unreceived: Int?)
        /// What the client sends was read and dropped, up to `step`.
        case inputDropped(UnreadInput.Step)

        // The end.

        /// No further request is served; `at`: now, in milliseconds; `unreceived`: how many bytes the client has not received, if known.
        case servingEnds(at: Int, unreceived: Int?)
        /// The daemon is about to stop: nothing may sleep any more.
        case daemonStops
        /// The library closes the socket, in its run with this number.
        case closes(run: UInt)
    }
}

/// What a client still sends behind its last response: it is read and dropped, for a bounded time and amount (RFC 9112 9.6).
///
/// A socket that is closed with unread bytes, or before more bytes arrive, resets the connection. The reset destroys whatever of the
/// response the client has not read yet.
public struct UnreadInput: Sendable, Equatable {
    /// How long, in milliseconds, a client is read that receives nothing of its response.
    public static let time = 5000
    /// How long, in milliseconds, a client is read after all of its response was handed to the system, if it receives that slowly.
    public static let longestTime = 60_000
    /// How many bytes of a client are dropped behind its response.
    public static let limit = 64 << 20

    /// What is left to be read.
    public enum Step: Sendable, Equatable {
        /// Nothing yet.
        case later
        /// There is more already.
        case more
        /// The client has ended its side.
        case ended
        /// The connection has failed, or the client has sent more than the limit.
        case failed
    }

    /// When, in milliseconds, the client is looked at again, and no longer read if it has received nothing since.
    public private(set) var endsAt: Int
    /// When bytes of the response were handed to the system last, in milliseconds.
    private var lastSend: Int
    /// How many bytes of the response the client had not received when it was looked at last.
    private var unreceived: Int?
    private var droppedBytes = 0

    /// Nothing is dropped yet.
    ///
    /// - Parameter now: in milliseconds.
    public init(at now: Int) { (endsAt, lastSend) = (now + Self.time, now) }

    /// Bytes of the response were handed to the system: the client's time begins anew.
    ///
    /// - Parameters:
    ///   - now: in milliseconds.
    ///   - unreceived: how many bytes the client has not received, if known.
    public mutating func extend(at now: Int, unreceived: Int? = nil) {
        (endsAt, lastSend) = (now + Self.time, now)
        self.unreceived = unreceived
    }

    /// Whether the client's time is over: it begins anew if the client has received something meanwhile.
    ///
    /// - Parameters:
    ///   - now: in milliseconds.
    ///   - unreceived: how many bytes the client has not received; `nil` if that is unknown.
    public mutating func isOver(at now: Int, unreceived: Int?) -> Bool {
        guard endsAt <= now else { return false }
        guard let unreceived, unreceived > 0, unreceived < self.unreceived ?? .max,
            now < lastSend + Self.longestTime
        else { return true }
        self.unreceived = unreceived
        endsAt = now + Self.time
        return false
    }

    /// Counts bytes that were dropped.
    ///
    /// - Returns: whether that is not too much.
    public mutating func drop(_ count: Int) -> Bool {
        droppedBytes += count
        return droppedBytes <= Self.limit
    }
}
