internal import Wire

/// A provider's limits made ready: the windows and scopes of its pacer, and what each request weighs.
public struct PacingPlan: Sendable {
    /// The limits as the pacer counts them, in the order of the configuration.
    public let windows: [PacingPolicy.Window]
    /// Whose requests count together, for each scope of the pacer.
    public let scopes: [LimitScope]
    /// The scope that a used-up quota pauses, if the profile says what uses it.
    public let quotaScope: Int?
    let limits: [RateLimit]
    private let quotaRequests: [RequestPattern]
    /// What a request weighs that no pattern is about.
    private let usual: SIMD8<UInt16>
    /// Whether any pattern has to be looked at.
    private let hasPatterns: Bool

    /// The plan of `limits`, of which at most ``RateLimit/maximumCount`` count.
    ///
    /// - Parameter quotaRequests: what uses up a quota; empty if that is not known.
    public init(limits: [RateLimit], quotaRequests: [RequestPattern] = []) {
        self.limits = Array(limits.prefix(RateLimit.maximumCount))
        self.quotaRequests = quotaRequests
        var scopes: [LimitScope] = []
        var windows: [PacingPolicy.Window] = []
        var usual = SIMD8<UInt16>(repeating: 0)
        for (index, limit) in self.limits.enumerated() {
            let scope = scopes.firstIndex(of: limit.by) ?? scopes.count
            if scope == scopes.count { scopes.append(limit.by) }
            windows.append(limit.window(scope: scope))
            if limit.routes.isEmpty { usual[index] = 1 }
        }
        if scopes.isEmpty { scopes = [.provider] }
        if quotaRequests.isEmpty {
            quotaScope = nil
        } else {
            quotaScope = scopes.count
            scopes.append(scopes[0])
        }
        precondition(scopes.count <= PacingDemand.maximumScopes, "the configuration allows fewer scopes")
        self.scopes = scopes
        self.windows = windows
        self.usual = usual
        hasPatterns =
            !quotaRequests.isEmpty || self.limits.contains { !$0.routes.isEmpty || !$0.costs.isEmpty }
    }

    /// What a request weighs in each limit, and whether it uses up the quota.
    ///
    /// - Parameter path: the provider's own, behind its base URL; a query behind it does no harm.
    public func weigh(
        method: borrowing Span<UInt8>, path: borrowing Span<UInt8>
    ) -> (weights: SIMD8<UInt16>, usesQuota: Bool) {
        guard hasPatterns else { return (usual, false) }
        var weights = usual
        for (index, limit) in limits.enumerated() {
            if !limit.routes.isEmpty, Self.first(of: limit.routes, method, path) != nil { weights[index] = 1 }
            guard weights[index] > 0 else { continue }
            for cost in limit.costs where cost.request.matches(method: method, path: path) {
                weights[index] = UInt16(clamping: min(cost.slots, limit.requests))
                break
            }
        }
        return (weights, Self.first(of: quotaRequests, method, path) != nil)
    }

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
    /// For each limit, that of `former` which counts the same requests, perhaps with other numbers; nil where
    /// there is none.
    public func origins(in former: PacingPlan) -> [Int?] {
        Self.match(limits.indices, former.limits.indices) { new, old, isExact in
            let (limit, other) = (limits[new], former.limits[old])
            return limit.by == other.by && limit.span == other.span && limit.routes == other.routes
                && windows[new].scope == former.windows[old].scope
                && (!isExact || limit.per == other.per)
        }
    }

    /// Whether requests that were counted by `former` are counted by these limits as well, so that these can
    /// take its place at once.
    ///
    /// A limit that is new can begin with what others of the same key remember. The key of another scope is not
    /// known of what is under way, nor is the end of what nobody counted at the same time. Where there was no
    /// limit nothing is known, as at a start.
    public func canFollow(_ former: PacingPlan) -> Bool {
        zip(limits, origins(in: former)).allSatisfy { limit, origin in
            origin != nil
                || (limit.span != .concurrent && (former.limits.isEmpty || limit.by == limits[0].by))
        }
    }

    /// Pairs each of `new` with one of `old`; exact pairs come first.
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
