/// One rule of a profile: which answers it is about, and what they mean.
public struct Rule: Sendable {
    /// The name, for people and `weir explain`.
    public var name: String
    /// The profile in which it stands.
    public var profile: String
    /// The statuses it is about.
    public var statuses = StatusSet.errors
    /// The requests it is about; empty: all.
    public var requests: [RequestPattern] = []
    /// The kinds of body it is about; empty: all.
    public var kinds: [BodyKind] = []
    /// What the `Content-Type` must be.
    public var contentType: TextTest?
    /// What a field must be.
    public var header: (name: Text, test: TextTest)?
    /// What the provider's code must be.
    public var code: TextTest?
    /// What the message must be.
    public var message: TextTest?
    /// Where something must be: a value that is neither `null`, nor empty.
    public var present: [JSONPointer] = []
    /// Where nothing may be.
    public var absent: [JSONPointer] = []

    /// Whether the body must say something about fields; `nil`: that does not matter.
    public var hasFields: Bool?
    /// Whether the fields of the provider's own count must say that nothing is left; `nil`: that does not matter.
    public var isUsedUp: Bool?

    /// What it means.
    public var result: ProblemCode
    /// Whether the same request may succeed later; `nil`: as the code says.
    public var isTransient: Bool?
    /// Whether the side effect was performed; `nil`: as the code says.
    public var effect: Effect?
    /// The status to send instead of the provider's.
    public var status: Int?
    /// What pacing does about it; `nil`: as the code says.
    public var pause: Pause?
    /// Where the answer says how long to wait; `nil`: where the profile says.
    public var waits: [WaitSource]?
    /// Whether the rule knows the answer, or only catches what no other does.
    public var isMapped = true

    /// A rule about every error.
    public init(name: String, profile: String, result: ProblemCode) {
        self.name = name
        self.profile = profile
        self.result = result
    }

    /// What pacing does about an answer.
    public enum Pause: String, CaseIterable, Sendable {
        /// Nothing.
        case none
        /// It stops the limit's ledger.
        case ledger
        /// It stops what uses up the quota.
        case quota
    }

    /// Whether the rule looks at the body.
    var looksAtBody: Bool {
        !kinds.isEmpty || code != nil || message != nil || !present.isEmpty || !absent.isEmpty
            || hasFields != nil
    }
}
