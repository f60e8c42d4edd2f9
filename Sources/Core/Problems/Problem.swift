internal import Wire

/// One error as Weir reports it: RFC 9457 with additional members.
///
/// Unknown members are absent. It has many parts and one reader, so it cannot be copied.
public struct Problem: ~Copyable, Sendable {
    /// What went wrong; decides `type`, `title` and `origin`.
    public var code: ProblemCode
    /// The HTTP status that is sent.
    public var status: Int
    /// What happened; the code's own text if nothing more is known.
    public var detail: Text?
    /// The exchange's id; also the last segment of `instance`.
    public var requestID: Text
    /// The provider's name in the configuration, once the request is routed.
    public var provider: Text?
    /// Whether the same request may succeed later and repeating it is safe.
    public let isRetryable: Bool
    /// Seconds to wait, never too few; only if ``isTemporary``, since a time to wait suggests repeating the request.
    public private(set) var retryAfter: Double?
    /// Whether the cause is temporary.
    private let isTemporary: Bool
    /// Whether the side effect was performed.
    public var effect: Effect
    /// The invalid fields.
    public var fields: [FieldProblem] = []
    /// The limit that was reached.
    public var limit: QuotaLimit?
    /// The provider's response.
    public var upstream: UpstreamAnswer?
    /// How many requests were actually sent; absent if 0.
    public var attempts = 0
    /// Seconds in the queue; absent if 0.
    public var waited = 0.0
    /// The trace that the request belongs to, if it is recorded or the client named it.
    public var trace: TraceID?
    /// Whether a rule matched the provider's response.
    public var isMapped = true
    /// Members of the provider's body that its own clients read.
    public var kept: [KeptMember] = []

    /// The problem for a provider's error response.
    public init(_ error: NormalizedError, provider: Text, requestID: Text) {
        code = error.code
        status = error.status
        detail = error.detail
        self.requestID = requestID
        self.provider = provider
        isRetryable = error.isRetryable
        isTemporary = error.isTemporary
        retryAfter = isTemporary ? error.retryAfter.map(Double.init) : nil
        effect = error.effect
        fields = error.fields
        limit = error.limit
        upstream = error.upstream
        isMapped = error.isMapped
        kept = error.kept
    }

    /// A problem that Weir or the network caused.
    ///
    /// - Parameter isRepeatSafe: whether the request may be repeated even if it took effect: its method is
    ///   idempotent, or it carries an idempotency key that the provider honours.
    public init(_ fault: Fault, provider: Text?, requestID: Text, isRepeatSafe: Bool) {
        code = fault.code
        status = fault.status
        detail = fault.detail
        self.requestID = requestID
        self.provider = provider
        isTemporary = fault.isTransient
        isRetryable = isTemporary && (fault.effect == .none || isRepeatSafe)
        retryAfter = isTemporary ? fault.retryAfter : nil
        effect = fault.effect
        limit = fault.limit
    }

    /// Changes the time to wait, if the cause is temporary.
    public mutating func setRetryAfter(_ seconds: Double?) { retryAfter = isTemporary ? seconds : nil }

    /// The value of a `Retry-After` field (RFC 9110 10.2.3): `retryAfter` in whole seconds, rounded up.
    public var retryAfterField: Int? {
        guard let retryAfter, retryAfter.isFinite else { return nil }
        return Int(min(max(retryAfter, 0), 1e12).rounded(.up))
    }
}

/// Where the error arose.
public enum ProblemOrigin: String, CaseIterable, Sendable {
    /// The provider responded with an error.
    case provider
    /// There was no usable response: the network, or the provider's end of the connection, failed.
    case network
    /// Weir rejected the request, or has a defect.
    case proxy
    /// The request was malformed.
    case client
}

/// Whether the request's side effect was performed.
public enum Effect: String, CaseIterable, Sendable {
    /// Never sent, or rejected before it ran.
    case none
    /// Sent, and no response settles it.
    case unknown
    /// Performed, although the response is an error.
    case applied

    /// The effect of several attempts together: one that may have been performed is not undone by one that was not.
    public func combined(with other: Effect) -> Effect {
        if self == .applied || other == .applied { return .applied }
        return self == .unknown || other == .unknown ? .unknown : .none
    }
}

/// A member of the provider's body that is copied into the problem unchanged.
public struct KeptMember: Sendable, Hashable {
    /// The name, which is not the name of a problem's own member.
    public var name: Text
    /// The value: valid JSON in UTF-8.
    public var value: Text

    /// A member.
    public init(name: Text, value: Text) {
        self.name = name
        self.value = value
    }

    /// Writes the member, with a comma before it.
    func encode(into output: inout some ByteSink & ~Copyable) {
        output.append(0x2C)
        JSONWriter.string(name, into: &output)
        output.append(0x3A)
        output.append(value)
    }
}

/// The limit that stopped a request: a number of requests per window.
public struct QuotaLimit: Sendable, Hashable {
    /// How many requests are allowed.
    public var requests: Int
    /// The window in seconds.
    public var per: Double
    /// How many are left.
    public var remaining: Int?
    /// Which requests share it.
    public var by: LimitScope
    /// Its name, if it has one.
    public var name: String?

    /// A limit.
    public init(requests: Int, per: Double, remaining: Int?, by: LimitScope, name: String? = nil) {
        self.name = name
        self.requests = requests
        self.per = per
        self.remaining = remaining
        self.by = by
    }

    /// Writes the object `{"requests":…,"per":…,"remaining":…,"by":…}`.
    func encode(into output: inout some ByteSink & ~Copyable) {
        output.append(literal: #"{"requests":"#)
        JSONWriter.integer(requests, into: &output)
        output.append(literal: #","per":"#)
        JSONWriter.seconds(per, into: &output)
        if let remaining {
            output.append(literal: #","remaining":"#)
            JSONWriter.integer(remaining, into: &output)
        }
        output.append(literal: #","by":"#)
        JSONWriter.string(by.name, into: &output)
        if let name {
            output.append(literal: #","name":"#)
            JSONWriter.string(name, into: &output)
        }
        output.append(literal: "}")
    }
}

/// Which requests count together against a limit.
public enum LimitScope: Sendable, Hashable {
    /// Each credential has its own count.
    case credential
    /// All requests to the provider share one count.
    case provider
    /// The providers of a group share one count, as configured.
    case group
    /// Each value of a request field has its own count.
    case header(String)
    /// Each value of a query parameter has its own count.
    case query(String)
    /// Each combination of what these captures of the limit's routes stand for has its own.
    case path([String])
    /// Each entry of the limit's operations has its own.
    case operation
    /// Each value at a place of the request's JSON body has its own.
    case body(LimitPlace)
    /// Each combination of these has its own.
    indirect case combined([LimitScope])

    /// The scope as the configuration spells it: `credential`, `header X-Tenant`.
    public var name: String {
        switch self {
        case .credential: "credential"
        case .provider: "provider"
        case .group: "group"
        case .header(let name): "header \(name)"
        case .query(let name): "query \(name)"
        case .path(let captures): "path " + captures.map { "{\($0)}" }.joined(separator: " ")
        case .operation: "operation"
        case .body(let place): "body \(place.text)"
        case .combined(let parts): parts.map(\.name).joined(separator: ", ")
        }
    }

    /// What it is made of: itself, or what is combined.
    public var parts: [LimitScope] {
        if case .combined(let parts) = self { parts } else { [self] }
    }

    /// What of it is known without the request's method, path and body.
    ///
    /// What depends on nothing else counts for all requests to the provider.
    var base: LimitScope {
        let rest = parts.filter { part in
            switch part {
            case .path, .operation, .body: false
            default: true
            }
        }
        return rest.isEmpty ? .provider : rest.count == 1 ? rest[0] : .combined(rest)
    }

    /// Whether the limit's patterns say whose a request is.
    public var readsPath: Bool {
        parts.contains { part in
            switch part {
            case .path, .operation: true
            default: false
            }
        }
    }

    /// Whether the request's body says whose a request is.
    public var readsBody: Bool { parts.contains { if case .body = $0 { true } else { false } } }

    /// Reads a scope as the configuration spells it; `nil` if it is invalid, if the name of the field is not a token
    /// (RFC 9110 5.6.2), or if ``QueryParameterName`` does not allow that of the parameter.
    public init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        let isNamed = words.count == 2 && Array(words[1].utf8).span.isToken
        let isParameter = words.count == 2 && QueryParameterName.isValid(words[1])
        switch words.first {
        case "credential" where words.count == 1: self = .credential
        case "provider" where words.count == 1: self = .provider
        case "group" where words.count == 1: self = .group
        case "header" where isNamed, "header:" where isNamed: self = .header(words[1])
        case "query" where isParameter, "query:" where isParameter: self = .query(words[1])
        case "operation" where words.count == 1: self = .operation
        case "body" where words.count > 1:
            let place = String(text.drop { $0 == " " }.dropFirst(4).drop { $0 == " " })
            guard let place = try? LimitPlace(parsing: place, allowsHeader: false) else { return nil }
            self = .body(place)
        case "path" where words.count > 1:
            let captures = words.dropFirst().map { $0.dropFirst().dropLast() }
            guard zip(words.dropFirst(), captures).allSatisfy({ $0 == "{\($1)}" && !$1.isEmpty }),
                Set(captures).count == captures.count
            else { return nil }
            self = .path(captures.map(String.init))
        default: return nil
        }
    }
}
