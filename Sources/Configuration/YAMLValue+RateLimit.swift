internal import Core
internal import Yams

/// Limits, as a profile and a configuration say them.
extension YAMLValue {
    typealias LimitKey = ConfigurationReader.LimitKey

    /// A list of limits, all of which hold.
    func rateLimits(defaultScope: LimitScope) -> [RateLimit] {
        let elements = elements
        guard elements.count <= RateLimit.maximumCount else {
            report("has \(elements.count) limits; allowed: at most \(RateLimit.maximumCount)")
            return []
        }
        var limits: [RateLimit] = []
        for element in elements {
            guard let limit = element.rateLimit(defaultScope: defaultScope) else { continue }
            let scopes = Set(limits.map(\.by)).union([limit.by])
            if scopes.count > RateLimit.maximumScopes {
                element.report(
                    "is counted by \(limit.by.name), which is one more `by` than the "
                        + "\(RateLimit.maximumScopes) that a provider's limits may have")
            } else if limits.contains(where: { $0.isMerelyLooser(than: limit) }) {
                element.report("another limit has the same `per`; the smaller one is enough")
            } else {
                limits.append(limit)
            }
        }
        return limits
    }

    private func rateLimit(defaultScope: LimitScope) -> RateLimit? {
        guard isMapping else {
            _ = members(of: LimitKey.self)
            if isNull { report("must be { requests: N, per: TIME, by: … }, not nothing") }
            return nil
        }
        var draft = Draft(scope: defaultScope)
        var places: [LimitKey: YAMLValue] = [:]
        for (key, value) in members(of: LimitKey.self) {
            places[key] = value
            switch key {
            case .requests: draft.requests = value.integer(RateLimit.requestsRange)
            case .concurrent: draft.concurrent = value.integer(RateLimit.requestsRange)
            case .per: value.readPeriod(into: &draft)
            case .by: draft.scope = value.limitScope
            case .routes: draft.routes = value.patterns
            case .cost: draft.costs = value.costs
            }
        }
        if places[.concurrent] != nil {
            for key in [LimitKey.requests, .per] {
                places[key]?.report("excludes `concurrent`: a limit counts in time or at a time")
            }
        } else {
            for key in [LimitKey.requests, .per] where places[key] == nil {
                report("needs `\(key.rawValue)`")
            }
        }
        guard var limit = draft.limit else { return nil }
        (limit.routes, limit.costs) = (draft.routes, draft.costs)
        if let dear = limit.costs.first(where: { $0.slots > limit.requests }) {
            places[.cost]?.report("\(dear.slots) is more than the limit's \(limit.requests) slots")
        }
        return limit
    }

    /// A length of time, or `day` or `month`.
    private func readPeriod(into draft: inout Draft) {
        switch node.scalar?.string {
        case "day": draft.span = .day
        case "month": draft.span = .month
        default: draft.per = duration(RateLimit.perRange)
        }
    }

    /// `credential`, `provider`, `group`, `header NAME`, `query NAME`, or `{ header: NAME }`.
    private var limitScope: LimitScope? {
        if isMapping {
            let members = members(allowed: ["header", "query"])
            guard members.count == 1, let name = members[0].value.scalarText,
                let scope = LimitScope("\(members[0].name) \(name)")
            else {
                report(
                    "must name one header or query parameter, such as { header: X-Tenant }; \(QueryParameterName.rule)"
                )
                return nil
            }
            return scope
        }
        guard let text = scalarText else { return nil }
        guard let scope = LimitScope(text) else {
            report(
                "\(quoted) is not one of: credential, provider, group, header NAME, query NAME; \(QueryParameterName.rule)"
            )
            return nil
        }
        return scope
    }

    /// One or more methods with paths.
    private var patterns: [RequestPattern] {
        let values = oneOrMany
        guard values.count <= RateLimit.maximumPatterns else {
            report("has \(values.count) requests; allowed: at most \(RateLimit.maximumPatterns)")
            return []
        }
        return values.compactMap(ProfileReader.requestPattern)
    }

    /// `{ POST /bulk: 10 }`: what a request takes that is not one slot.
    private var costs: [RateLimit.Cost] {
        let members = filledMembers(allowed: nil)
        guard members.count <= RateLimit.maximumPatterns else {
            report("has \(members.count) requests; allowed: at most \(RateLimit.maximumPatterns)")
            return []
        }
        return members.compactMap { name, value in
            let pattern: RequestPattern
            do throws(InvalidSetting) {
                pattern = try RequestPattern(parsing: name)
            } catch {
                value.report("'\(Self.printable(name))' \(error.reason)")
                return nil
            }
            return value.integer(1...PacingDemand.maximumWeight).map {
                RateLimit.Cost(request: pattern, slots: $0)
            }
        }
    }

    private struct Draft {
        var requests: Int?
        var concurrent: Int?
        var per: Duration?
        var span: PacingPolicy.Window.Span?
        var scope: LimitScope?
        var routes: [RequestPattern] = []
        var costs: [RateLimit.Cost] = []

        init(scope: LimitScope) { self.scope = scope }

        var limit: RateLimit? {
            guard let scope else { return nil }
            if let concurrent { return RateLimit(requests: concurrent, counted: .concurrent, by: scope) }
            guard let requests else { return nil }
            if let span { return RateLimit(requests: requests, counted: span, by: scope) }
            return per.map { RateLimit(requests: requests, per: $0, by: scope) }
        }
    }
}

extension RateLimit {
    /// Whether one of the two limits can never be the one that holds a request back.
    fileprivate func isMerelyLooser(than other: RateLimit) -> Bool {
        by == other.by && per == other.per && span == other.span && routes == other.routes
            && costs == other.costs
    }
}
