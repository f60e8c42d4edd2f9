public import Wire

/// Reads what a provider's fields say about its own count, in every spelling that a profile can name.
///
/// - One number per field: `X-RateLimit-Limit`, `X-RateLimit-Remaining` and their like.
/// - A list with slashes, one number for each window: `299/2990/11000`; the tightest counts.
/// - Several fields, one for each window: `X-RateLimit-Remaining-Minute` and `-Day`. The first that says something counts, but for
///   one with less left whose limit is one of ours.
/// - Used and allowed in one: `39/40` (`RateFields.used`).
/// - All in one (`RateFields.state`): draft-ietf-httpapi-ratelimit-headers from 08 on,
///   `"burst";r=7;t=2, "daily";r=900;t=4000` with the limits in `RateFields.policy`, and 07,
///   `limit=100, remaining=50, reset=30`.
///
/// What is malformed, negative or absurd counts as nothing said. An object, because it has many parts and each answer is read by it.
public final class RateHeaders: Sendable {
    private let names: RateFields
    private let limits: [Int]
    private let limit: [[UInt8]]
    private let remaining: [[UInt8]]
    private let used: [[UInt8]]
    private let state: [[UInt8]]
    private let policy: [[UInt8]]
    private static let age = Array("age".utf8)

    /// A reader of these fields.
    ///
    /// - Parameter limits: how many requests the limits in force have: of several windows those are looked for.
    public init(names: RateFields, limits: [Int] = []) {
        func bytes(_ texts: [Text]) -> [[UInt8]] { texts.map { Array($0.bytes) } }
        self.names = names
        self.limits = limits
        limit = bytes(names.limit)
        remaining = bytes(names.remaining)
        used = bytes(names.used)
        state = bytes(names.state)
        policy = bytes(names.policy)
    }

    /// What an answer says of the provider's count; `nil` if nothing, or if the answer comes from a cache.
    public func observation(_ fields: FieldBlock) -> RateObservation? {
        let found = count(fields)
        guard found != nil, !fields.contains(Self.age.span) else { return nil }
        return found?.observation
    }

    /// When the count begins anew, in seconds from now, rounded up, at least 1; `nil` if that is not said.
    ///
    /// - Parameter wallClockSeconds: seconds since 1970, for absolute times in an answer without `Date`.
    public func resetSeconds(_ fields: FieldBlock, at wallClockSeconds: Int64) -> Int? {
        let clock = AnswerClock(fields: fields, clock: Int(wallClockSeconds))
        if let window = count(fields)?.window {
            return window < names.reset.count ? fields.greatest(names.reset[window], clock.reset) : nil
        }
        for name in names.reset {
            if let found = fields.greatest(name, clock.reset) { return found }
        }
        for name in state {
            if let seconds = fields.withFirstValue(of: name.span, { RateState($0) })?.reset {
                return AnswerClock.bounded(seconds)
            }
        }
        return nil
    }

    /// In how many seconds there is something again of what an answer says is used up, the latest of several; `nil` if
    /// nothing is, or that is not said.
    func usedUpSeconds(_ clock: AnswerClock) -> Int? {
        let fields = clock.fields
        var latest: Int?
        for (name, reset) in zip(remaining, names.reset) {
            let left = fields.withFirstValue(of: name.span) { RateNumbers($0) }
            guard let left, left.count > 0, left.tightest(of: RateNumbers()).remaining == 0,
                let seconds = fields.greatest(reset, clock.reset)
            else { continue }
            latest = max(latest ?? seconds, seconds)
        }
        for name in names.state {
            let found = fields.greatest(name) { value in
                let state = RateState(value.bytes.span)
                return (state.remaining ?? 0) == 0 ? state.reset.map(AnswerClock.bounded) : nil
            }
            if let found { latest = max(latest ?? found, found) }
        }
        return latest
    }

    /// Whether an answer says that nothing is left of one of the windows; what comes from a cache says nothing.
    func saysUsedUp(_ fields: FieldBlock) -> Bool {
        guard !fields.contains(Self.age.span) else { return false }
        for name in remaining {
            let left = numbers(name, fields)
            if left.count > 0, left.tightest(of: RateNumbers()).remaining == 0 { return true }
        }
        for name in used {
            let pair = numbers(name, fields)
            if pair.count == 2, pair[0] >= pair[1] { return true }
        }
        return state.contains { name in
            let left: Int?? = fields.withFirstValue(of: name.span) { RateState($0).remaining }
            return left == .some(.some(0))
        }
    }

    // MARK: Counts

    private struct Count {
        var observation: RateObservation
        /// Its place among the names, if it was chosen among several windows.
        var window: Int?
    }

    private func count(_ fields: FieldBlock) -> Count? {
        let first = firstCount(fields)
        let isOurs = first.map { $0.limit.map(limits.contains) ?? true } ?? false
        if isOurs, limits.count < 2 || remaining.count < 2 { return first.map { Count(observation: $0) } }
        var least = isOurs ? first : nil
        var window: Int?
        for index in remaining.indices where index < limit.count && !limits.isEmpty {
            let left = numbers(remaining[index], fields)
            guard left.count > 0 else { continue }
            let allowed = numbers(limit[index], fields)
            for place in 0..<min(left.count, allowed.count)
            where limits.contains(allowed[place]) && left[place] < least?.remaining ?? .max {
                (least, window) = (RateObservation(limit: allowed[place], remaining: left[place]), index)
            }
        }
        return (least ?? first).map { Count(observation: $0, window: window) }
    }

    private func numbers(_ name: [UInt8], _ fields: FieldBlock) -> RateNumbers {
        fields.withFirstValue(of: name.span) { RateNumbers($0) } ?? RateNumbers()
    }

    private func firstCount(_ fields: FieldBlock) -> RateObservation? {
        for index in remaining.indices {
            let left = numbers(remaining[index], fields)
            guard left.count > 0 else { continue }
            var allowed = RateNumbers()
            if index < limit.count {
                allowed = numbers(limit[index], fields)
            } else {
                for name in limit where allowed.count == 0 { allowed = numbers(name, fields) }
            }
            return left.tightest(of: allowed)
        }
        for name in used {
            let pair = numbers(name, fields)
            guard pair.count == 2 else { continue }
            return RateObservation(limit: pair[1], remaining: pair[1] - pair[0])
        }
        for name in state {
            if let state = fields.withFirstValue(of: name.span, { RateState($0) }), let left = state.remaining
            {
                return RateObservation(limit: state.limit ?? quota(of: state, fields), remaining: left)
            }
        }
        return nil
    }

    /// The limit of the same name in the policy.
    private func quota(of state: RateState, _ fields: FieldBlock) -> Int? {
        for name in policy {
            let found: Int?? = fields.withFirstValue(of: name.span) { value in
                var quota: Int?
                RateState.forEachItem(in: value) { item in
                    let parsed = RateState.Item(item)
                    if quota == nil, parsed.name == state.name { quota = parsed.quota }
                }
                return quota
            }
            if let found, let quota = found { return quota }
        }
        return nil
    }
}
