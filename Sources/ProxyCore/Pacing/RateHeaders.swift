public import HTTPWire

/// Reads what a provider's fields say about its own count, in every spelling that a profile can name.
///
/// - One number per field: `X-RateLimit-Limit`, `X-RateLimit-Remaining` and their like.
/// - A list with slashes, one number for each window: `299/2990/11000`; the tightest counts.
/// - Used and allowed in one: `39/40` (`RateFields.used`).
/// - All in one (`RateFields.state`): draft-ietf-httpapi-ratelimit-headers from 08 on,
///   `"burst";r=7;t=2, "daily";r=900;t=4000` with the limits in `RateFields.policy`, and 07,
///   `limit=100, remaining=50, reset=30`.
///
/// What is malformed, negative or absurd counts as nothing said.
public struct RateHeaders: Sendable {
    private let names: RateFields
    private let limit: [[UInt8]]
    private let remaining: [[UInt8]]
    private let used: [[UInt8]]
    private let state: [[UInt8]]
    private let policy: [[UInt8]]
    private static let age = Array("age".utf8)

    /// A reader of these fields.
    public init(names: RateFields) {
        func bytes(_ texts: [Text]) -> [[UInt8]] { texts.map { Array($0.bytes) } }
        self.names = names
        limit = bytes(names.limit)
        remaining = bytes(names.remaining)
        used = bytes(names.used)
        state = bytes(names.state)
        policy = bytes(names.policy)
    }

    /// What an answer says of the provider's count; `nil` if nothing, or if the answer comes from a cache.
    public func observation(_ fields: FieldBlock) -> RateObservation? {
        let found = counts(fields)
        guard found != nil, !fields.contains(Self.age.span) else { return nil }
        return found
    }

    private func counts(_ fields: FieldBlock) -> RateObservation? {
        for name in remaining {
            let left = fields.withFirstValue(of: name.span) { RateNumbers($0) }
            guard let left, left.count > 0 else { continue }
            var allowed = RateNumbers()
            for name in limit where allowed.count == 0 {
                allowed = fields.withFirstValue(of: name.span) { RateNumbers($0) } ?? RateNumbers()
            }
            return left.tightest(of: allowed)
        }
        for name in used {
            let pair = fields.withFirstValue(of: name.span) { RateNumbers($0) }
            guard let pair, pair.count == 2 else { continue }
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

    /// When the count begins anew, in seconds from now, rounded up, at least 1; `nil` if that is not said.
    ///
    /// - Parameter wallClockSeconds: seconds since 1970, for absolute times in an answer without `Date`.
    public func resetSeconds(_ fields: FieldBlock, at wallClockSeconds: Int64) -> Int? {
        let clock = AnswerClock(fields: fields, clock: Int(wallClockSeconds))
        for name in names.reset {
            if let value = fields.text(name), let found = Self.seconds(value, clock) { return found }
        }
        for name in state {
            if let seconds = fields.withFirstValue(of: name.span, { RateState($0) })?.reset {
                return clock.reset(Text("\(seconds)"))
            }
        }
        return nil
    }

    private static func seconds(_ value: Text, _ clock: AnswerClock) -> Int? {
        clock.reset(value) ?? RateDuration.seconds(value.bytes).flatMap { clock.reset(Text("\($0)")) }
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
