internal import Loop

/// What is known of a client's socket that is watched for changes: each is told once.
struct SocketReadiness {
    /// What the library wants to hear of: it does not know of an end of one side.
    private static let ofInterest = Readiness.readable.union(.writable).union(.urgent).union(.broken)

    /// What the library has not heard of.
    private var news: Readiness = []
    /// Which ends have been told.
    private var ends: Readiness = []
    /// Whether there may be bytes or an end to be read: there are none since less came than was asked for, until a change is told.
    private(set) var mayBeReadable = true

    /// Keeps a change.
    ///
    /// - Returns: whether an end is told for the first time.
    mutating func note(_ change: Readiness) -> Bool {
        news.formUnion(change.intersection(Self.ofInterest))
        mayBeReadable = true
        let new = change.intersection(.ended).subtracting(ends)
        ends.formUnion(new)
        return !new.isEmpty
    }

    /// Has the library hear that it can read, though nothing has changed.
    mutating func announceReadable() { news.formUnion(.readable) }

    /// Whether an end has been told.
    var hasEnd: Bool { !ends.isEmpty }

    /// Whether the library has not heard of something.
    var hasNews: Bool { !news.isEmpty }

    /// The bits of what the library has not heard of, which it has then.
    mutating func takeNews() -> UInt32 {
        defer { news = [] }
        return news.rawValue
    }

    /// The system has given less than was asked for, or said that there is nothing: what comes later is a change.
    mutating func hasBeenDrained() {
        // The end may have come with the last bytes, and is told once.
        if ends.isEmpty { mayBeReadable = false }
    }
}
