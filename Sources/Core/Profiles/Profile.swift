internal import Wire

/// What Weir knows about one provider: data, read from a profile file, immutable.
public struct Profile: Sendable {
    /// The name, such as `lettr`.
    public var name: String
    /// The base URL of the API; a profile for any provider has none.
    public var upstream: String?
    /// Where an app's request carries the credential, in the order in which they are tried.
    public var credentialPlaces: [CredentialPlace] = []
    /// Where Weir puts a credential that it holds itself.
    public var credentialInjection: CredentialPlace?
    /// How the provider's secrets begin, such as `lttr_`: redacted wherever a body shows one.
    public var secretPrefixes: [Text] = []
    /// The provider's rate limits, whatever the tier.
    public var limits: [RateLimit] = []
    /// The limits that each of the provider's tiers has besides.
    public var tiers: [ProfileTier] = []
    /// The tier of an account whose configuration names none; `nil` if it must.
    public var tier: String?
    /// The requests that a used-up quota stops; empty if that is not known.
    public var quotaRequests: [RequestPattern] = []
    /// Fields that a request gets unless it has them, such as `Accept: application/json`.
    public var requestDefaults: [(name: String, value: String)] = []
    /// Which requests the provider performs only once per key.
    public var idempotency: Idempotency?
    /// Response fields that may hold the provider's id of the request, in order.
    public var requestIDFields: [Text] = []
    /// Where an answer says how long to wait, in order.
    public var waits: [WaitSource] = []
    /// Where a response says whether the same request may succeed later, in order.
    public var repeats: [ValuePlace] = []
    /// The fields in which the provider tells the state of its rate limit.
    public var rateFields = RateFields()
    /// Where bodies hold what.
    public var reading = BodyReading()
    /// Members of the body that go into the problem unchanged.
    public var kept: [Text] = []
    /// The meaning of sentences about fields.
    public var fieldPhrases = FieldPhrases([])
    /// The rules, in order; the first that matches decides.
    public var rules: [Rule] = []
    /// Recorded answers and what becomes of them.
    public var cases: [ProfileCase] = []

    /// A profile that knows nothing but its name.
    public init(name: String) { self.name = name }

    /// The limits of an account of the tier that counts where none is named.
    public var usualLimits: [RateLimit] { limits + (tiers.first { $0.name == tier }?.limits ?? []) }

    /// Whether the provider performs this request only once when it carries an idempotency key.
    public func honoursIdempotencyKey(method: Text, path: Text) -> Bool {
        idempotency?.requests.contains { $0.matches(method: method, path: path) } ?? false
    }
}

/// The limits of accounts that pay for them: `free`, `growth`.
public struct ProfileTier: Sendable, Hashable {
    /// Its name, as the configuration spells it.
    public var name: String
    /// Its limits.
    public var limits: [RateLimit]

    /// A tier.
    public init(name: String, limits: [RateLimit]) {
        self.name = name
        self.limits = limits
    }
}

/// The rules of a profile, sorted by status when it is compiled: an answer is compared only with rules about
/// its status.
struct RuleBook: Sendable {
    /// A rule that can be handed round without copying its many parts.
    final class Entry: Sendable {
        let rule: Rule
        let when: ConditionSet
        /// The rule's place among those of the profile, from 0; -1 for one that stands in none.
        let index: Int

        init(_ rule: Rule, index: Int = -1) {
            self.rule = rule
            self.index = index
            when = ConditionSet(rule.when)
        }
    }

    /// For each possible status, the rules about it, in order.
    private let byStatus: [[Entry]]

    init(_ rules: [Rule]) {
        let entries = rules.enumerated().map { Entry($0.element, index: $0.offset) }
        // Between two of these, all statuses have the same rules: one array serves them.
        let ranges = rules.flatMap(\.when.statuses.ranges)
        let possible = StatusSet.possible
        let edges = Set(ranges.flatMap { [$0.lowerBound, $0.upperBound + 1] } + [possible.lowerBound])
            .filter(possible.contains).sorted()
        var byStatus: [[Entry]] = []
        byStatus.reserveCapacity(possible.count)
        for (index, edge) in edges.enumerated() {
            let end = index + 1 < edges.count ? edges[index + 1] : possible.upperBound + 1
            let candidates = entries.filter { $0.rule.when.statuses.contains(edge) }
            byStatus += repeatElement(candidates, count: end - edge)
        }
        self.byStatus = byStatus
    }

    /// The rules about a status.
    func candidates(_ status: Int) -> [Entry] {
        StatusSet.possible.contains(status) ? byStatus[status - StatusSet.possible.lowerBound] : []
    }
}

/// Where a provider's responses hold what, in the order in which the places are tried.
public struct BodyReading: Sendable {
    /// The human message.
    public var message: [ValuePlace] = []
    /// The provider's code.
    public var code: [ValuePlace] = []
    /// Fields of the answer that hold the provider's code, if the body has none.
    public var codeFields: [Text] = []
    /// Field problems: the first that yields something counts.
    public var fields: [FieldPlace] = []
    /// The provider's id of the request.
    public var requestID: [ValuePlace] = []
    /// The parts to which the places of another profile are added.
    public var inherited = Set(Part.allCases)

    /// What is read.
    public enum Part: String, CaseIterable, Sendable {
        /// ``BodyReading/message``.
        case message
        /// ``BodyReading/code``.
        case code
        /// ``BodyReading/codeFields``.
        case codeHeaders = "code_headers"
        /// ``BodyReading/fields``.
        case fields
        /// ``BodyReading/requestID``.
        case requestID = "request_id"
    }

    /// Nothing is read.
    public init() {}

    /// Adds the places of another profile, which are tried after these, to the parts that inherit them.
    public mutating func inherit(_ other: BodyReading) {
        if inherited.contains(.message) { message += other.message }
        if inherited.contains(.code) { code += other.code }
        if inherited.contains(.codeHeaders) { codeFields += other.codeFields }
        if inherited.contains(.fields) { fields += other.fields }
        if inherited.contains(.requestID) { requestID += other.requestID }
    }
}

/// What a body turned out to be, whatever its `Content-Type` says.
public enum BodyKind: String, CaseIterable, Sendable {
    /// Valid JSON.
    case json
    /// An HTML page.
    case html
    /// Anything else.
    case text
    /// Nothing, or only blanks.
    case empty
}

/// Which requests a provider performs only once when they carry the same key.
public struct Idempotency: Sendable, Hashable {
    /// The field that carries the key.
    public var header: String
    /// The requests for which the provider honours it.
    public var requests: [RequestPattern]

    /// An idempotency rule.
    public init(header: String, requests: [RequestPattern]) {
        self.header = header
        self.requests = requests
    }
}

/// The names of the fields in which a provider tells the state of its rate limit; none if it does not.
///
/// The names at one place of ``limit``, ``remaining`` and ``reset`` speak of the same window, or are other spellings.
public struct RateFields: Sendable, Hashable {
    /// How many requests a window has.
    public var limit: [Text] = []
    /// How many are left.
    public var remaining: [Text] = []
    /// When the window ends.
    public var reset: [Text] = []
    /// How many are used, and how many a window has: `39/40`.
    public var used: [Text] = []
    /// All of it in one value: `"default";r=50;t=30`, or `limit=100, remaining=50, reset=30`.
    public var state: [Text] = []
    /// What the limits of ``state`` are: `"default";q=100;w=60`.
    public var policy: [Text] = []

    /// No fields.
    public init() {}
}

/// One place where an answer may say how long to wait.
public struct WaitSource: Sendable {
    /// What it is.
    public enum Kind: Sendable {
        /// A field with seconds (decimals allowed) or an HTTP-date: `Retry-After` (RFC 9110 10.2.3).
        case delay(header: Text)
        /// A field with milliseconds: `Retry-After-Ms`.
        case milliseconds(header: Text)
        /// A field with a time in any dialect: seconds from now, seconds or milliseconds since 1970, an
        /// HTTP-date, what JavaScript prints for a date, or a duration such as `1m30s`.
        case reset(header: Text)
        /// The reset of what the profile's ``RateFields`` say is used up; the latest of several.
        case usedUp
        /// A time at any place, in any dialect, or in the unit that the place names.
        case at(ValuePlace)
        /// So many seconds: a cool-down that the provider documents and does not send.
        case fixed(seconds: Int)
    }

    /// What it is.
    public var kind: Kind
    /// The statuses on which it counts; elsewhere it is ignored.
    public var statuses: StatusSet
    /// What else must hold for it to count.
    public var when: ConditionSet?

    /// A source.
    public init(_ kind: Kind, on statuses: StatusSet, when: ConditionSet? = nil) {
        self.kind = kind
        self.statuses = statuses
        self.when = when
    }
}

/// Where a request carries its credential.
public enum CredentialPlace: Sendable, Hashable {
    /// The password of `Authorization: Basic` (RFC 7617); the user is empty.
    case basicPassword
    /// `Authorization: Bearer` (RFC 6750).
    case bearer
    /// The whole value of a field.
    case header(String)
    /// A query parameter.
    case query(String)

    /// Reads a place as a profile spells it: `basic`, `bearer`, `header NAME`, `query NAME`.
    ///
    /// - Throws: what is allowed.
    public init(parsing text: String) throws(InvalidSetting) {
        let words = text.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("basic", 1): self = .basicPassword
        case ("bearer", 1): self = .bearer
        case ("header", 2) where Array(words[1].utf8).span.isToken:
            guard FieldRules.mayCarryCredential(Array(words[1].utf8).span) else {
                throw InvalidSetting(
                    "is not allowed: the field belongs to the connection or to the message, or is Weir's; allowed are "
                        + "Authorization and a provider's own, such as X-API-Key")
            }
            self = .header(words[1])
        case ("query", 2):
            guard QueryParameterName.isValid(words[1]) else {
                throw InvalidSetting("is not allowed: \(QueryParameterName.rule)")
            }
            self = .query(words[1])
        default: throw InvalidSetting("is not one of: basic, bearer, header NAME, query NAME")
        }
    }
}
