internal import Core

/// Limits of profiles and configurations.
extension YAMLValue {
    typealias LimitKey = ConfigurationReader.LimitKey

    /// A list of limits, all of which apply.
    func rateLimits(defaultScope: LimitScope) -> [RateLimit] {
        let elements = elements
        guard elements.count <= RateLimit.maximumCount else {
            report("has \(elements.count) limits; allowed: at most \(RateLimit.maximumCount)")
            return []
        }
        var limits: [RateLimit] = []
        for element in elements {
            guard let limit = element.rateLimit(defaultScope: defaultScope) else { continue }
            let counters = Set(limits.map(\.counter)).union([limit.counter])
            if counters.count > RateLimit.maximumScopes {
                element.report(
                    "is counted by \(limit.by.name), which is one more `by` than the "
                        + "\(RateLimit.maximumScopes) that a provider's limits may have"
                        + (limit.by.readsPath ? "; other `routes` or `operations` make another" : ""))
            } else if let name = limit.name, limits.contains(where: { $0.name == name }) {
                element.report("another limit is named '\(name)'; names must be different")
            } else if limits.contains(where: { $0.isMerelyLooser(than: limit) }) {
                element.report("has the same `per` as another limit; keep only the smaller one")
            } else {
                limits.append(limit)
            }
        }
        return limits
    }

    /// Reports limits of two lists that conflict.
    func check(_ limits: [RateLimit]) {
        if limits.count > RateLimit.maximumCount {
            report(
                "has, with `limits`, \(limits.count) limits; allowed: at most \(RateLimit.maximumCount)")
        }
        let counters = Set(limits.map(\.counter)).count
        if counters > RateLimit.maximumScopes {
            report(
                "has, with `limits`, \(counters) different `by`; allowed: at most \(RateLimit.maximumScopes)")
        }
        var names: Set<String> = []
        for name in limits.compactMap(\.name) where !names.insert(name).inserted {
            report("has a limit '\(name)', as `limits` has; names must be different")
        }
    }

    private func rateLimit(defaultScope: LimitScope) -> RateLimit? {
        guard isMapping else {
            _ = members(of: LimitKey.self)
            if isNull { report("must be { requests: N, per: TIME, by: … }, not empty") }
            return nil
        }
        var draft = Draft(scope: defaultScope)
        var places: [LimitKey: YAMLValue] = [:]
        for (key, value) in members(of: LimitKey.self) {
            places[key] = value
            switch key {
            case .name: draft.name = value.limitName
            case .requests: draft.requests = value.integer(RateLimit.requestsRange)
            case .concurrent: draft.concurrent = value.integer(RateLimit.requestsRange)
            case .per: value.readPeriod(into: &draft)
            case .align: draft.alignment = value.clockAlignment
            case .by: draft.scope = value.limitScope
            case .routes: value.readRoutes(into: &draft)
            case .operations: draft.operations = value.patterns(atMost: RateLimit.maximumOperations)
            case .cost: value.readCosts(into: &draft)
            case .learn: draft.learnedFrom = value.fieldName
            case .note: draft.note = value.nonEmptyString
            }
        }
        if places[.concurrent] != nil {
            for key in [LimitKey.requests, .per, .align] {
                places[key]?.report(
                    "cannot be combined with `concurrent`: a limit counts per window or concurrently")
            }
        } else {
            for key in [LimitKey.requests, .per] where places[key] == nil {
                if key == .per, places[.align] != nil { continue }
                report("needs `\(key.rawValue)`")
            }
            if let alignment = draft.alignment, places[.per] != nil, let per = draft.length,
                per != alignment.per
            {
                places[.align]?.report(
                    "needs `per: \(Self.spell(alignment.per))`, or none: a window is as long as the unit that it begins with"
                )
            }
        }
        guard var limit = draft.limit else { return nil }
        (limit.name, limit.costs) = (draft.name, draft.costs)
        (limit.bodyCost, limit.answerCost) = (draft.bodyCost, draft.answerCost)
        (limit.learnedFrom, limit.note) = (draft.learnedFrom, draft.note)
        if limit.span == .concurrent {
            if limit.answerCost != nil {
                places[.cost]?.report(
                    "cannot be known from the response in a limit on concurrent requests, whose slots are free then"
                )
            }
        }
        if let cost = limit.answerCost, cost.reserve > limit.requests {
            places[.cost]?.report("reserves \(cost.reserve), more than the limit's \(limit.requests) slots")
        }
        (limit.routes, limit.operations) = (draft.routes, draft.operations)
        (limit.exceptions, limit.countsRest) = (draft.exceptions, draft.countsRest)
        checkPatterns(of: limit, places)
        if let dear = limit.costs.first(where: { $0.slots > limit.requests }) {
            places[.cost]?.report("\(dear.slots) is more than the limit's \(limit.requests) slots")
        }
        return limit
    }

    /// Reports patterns that do not determine the scope of a request.
    private func checkPatterns(of limit: RateLimit, _ places: [LimitKey: YAMLValue]) {
        let by = places[.by] ?? self
        for part in limit.by.parts {
            switch part {
            case .operation where places[.operations] == nil:
                by.report("counts by operation, and needs `operations`, such as [POST /chat.postMessage]")
            case .path(let captures):
                guard !limit.routes.isEmpty else {
                    if places[.routes] == nil || limit.countsRest {
                        by.report(
                            "counts by a part of the path, and needs `routes` that name it, such as '* /v0/\(captures.map { "{\($0)}" }.joined(separator: "/"))/**'"
                        )
                    }
                    continue
                }
                for name in captures where !limit.routes.allSatisfy({ $0.stepNames.contains(name) }) {
                    by.report("needs {\(name)} in each of the `routes`, such as '* /v0/{\(name)}/**'")
                }
            default: break
            }
        }
        guard let operations = places[.operations] else { return }
        if !limit.by.parts.contains(.operation) { operations.report("needs `by: operation`") }
        places[.routes]?.report("excludes `operations`, which are the requests that the limit counts")
    }

    /// A name that can appear in metrics and header fields.
    var limitName: String? {
        guard let text = nonEmptyString else { return nil }
        guard ProviderConfiguration.isValid(name: text), !text.hasPrefix(RateLimitFields.prefix) else {
            report(
                "\(quoted): the name of a limit \(InvalidSetting.name.reason), and does not begin with \(RateLimitFields.prefix)"
            )
            return nil
        }
        return text
    }

    /// Requests, `rest`, or `{ except: REQUESTS }`.
    private func readRoutes(into draft: inout Draft) {
        if isMapping {
            for (_, value) in filledMembers(allowed: ["except"]) { draft.exceptions = value.patterns }
        } else if node.text == "rest" {
            draft.countsRest = true
        } else {
            draft.routes = patterns
        }
    }

    /// A duration, or `day` or `month`.
    private func readPeriod(into draft: inout Draft) {
        switch node.text {
        case "day": draft.span = .day
        case "month": draft.span = .month
        default: draft.per = duration(RateLimit.perRange)
        }
    }

    /// `minute`, `quarter`, `hour` or `day`, and perhaps a clock: `UTC`, `+02:00`, or `+01:00/+02:00`.
    private var clockAlignment: (per: Duration, alignment: ClockAlignment)? {
        guard let text = scalarText else { return nil }
        let words = text.split(separator: " ").map(String.init)
        let units: [(name: String, per: Duration)] = [
            ("minute", .seconds(60)), ("quarter", .seconds(900)), ("hour", .seconds(3600)),
            ("day", .seconds(86_400)),
        ]
        guard let unit = units.first(where: { $0.name == words.first }), words.count <= 2 else {
            report(
                "\(quoted) is not one of: minute, quarter (of an hour), hour, day; behind it UTC (default), an offset such as +05:30, or both offsets of a zone with daylight saving time, such as -08:00/-07:00"
            )
            return nil
        }
        guard words.count == 2, words[1] != "UTC" else { return (unit.per, .utc) }
        let offsets = words[1].split(separator: "/", omittingEmptySubsequences: false).map {
            Self.clockOffset($0)
        }
        guard offsets.count <= 2, let first = offsets[0], let last = offsets[offsets.count - 1] else {
            report(
                "'\(Self.printable(words[1]))' is not UTC, an offset from -14:00 to +14:00, or two with a slash between them: a zone with daylight saving time is written with both of its offsets, such as -08:00/-07:00"
            )
            return nil
        }
        let slack = max(first, last) - min(first, last)
        guard slack <= 2 * 3600 else {
            report("'\(Self.printable(words[1]))' has offsets that differ by more than 2 hours")
            return nil
        }
        return (unit.per, ClockAlignment(offset: max(first, last), slack: slack))
    }

    /// The seconds of `+02:00`.
    private static func clockOffset(_ text: Substring) -> Int32? {
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard text.first == "+" || text.first == "-", parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hours = Int32(parts[0]), let minutes = Int32(parts[1]), minutes < 60,
            hours * 60 + minutes <= 14 * 60
        else { return nil }
        return (text.first == "-" ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    /// `credential`, `provider`, `group`, `header NAME`, `query NAME`, or `{ header: NAME }`.
    private var limitScope: LimitScope? {
        if isSequence {
            let elements = filledElements
            let parts = elements.compactMap { element -> LimitScope? in
                guard !element.isSequence else {
                    element.report("must be one of: \(Self.scopes)")
                    return nil
                }
                return element.limitScope
            }
            guard parts.count == elements.count, let first = parts.first else { return nil }
            guard Set(parts).count == parts.count, parts.count <= RateLimit.maximumScopes else {
                report("must be up to \(RateLimit.maximumScopes) different ones of: \(Self.scopes)")
                return nil
            }
            guard parts.count > 1 else { return first }
            guard !parts.contains(.group) else {
                report(
                    "must not combine `group` with others: it counts all requests of its providers together")
                return nil
            }
            return .combined(parts)
        }
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
            if text.hasPrefix("body ") {
                _ = bodyPlace
                return nil
            }
            report("\(quoted) is not one of: \(Self.scopes); \(QueryParameterName.rule)")
            return nil
        }
        return scope
    }

    private static let scopes =
        "credential, provider, group, header NAME, query NAME, path {NAME}, operation, body /PLACE; or a list of them"

    /// One or more methods with paths.
    private var patterns: [RequestPattern] { patterns(atMost: RateLimit.maximumPatterns) }

    private func patterns(atMost maximum: Int) -> [RequestPattern] {
        let values = oneOrMany
        guard values.count <= maximum else {
            report("has \(values.count) requests; allowed: at most \(maximum)")
            return []
        }
        return distinct(values, ProfileReader.requestPattern)
    }

    /// `{ POST /bulk: 10 }`, `{ at: body $.to, count: yes }` or `{ answer: /cost, reserve: 10 }`.
    private func readCosts(into draft: inout Draft) {
        guard hasKey(in: Self.costKeys) else {
            draft.costs = costs
            return
        }
        var body: LimitPlace?
        var answer: LimitPlace?
        var isCount = false
        var reserve: Int?
        var given: [String: YAMLValue] = [:]
        for (key, value) in filledMembers(allowed: Self.costKeys) {
            given[key] = value
            switch key {
            case "at": body = value.bodyPlace
            case "count": isCount = value.boolean ?? false
            case "answer": answer = value.limitPlace(allowsHeader: true)
            default: reserve = value.integer(1...PacingDemand.maximumWeight)
            }
        }
        guard (given["at"] == nil) != (given["answer"] == nil) else {
            report(
                "needs either 'at', such as { at: body $.to, count: yes }, or 'answer', such as { answer: /cost, reserve: 10 }"
            )
            return
        }
        if given["at"] == nil {
            given["count"]?.report("belongs to 'at': it counts values of the request's body")
        }
        if given["answer"] == nil {
            given["reserve"]?.report("belongs to 'answer': the cost of a request is known when it is sent")
        }
        if let body { draft.bodyCost = RateLimit.BodyCost(place: body, isCount: isCount) }
        if let answer { draft.answerCost = RateLimit.AnswerCost(place: answer, reserve: reserve ?? 1) }
    }

    private static let costKeys = ["at", "count", "answer", "reserve"]

    /// `body /pointer` or `body $.path`.
    private var bodyPlace: LimitPlace? {
        guard let text = scalarText else { return nil }
        guard text.hasPrefix("body "), case let place = String(text.dropFirst(5).drop { $0 == " " }) else {
            report("\(quoted) must be body and a place in it, such as body /count or body $.to")
            return nil
        }
        return limitPlace(place, allowsHeader: false)
    }

    private func limitPlace(allowsHeader: Bool) -> LimitPlace? {
        scalarText.flatMap { limitPlace($0, allowsHeader: allowsHeader) }
    }

    private func limitPlace(_ text: String, allowsHeader: Bool) -> LimitPlace? {
        do throws(InvalidSetting) {
            return try LimitPlace(parsing: text, allowsHeader: allowsHeader)
        } catch {
            report("'\(Self.printable(text))' \(error.reason)")
            return nil
        }
    }

    /// `{ POST /bulk: 10 }`: requests that take more than one slot.
    private var costs: [RateLimit.Cost] {
        let members = filledMembers(allowed: nil)
        guard members.count <= RateLimit.maximumPatterns else {
            report("has \(members.count) requests; allowed: at most \(RateLimit.maximumPatterns)")
            return []
        }
        var known: Set<RequestPattern> = []
        return members.compactMap { name, value in
            let pattern: RequestPattern
            do throws(InvalidSetting) {
                pattern = try RequestPattern(parsing: name)
            } catch {
                value.report("'\(Self.printable(name))' \(error.reason)")
                return nil
            }
            guard known.insert(pattern).inserted else {
                value.report("'\(Self.printable(name))' is a duplicate: the same request has a cost already")
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
        var alignment: (per: Duration, alignment: ClockAlignment)?
        var scope: LimitScope?
        var name: String?
        var routes: [RequestPattern] = []
        var exceptions: [RequestPattern] = []
        var operations: [RequestPattern] = []
        var countsRest = false
        var costs: [RateLimit.Cost] = []
        var bodyCost: RateLimit.BodyCost?
        var answerCost: RateLimit.AnswerCost?
        var learnedFrom: String?
        var note: String?

        init(scope: LimitScope) { self.scope = scope }

        /// The length of `per`; `nil` if it is wrong.
        var length: Duration? {
            switch span {
            case .day: .seconds(86_400)
            case .month: .seconds(31 * 86_400)
            default: per
            }
        }

        var limit: RateLimit? {
            guard let scope else { return nil }
            if let concurrent { return RateLimit(requests: concurrent, counted: .concurrent, by: scope) }
            guard let requests else { return nil }
            if let alignment {
                return RateLimit(
                    requests: requests, per: alignment.per, aligned: alignment.alignment, by: scope)
            }
            if let span { return RateLimit(requests: requests, counted: span, by: scope) }
            return per.map { RateLimit(requests: requests, per: $0, by: scope) }
        }
    }
}

extension RateLimit {
    /// Whether one of the two limits can never be the one that delays a request.
    fileprivate func isMerelyLooser(than other: RateLimit) -> Bool {
        per == other.per && span == other.span && costs == other.costs && by == other.by
            && bodyCost == other.bodyCost && answerCost == other.answerCost
            && learnedFrom == nil && other.learnedFrom == nil
            && routes == other.routes && exceptions == other.exceptions
            && countsRest == other.countsRest && operations == other.operations
    }
}
