/// A rate limit of a provider, as in its profile or the configuration.
public struct RateLimit: Sendable, Hashable {
    /// Requests that take more than one slot.
    public struct Cost: Sendable, Hashable {
        /// The requests.
        public var request: RequestPattern
        /// The number of slots that each takes: 1 to 10,000, at most those of the limit.
        public var slots: Int

        /// A cost.
        public init(request: RequestPattern, slots: Int) {
            self.request = request
            self.slots = slots
        }
    }

    /// The slots that a request takes as its own JSON body says.
    public struct BodyCost: Sendable, Hashable {
        /// Where the body says it.
        public var place: LimitPlace
        /// Whether the values there are counted, instead of read as a number.
        public var isCount: Bool

        /// A cost.
        public init(place: LimitPlace, isCount: Bool) {
            self.place = place
            self.isCount = isCount
        }
    }

    /// The slots that a request takes as only its response says.
    public struct AnswerCost: Sendable, Hashable {
        /// Where the response says it.
        public var place: LimitPlace
        /// The slots that are taken when it is sent, and kept if the response does not say anything: 1 to 10,000.
        public var reserve: Int

        /// A cost.
        public init(place: LimitPlace, reserve: Int) {
            self.place = place
            self.reserve = reserve
        }
    }

    /// Its name in the rules of a profile, problems and pages; unique among the limits of a provider.
    public var name: String?
    /// The number of requests per window, or of concurrent requests: 1 to 10,000,000.
    public var requests: Int
    /// The length of a window: 1 ms to 31 days; zero for concurrent requests.
    public var per: Duration
    /// How requests are counted.
    public var span: PacingPolicy.Window.Span
    /// Which requests count together.
    public var by: LimitScope
    /// The requests that count; empty: all.
    public var routes: [RequestPattern] = []
    /// Requests that do not count.
    public var exceptions: [RequestPattern] = []
    /// Whether it counts the requests that no other limit names in ``routes`` or ``operations``, instead of
    /// ``routes``.
    public var countsRest = false
    /// For a limit by operation: the requests that count, with a separate count per entry, instead of ``routes``.
    public var operations: [RequestPattern] = []
    /// Requests that take more than one slot; the first that matches decides.
    public var costs: [Cost] = []
    /// What a request takes as its body says, unless ``costs`` does.
    public var bodyCost: BodyCost?
    /// What a request takes as its response says.
    public var answerCost: AnswerCost?
    /// The response field with the number of requests that the provider allows; until one has it, ``requests`` counts.
    public var learnedFrom: String?
    /// Why it is not exact, for people.
    public var note: String?

    /// The values of ``requests`` that a configuration may have.
    public static let requestsRange = 1...10_000_000
    /// The values of ``per`` that a configuration may have.
    public static let perRange: ClosedRange<Duration> = .milliseconds(1) ... .seconds(31 * 86400)
    /// The maximum number of limits per provider.
    public static let maximumCount = PacingDemand.maximumLimits
    /// The maximum number of different ``by`` of a provider's limits.
    public static let maximumScopes = PacingDemand.maximumScopes - 1
    /// The maximum number of patterns in ``routes``, ``exceptions`` and ``costs``.
    public static let maximumPatterns = 64
    /// The maximum number of patterns in ``operations``.
    public static let maximumOperations = 512

    /// A limit of a number of requests per window.
    public init(requests: Int, per: Duration, by: LimitScope) {
        self.requests = requests
        self.per = per
        self.by = by
        span = .rolling
    }

    /// A limit of a number of requests per day or month, or of concurrent requests.
    public init(requests: Int, counted span: PacingPolicy.Window.Span, by: LimitScope) {
        self.requests = requests
        self.by = by
        self.span = span
        per = PacingPolicy.Window(requests: requests, counted: span).per
    }

    /// A limit of a number of requests in each window of `per` that begins at a multiple of it on the provider's clock.
    public init(requests: Int, per: Duration, aligned alignment: ClockAlignment, by: LimitScope) {
        self.requests = requests
        self.per = per
        self.by = by
        span = .aligned(alignment)
    }

    /// The limit in the pacer's form.
    public func window(scope: Int) -> PacingPolicy.Window {
        switch span {
        case .rolling: PacingPolicy.Window(requests: requests, per: per, scope: scope)
        case .aligned(let alignment):
            PacingPolicy.Window(requests: requests, per: per, aligned: alignment, scope: scope)
        case .day, .month, .concurrent:
            PacingPolicy.Window(requests: requests, counted: span, scope: scope)
        }
    }

    /// The limit as a member of a problem.
    public func quota(remaining: Int?) -> QuotaLimit {
        let parts = per.components
        let seconds = Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
        return QuotaLimit(requests: requests, per: seconds, remaining: remaining, by: by, name: name)
    }

    /// What determines which requests the limit counts together.
    public struct Counter: Sendable, Hashable {
        /// The scope.
        public let by: LimitScope
        /// The patterns that determine it; empty if the path does not matter.
        public let patterns: [RequestPattern]
    }

    /// What determines which requests the limit counts together: limits with an equal value share their keys.
    public var counter: Counter { Counter(by: by, patterns: by.readsPath ? named : []) }

    /// The requests that it counts, if patterns determine them; empty for all requests and for the rest.
    public var named: [RequestPattern] { operations.isEmpty ? routes : operations }

    /// Whether it counts the same requests with the same keys as `other`, perhaps with other numbers.
    func counts(as other: RateLimit) -> Bool {
        by == other.by && routes == other.routes && exceptions == other.exceptions
            && countsRest == other.countsRest && operations == other.operations
    }
}

extension Array where Element == RateLimit {
    /// The limits that apply to a request, in their order.
    func counting(method: Text, path: Text) -> [RateLimit] {
        func matches(_ patterns: [RequestPattern]) -> Bool {
            patterns.contains { $0.matches(method: method, path: path) }
        }
        let isNamed = contains { matches($0.named) && !matches($0.exceptions) }
        return filter { limit in
            guard !matches(limit.exceptions) else { return false }
            if limit.countsRest { return !isNamed }
            return limit.named.isEmpty || matches(limit.named)
        }
    }
}

extension RateLimit {
    /// The share of this limit of one of `replicas` instances, so that all together never exceed it; `nil` if that is
    /// less than one request.
    ///
    /// Fewer requests in a longer window would not work: independent instances may all use theirs at the same moment.
    public func share(of replicas: Int) -> RateLimit? {
        let requests = requests / max(replicas, 1)
        guard requests >= 1 else { return nil }
        var share = self
        share.requests = requests
        return share
    }
}

extension ProxyConfiguration {
    /// The limits that this instance applies by itself: its share, or the whole limit if instances share a ledger.
    public func ownLimits(of provider: ProviderConfiguration) -> [RateLimit] {
        guard ledger == nil, replicas > 1 else { return provider.limits }
        // A limit that cannot be shared is a configuration error; if one got here, too little would be sent, never
        // too much.
        return provider.limits.map { limit in limit.share(of: replicas) ?? limit }
    }
}

extension RateLimit {
    /// Why it cannot be exact, in sentences for people; empty if it is.
    public var notes: [String] {
        var notes: [String] = []
        if let note { notes.append(note) }
        if let learnedFrom {
            notes.append(
                "the number is read from the response field \(learnedFrom); until a response has it, \(requests) counts"
            )
        }
        if let answerCost {
            notes.append(
                "the cost of a request is known from its response (\(answerCost.place.text)); \(answerCost.reserve) slots are reserved, and dearer requests may exceed the limit"
            )
        }
        if let bodyCost {
            notes.append(
                "the cost is read from the body (\(bodyCost.place.text)); a request whose body is not JSON, longer than 64 KiB or of unknown length takes 1 slot"
            )
        }
        if by.readsBody {
            notes.append(
                "counted by the body; requests without the value, or whose body is not JSON, longer than 64 KiB or of unknown length, share one count"
            )
        }
        return notes
    }
}
