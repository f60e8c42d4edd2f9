/// What a `SharedLedger` wants done, in this order.
public enum LedgerEffect: Sendable {
    /// Connect to the server: a session of this name begins. Its beginning, and its end if it fails, are reported.
    case connect(session: String)
    /// Close the connections of this session; nothing that still comes of it is reported.
    case disconnect(session: String)
    /// Call the script; the reply is reported, in the order of the calls.
    case call(LedgerCall)
    /// A request may be sent.
    case grant(Waiter)
    /// A request would have to wait for longer than it may: its claim is over.
    case refuse(Waiter, Refusal)
    /// The pacer must be asked again at that time.
    case arm(Wake, of: Pacer)
    /// Say that the ledger cannot be used, and why.
    case tellOfLoss(reason: String)
    /// Say that it is in use again.
    case tellOfReturn
}

/// One call of the script.
public struct LedgerCall: Sendable {
    /// What the names of all its keys begin with.
    public let key: [UInt8]
    /// What is asked, and what the server must know for it.
    public let words: [String]
    /// Whether the server may have forgotten the script, so that all of its text must be sent.
    public var needsText = false
}

/// What the script has answered.
public enum LedgerReply: Sendable, Hashable {
    /// A number, or several; none if it was something else.
    case numbers([Int64])
    /// A failure: a code in capitals, then words.
    case error(String)
}
