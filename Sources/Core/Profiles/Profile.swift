internal import Wire

/// What Weir knows about one provider's API: immutable data, read from a profile file.
public struct Profile: Sendable {
    /// The name, such as `lettr`.
    public var name: String
    /// Whether the generic profile completes it.
    public var inheritsGeneric = true
    /// The base URL of the API; absent in a profile for any provider.
    public var upstream: String?
    /// What the variables of its URLs stand for where the configuration does not say, by name.
    public var variables: [String: UpstreamVariable] = [:]
    /// Further addresses of the same account.
    public var hosts: [UpstreamHost] = []
    /// Where an app's request carries the credential, in the order in which they are tried.
    public var credentialPlaces: [CredentialPlace] = []
    /// Where Weir puts a credential that it holds itself; empty for the first of ``credentialPlaces``.
    public var credentialInjections: [CredentialInjection] = []
    /// The user name that a credential is sent with as ``CredentialPlace/basicPassword``.
    public var credentialUser = ""
    /// How the provider's secrets begin, such as `lttr_`: redacted wherever a body shows one.
    public var secretPrefixes: [Text] = []
    /// The form in which errors reach the client where neither request nor configuration says so; `nil` for problems.
    public var errors: ProviderConfiguration.ErrorForm?
    /// The provider's rate limits, whatever the tier.
    public var limits: [RateLimit] = []
    /// The limits that each of the provider's tiers has besides.
    public var tiers: [ProfileTier] = []
    /// The tier of an account whose configuration names none; `nil` if it must.
    public var tier: String?
    /// The requests that a used-up quota stops; empty if unknown.
    public var quotaRequests: [RequestPattern] = []
    /// Fields that are added to a request that does not have them, such as `Accept: application/json`.
    public var requestDefaults: [(name: String, value: String)] = []
    /// Which requests the provider performs only once per key.
    public var idempotency: Idempotency?
    /// A cheap request that shows whether a credential is valid; `nil` if none is known.
    public var probe: ProfileProbe?
    /// Response fields that may contain the provider's request id, in order.
    public var requestIDFields: [Text] = []
    /// Where a response says how long to wait, in order.
    public var waits: [WaitSource] = []
    /// Where a response says whether the same request may succeed later, in order.
    public var repeats: [ValuePlace] = []
    /// The fields in which the provider reports the state of its rate limit.
    public var rateFields = RateFields()
    /// Where bodies contain message, code and fields.
    public var reading = BodyReading()
    /// Members of the body that are copied into the problem.
    public var kept: [Text] = []
    /// The meaning of messages about fields.
    public var fieldPhrases = FieldPhrases([])
    /// The rules, in order; the first one that matches decides.
    public var rules: [Rule] = []
    /// Recorded responses and the expected results.
    public var cases: [ProfileCase] = []

    /// A profile that contains only its name.
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

/// The rules of a profile, grouped by status when it is compiled: a response is compared only with rules for its
/// status.
struct RuleBook: Sendable {
    /// A rule that can be passed around without copying its many parts.
    final class Entry: Sendable {
        let rule: Rule
        let when: ConditionSet
        /// The rule's index among those of the profile, from 0; -1 for a rule outside of it.
        let index: Int

        init(_ rule: Rule, index: Int = -1) {
            self.rule = rule
            self.index = index
            when = ConditionSet(rule.when)
        }
    }

    /// For each possible status, its rules in order.
    private let byStatus: [[Entry]]

    init(_ rules: [Rule]) {
        let entries = rules.enumerated().map { Entry($0.element, index: $0.offset) }
        // Between two of these, all statuses have the same rules and share one array.
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

/// Where a provider's responses contain what, in the order in which the places are tried.
public struct BodyReading: Sendable {
    /// The human message.
    public var message: [ValuePlace] = []
    /// The provider's code.
    public var code: [ValuePlace] = []
    /// Response fields that contain the provider's code, if the body has none.
    public var codeFields: [Text] = []
    /// Field problems: the first place that yields any counts.
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

    /// Adds the places of another profile, which are tried afterwards, to the parts that inherit them.
    public mutating func inherit(_ other: BodyReading) {
        if inherited.contains(.message) { message += other.message }
        if inherited.contains(.code) { code += other.code }
        if inherited.contains(.codeHeaders) { codeFields += other.codeFields }
        if inherited.contains(.fields) { fields += other.fields }
        if inherited.contains(.requestID) { requestID += other.requestID }
    }
}

/// The detected content of a body, whatever its `Content-Type` says.
public enum BodyKind: String, CaseIterable, Sendable {
    /// Valid JSON.
    case json
    /// An HTML page.
    case html
    /// Anything else.
    case text
    /// Nothing, or only whitespace.
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

/// The names of the fields in which a provider reports the state of its rate limit; empty if it does not.
///
/// Names at the same position of ``limit``, ``remaining`` and ``reset`` refer to the same window, or are alternative
/// spellings.
public struct RateFields: Sendable, Hashable {
    /// The size of a window.
    public var limit: [Text] = []
    /// How many are left.
    public var remaining: [Text] = []
    /// When the window ends.
    public var reset: [Text] = []
    /// The used and the allowed requests of a window: `39/40`.
    public var used: [Text] = []
    /// All of it in one value: `"default";r=50;t=30`, or `limit=100, remaining=50, reset=30`.
    public var state: [Text] = []
    /// What the limits of ``state`` are: `"default";q=100;w=60`.
    public var policy: [Text] = []

    /// No fields.
    public init() {}
}

/// One place where a response may say how long to wait.
public struct WaitSource: Sendable {
    /// The kind of place.
    public enum Kind: Sendable {
        /// A field with seconds (decimals allowed) or an HTTP-date: `Retry-After` (RFC 9110 10.2.3).
        case delay(header: Text)
        /// A field with milliseconds: `Retry-After-Ms`.
        case milliseconds(header: Text)
        /// A field with a time in any format: seconds from now, seconds or milliseconds since 1970, an HTTP-date,
        /// JavaScript's format of a date, or a duration such as `1m30s`.
        case reset(header: Text)
        /// The reset of the window that the profile's ``RateFields`` report as used up; the latest of several.
        case usedUp
        /// A time at any place, in any format, or in the unit that the place names.
        case at(ValuePlace)
        /// A fixed number of seconds: a cool-down that the provider documents but does not send.
        case fixed(seconds: Int)
        /// The seconds until so many points are available at a place: those that are needed, without those that are
        /// available, divided by those that are added per second.
        case computed(need: ValuePlace, have: ValuePlace?, rate: ValuePlace)
    }

    /// The kind of place.
    public var kind: Kind
    /// The statuses for which it counts.
    public var statuses: StatusSet
    /// Further conditions for it to count.
    public var when: ConditionSet?

    /// A source.
    public init(_ kind: Kind, on statuses: StatusSet, when: ConditionSet? = nil) {
        self.kind = kind
        self.statuses = statuses
        self.when = when
    }
}

/// Where Weir puts a credential that it holds itself.
public struct CredentialInjection: Sendable, Hashable {
    /// The place.
    public var place: CredentialPlace
    /// The requests that carry it there; empty for those that no other injection names.
    public var routes: [RequestPattern]

    /// An injection.
    public init(_ place: CredentialPlace, routes: [RequestPattern] = []) {
        self.place = place
        self.routes = routes
    }
}
