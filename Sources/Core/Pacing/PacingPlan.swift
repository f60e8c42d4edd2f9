public import Wire

/// A provider's limits, precomputed: the windows and scopes of its pacer, and the cost of each request.
public struct PacingPlan: Sendable {
    /// The limits in the pacer's format, in the order of the configuration.
    public let windows: [PacingPolicy.Window]
    /// Which requests count together, for each scope of the pacer.
    public let scopes: [LimitScope]
    /// The same with the patterns that determine it.
    public let counters: [RateLimit.Counter]
    /// The scope that a used-up quota pauses, if the profile names the requests that use it.
    public let quotaScope: Int?
    /// Whether each key is paced by what responses say, since there are no limits.
    public let learns: Bool
    /// The names of the limits.
    public let names: [String?]
    /// Whether the method and path of a request affect its keys: see ``marks(method:path:digest:)``.
    public let readsPath: Bool
    /// Whether the body of a request affects its keys or its cost: see ``read(body:keys:weights:digest:)``.
    public let readsBody: Bool
    /// Whether responses say what requests cost: see ``costs(of:fields:)``.
    public let readsAnswerCosts: Bool
    /// Whether one is in their bodies.
    public let readsCostsInAnswerBodies: Bool
    /// Whether responses say how many requests are allowed: see ``capacities(fields:share:)``.
    public let learnsCapacities: Bool
    let limits: [RateLimit]
    private let quotaRequests: [RequestPattern]
    /// The cost of a request that matches no pattern.
    private let usual: SIMD8<UInt16>
    /// Whether any pattern must be checked.
    private let hasPatterns: Bool
    /// Whether any limit counts the requests that no other limit names.
    private let hasRest: Bool

    /// The plan of `limits`, of which at most ``RateLimit/maximumCount`` are used.
    ///
    /// - Parameters:
    ///   - quotaRequests: the requests that use up a quota; empty if unknown.
    ///   - learns: whether a key is paced by what responses say; without limits alone.
    public init(limits: [RateLimit], quotaRequests: [RequestPattern] = [], learns: Bool = false) {
        self.learns = learns && limits.isEmpty
        self.limits = Array(limits.prefix(RateLimit.maximumCount))
        self.quotaRequests = quotaRequests
        names = self.limits.map(\.name)
        hasRest = self.limits.contains(where: \.countsRest)
        var counters: [RateLimit.Counter] = []
        var windows: [PacingPolicy.Window] = []
        var usual = SIMD8<UInt16>(repeating: 0)
        for (index, limit) in self.limits.enumerated() {
            let scope = counters.firstIndex(of: limit.counter) ?? counters.count
            if scope == counters.count { counters.append(limit.counter) }
            windows.append(limit.window(scope: scope))
            if limit.named.isEmpty, !limit.countsRest { usual[index] = 1 }
        }
        if counters.isEmpty {
            counters = [RateLimit.Counter(by: self.learns ? .credential : .provider, patterns: [])]
        }
        if quotaRequests.isEmpty {
            quotaScope = nil
        } else {
            quotaScope = counters.count
            counters.append(counters[0])
        }
        precondition(counters.count <= PacingDemand.maximumScopes, "the configuration allows fewer scopes")
        self.counters = counters
        scopes = counters.map(\.by)
        readsPath = scopes.contains(where: \.readsPath)
        readsBody = scopes.contains(where: \.readsBody) || self.limits.contains { $0.bodyCost != nil }
        readsAnswerCosts = self.limits.contains { $0.answerCost != nil }
        readsCostsInAnswerBodies = self.limits.contains { $0.answerCost?.place.isInBody == true }
        learnsCapacities = self.limits.contains { $0.learnedFrom != nil }
        self.windows = windows
        self.usual = usual
        hasPatterns =
            !quotaRequests.isEmpty || hasRest
            || self.limits.contains {
                !$0.named.isEmpty || !$0.exceptions.isEmpty || !$0.costs.isEmpty || $0.answerCost != nil
            }
    }

    /// The cost of a request under each limit, and whether it uses the quota.
    ///
    /// - Parameter path: the provider's path after the base URL; a query is ignored.
    public func weigh(
        method: borrowing Span<UInt8>, path: borrowing Span<UInt8>
    ) -> (weights: SIMD8<UInt16>, usesQuota: Bool) {
        guard hasPatterns else { return (usual, false) }
        var weights = usual
        var isNamed = false
        for (index, limit) in limits.enumerated() {
            let isListed = !limit.named.isEmpty && Self.first(of: limit.named, method, path) != nil
            if isListed { weights[index] = 1 }
            if !limit.exceptions.isEmpty, Self.first(of: limit.exceptions, method, path) != nil {
                weights[index] = 0
            } else if isListed {
                isNamed = true
            }
        }
        for (index, limit) in limits.enumerated() {
            if limit.countsRest, !isNamed,
                limit.exceptions.isEmpty || Self.first(of: limit.exceptions, method, path) == nil
            {
                weights[index] = 1
            }
            guard weights[index] > 0 else { continue }
            if let cost = limit.answerCost { weights[index] = limit.weight(cost.reserve) }
            for cost in limit.costs where cost.request.matches(method: method, path: path) {
                weights[index] = limit.weight(cost.slots)
                break
            }
        }
        return (weights, Self.first(of: quotaRequests, method, path) != nil)
    }

    /// What the method and path of a request add to its keys: the values of its captures, or its index among the
    /// operations.
    ///
    /// - Parameter digest: the one used for the keys.
    public func marks(
        method: borrowing Span<UInt8>, path: borrowing Span<UInt8>, digest: LedgerDigest? = nil
    ) -> SIMD4<UInt64> {
        var marks = SIMD4<UInt64>(repeating: 0)
        for (scope, counter) in counters.enumerated() where !counter.patterns.isEmpty {
            guard let place = Self.first(of: counter.patterns, method, path) else { continue }
            for part in counter.by.parts {
                switch part {
                case .operation: marks[scope] = LedgerKey.mix(marks[scope], UInt64(place) + 1)
                case .path(let captures):
                    for name in captures {
                        guard let step = counter.patterns[place].index(ofStep: name),
                            let range = RequestPattern.range(ofStep: step, in: path)
                        else { continue }
                        var text: [UInt8] = []
                        text.append(path.extracting(range))
                        marks[scope] = LedgerKey.mix(
                            marks[scope], LedgerKey(hashing: text, digest: digest).hash)
                    }
                default: break
                }
            }
        }
        return marks
    }

    /// Adds what the body of a request says to its keys and its cost.
    ///
    /// - Parameters:
    ///   - body: the whole body; `nil` if it is not known.
    ///   - weights: as ``weigh(method:path:)`` returned them.
    ///   - digest: the one used for the keys.
    public func read(
        body: [UInt8]?, keys: inout SIMD4<UInt64>, weights: inout SIMD8<UInt16>, digest: LedgerDigest? = nil
    ) {
        guard let json = body.flatMap({ JSONDocument($0) }) else { return }
        for (scope, counter) in counters.enumerated() where counter.by.readsBody {
            guard windows.indices.contains(where: { windows[$0].scope == scope && weights[$0] > 0 }) else {
                continue
            }
            for case .body(let place) in counter.by.parts {
                guard let text = place.text(in: json) else { continue }
                keys[scope] = LedgerKey.mix(
                    keys[scope], LedgerKey(hashing: Array(text.bytes), digest: digest).hash)
            }
        }
        for (index, limit) in limits.enumerated() where weights[index] == 1 {
            guard let cost = limit.bodyCost else { continue }
            let slots = cost.isCount ? cost.place.count(in: json) : cost.place.number(in: json) ?? 1
            weights[index] = limit.weight(max(slots, 1))
        }
    }

    /// What a response says that its request cost, for each limit; `UInt16.max` if it does not.
    public func costs(of answer: ProviderAnswer?, fields: FieldBlock) -> SIMD8<UInt16> {
        var costs = SIMD8<UInt16>(repeating: .max)
        let json = readsCostsInAnswerBodies ? answer.flatMap { JSONDocument($0.body) } : nil
        for (index, limit) in limits.enumerated() {
            guard let place = limit.answerCost?.place, place.isInBody == (answer != nil),
                let number = place.number(in: json, fields: fields)
            else { continue }
            costs[index] = limit.weight(number)
        }
        return costs
    }

    /// How many requests a response says that each limit allows this instance; 0 if it does not.
    ///
    /// - Parameter share: how many instances use the same key.
    public func capacities(fields: FieldBlock, share: Int = 1) -> SIMD8<Int32> {
        var capacities = SIMD8<Int32>(repeating: 0)
        guard !fields.contains(Self.age.span) else { return capacities }
        for (index, limit) in limits.enumerated() {
            guard let name = limit.learnedFrom, let text = fields.text(Text(name)) else { continue }
            // `100;w=60` and `100, 100;window=60` begin with the number.
            let digits = text.bytes.drop { $0 == 0x20 }.prefix { $0.isASCIIDigit }
            guard let number = WallClockTime.decimal(digits), RateLimit.requestsRange.contains(number) else {
                continue
            }
            capacities[index] = Int32(max(number / max(share, 1), 1))
        }
        return capacities
    }

    /// Why limits are not exact, each with the index of its limit.
    public var notes: [(limit: Int, text: String)] {
        limits.enumerated().flatMap { index, limit in limit.notes.map { (index, $0) } }
    }

    private static let age = Array("age".utf8)

    /// The index of the limit with this name; `nil` if there is none.
    public func limit(named name: String) -> Int? { names.firstIndex(of: name) }

    private static func first(
        of patterns: [RequestPattern], _ method: borrowing Span<UInt8>, _ path: borrowing Span<UInt8>
    ) -> Int? {
        for (index, pattern) in patterns.enumerated() where pattern.matches(method: method, path: path) {
            return index
        }
        return nil
    }
}

extension PacingPlan {
    /// For each limit, the one of `former` that counts the same requests, perhaps with other numbers; nil if there is
    /// none.
    public func origins(in former: PacingPlan) -> [Int?] {
        Self.match(limits.indices, former.limits.indices) { new, old, isExact in
            let (limit, other) = (limits[new], former.limits[old])
            return limit.counts(as: other) && limit.span == other.span
                && windows[new].scope == former.windows[old].scope
                && (!isExact || limit.per == other.per)
        }
    }

    /// Whether every request counted by `former` is also counted by these limits, so that they can replace them at
    /// once.
    ///
    /// A new limit can start with what other limits of the same key remember. For a request in flight, the key of
    /// another scope is unknown, and so is its end if no limit on concurrent requests counted it. Without any former
    /// limit nothing is known, as after a start.
    public func canFollow(_ former: PacingPlan) -> Bool {
        zip(limits, origins(in: former)).allSatisfy { limit, origin in
            origin != nil
                || (limit.span != .concurrent
                    && (former.limits.isEmpty || limit.counter == limits[0].counter))
        }
    }

    /// Pairs each of `new` with one of `old`; exact matches come first.
    static func match(
        _ new: Range<Int>, _ old: Range<Int>, _ isPair: (_ new: Int, _ old: Int, _ isExact: Bool) -> Bool
    ) -> [Int?] {
        var left = Array(old)
        var pairs = [Int?](repeating: nil, count: new.count)
        for isExact in [true, false] {
            for index in new where pairs[index] == nil {
                guard let place = left.firstIndex(where: { isPair(index, $0, isExact) }) else { continue }
                pairs[index] = left.remove(at: place)
            }
        }
        return pairs
    }
}

extension RateLimit {
    /// A cost as the pacer counts it: at most the whole limit.
    fileprivate func weight(_ slots: Int) -> UInt16 {
        UInt16(clamping: min(slots, requests, PacingDemand.maximumWeight))
    }
}
