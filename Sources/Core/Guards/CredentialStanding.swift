/// What is known about a credential that Weir holds: whether the provider accepts it, and since when.
///
/// A value without the credential itself; times are in seconds since 1970.
public struct CredentialStanding: Hashable, Sendable {
    /// The state of a credential.
    public enum State: String, CaseIterable, Sendable {
        /// No response has said anything about it yet.
        case unused
        /// The last response that says anything about it accepts it.
        case accepted
        /// The last response that says anything about it rejects it.
        case refused
        /// The provider keeps rejecting it, so that requests with it are held back; see ``CredentialQuarantine``.
        case quarantined
        /// It is accepted, or unused, and expires within the notice.
        case expiring
    }

    /// How long before its end a credential counts as expiring, unless it is short-lived.
    public static let notice: Int64 = 7 * 86_400

    private var judged = State.unused
    private var judgedAt: Int64
    /// When the credential expires; `nil` if it does not, or if that is unknown.
    public private(set) var expiry: Int64?
    private var notice = Self.notice

    /// The standing of a credential that was not used yet.
    ///
    /// - Parameters:
    ///   - expiry: when it expires.
    ///   - seconds: when Weir began to hold it.
    public init(expiry: Int64? = nil, since seconds: Int64) {
        self.expiry = expiry
        judgedAt = seconds
    }

    /// Records what a response says about the credential.
    ///
    /// - Parameter isQuarantined: whether it is held back from now on.
    public mutating func record(
        _ verdict: CredentialQuarantine.Verdict, isQuarantined: Bool, at seconds: Int64
    ) {
        switch verdict {
        case .open: break
        case .taken: change(to: .accepted, at: seconds)
        case .refused: change(to: isQuarantined ? .quarantined : .refused, at: seconds)
        }
    }

    /// Whether ``record(_:isQuarantined:at:)`` would change nothing.
    public func isKnown(_ verdict: CredentialQuarantine.Verdict) -> Bool {
        verdict == .open || verdict == .taken && judged == .accepted
    }

    private mutating func change(to state: State, at seconds: Int64) {
        guard state != judged else { return }
        (judged, judgedAt) = (state, seconds)
    }

    /// The state, and when it began.
    public func state(at seconds: Int64) -> (state: State, since: Int64) {
        guard let expiry, judged == .accepted || judged == .unused, expiry - seconds <= notice else {
            return (judged, judgedAt)
        }
        return (.expiring, max(judgedAt, expiry - notice))
    }
}

/// One credential that Weir holds, as pages and metrics show it.
public struct CredentialReading: Hashable, Sendable {
    /// Its place among those of the provider, from 1.
    public var position: Int
    /// Its state.
    public var state: CredentialStanding.State
    /// When the state began, in seconds since 1970.
    public var since: Int64
    /// When it expires, in seconds since 1970.
    public var expiry: Int64?

    /// A reading.
    public init(position: Int, state: CredentialStanding.State, since: Int64, expiry: Int64? = nil) {
        self.position = position
        self.state = state
        self.since = since
        self.expiry = expiry
    }

    /// The reading of a standing.
    public init(position: Int, of standing: CredentialStanding, at seconds: Int64) {
        let (state, since) = standing.state(at: seconds)
        self.init(position: position, state: state, since: since, expiry: standing.expiry)
    }
}

/// When a credential says itself that it expires.
public enum CredentialExpiry {
    /// Longer texts are not looked at.
    private static let longest = 16 << 10

    /// The claim `exp` of a JSON Web Token (RFC 7519 4.1.4), in seconds since 1970; `nil` for anything else.
    ///
    /// The signature is not verified: the time is only shown.
    public static func seconds(of credential: String) -> Int64? {
        let parts = credential.utf8.split(separator: 0x2E, omittingEmptySubsequences: false)
        guard credential.utf8.count <= longest, parts.count == 3,
            parts.allSatisfy({ !$0.isEmpty }),
            object(parts[0])?.text("typ") != nil || object(parts[0])?.text("alg") != nil,
            let text = object(parts[1])?.text("exp"), let number = Double(text), number > 0,
            number < 253_402_300_800
        else { return nil }
        return Int64(number)
    }

    private static func object(_ part: Substring.UTF8View) -> JSONDocument? {
        Base64.decode(Array(part).span).flatMap { JSONDocument($0) }
    }
}

extension JSONDocument {
    /// The text of a string or number at the top of an object.
    fileprivate func text(_ name: String) -> String? {
        guard let pointer = JSONPointer("/" + name), let node = value(at: pointer) else { return nil }
        return scalarText(node)?.string
    }
}
