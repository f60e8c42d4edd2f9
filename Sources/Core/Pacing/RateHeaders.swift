public import Wire

/// Reads what a provider's fields report about its own count, in every format that a profile can name.
///
/// - One number per field: `X-RateLimit-Limit`, `X-RateLimit-Remaining` and their like.
/// - A list with slashes, one number per window: `299/2990/11000`; the tightest counts.
/// - Several fields, one per window: `X-RateLimit-Remaining-Minute` and `-Day`. The first that is valid counts,
///   unless one with less left has a limit that is one of ours.
/// - Used and allowed in one: `39/40` (`RateFields.used`).
/// - All in one (`RateFields.state`): draft-ietf-httpapi-ratelimit-headers from 08 on,
///   `"burst";r=7;t=2, "daily";r=900;t=4000` with the limits in `RateFields.policy`, and 07,
///   `limit=100, remaining=50, reset=30`.
///
/// Malformed, negative or absurd values are ignored. An object, because it has many parts and reads every response.
public final class RateHeaders: Sendable {
    let names: RateFields
    let limits: [Int]
    let limit: [[UInt8]]
    let remaining: [[UInt8]]
    let used: [[UInt8]]
    let state: [[UInt8]]
    let policy: [[UInt8]]
    static let age = Array("age".utf8)

    /// A reader of these fields.
    ///
    /// - Parameter limits: the sizes of the limits in force, which are looked for among several windows.
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

    /// What a response reports about the provider's count; `nil` if nothing, or if the response comes from a cache.
    public func observation(_ fields: FieldBlock) -> RateObservation? {
        let found = count(fields)
        guard found != nil, !fields.contains(Self.age.span) else { return nil }
        return found?.observation
    }

    /// When the count resets, in seconds from now, rounded up, at least 1; `nil` if unknown.
    ///
    /// - Parameter wallClockSeconds: seconds since 1970, for absolute times in a response without `Date`.
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

    /// In how many seconds a window that a response reports as used up has requests again, the latest of several;
    /// `nil` if none is used up or the time is unknown.
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

    /// Whether a response reports that nothing is left of one of the windows; responses from a cache are ignored.
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
        /// Its index among the names, if it was chosen among several windows.
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

    func numbers(_ name: [UInt8], _ fields: FieldBlock) -> RateNumbers {
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
    private func quota(of state: RateState, _ fields: FieldBlock) -> Int? { quota(of: state.name, fields) }

    /// The limit that the policy calls by a name, as ``RateState/Item/name`` has it.
    func quota(of name: UInt64, _ fields: FieldBlock) -> Int? {
        for field in policy {
            let found: Int?? = fields.withFirstValue(of: field.span) { value in
                var quota: Int?
                RateState.forEachItem(in: value) { item in
                    let parsed = RateState.Item(item)
                    if quota == nil, parsed.name == name { quota = parsed.quota }
                }
                return quota
            }
            if let found, let quota = found { return quota }
        }
        return nil
    }
}

/// Up to four numbers separated by slashes: `20`, `39/40`, `300/3000/12000`.
///
/// A fraction is dropped: `0.0` and `0.9` are not whole requests. Of a list (`100, 100;w=60`) the first number
/// counts, and commas may group digits (`1,000`).
struct RateNumbers {
    private var numbers = SIMD4<Int64>(repeating: 0)
    private(set) var count = 0

    init() {}

    /// Parses `text`; no numbers if it contains anything else.
    init(_ text: Span<UInt8>) {
        var start = 0
        while start <= text.count {
            var end = start
            while end < text.count, text[end] != 0x2F { end += 1 }
            let part = text.extracting(start..<end)
            guard count < 4, let number = Self.number(part.extracting(part.trimmedRange)),
                number <= 1_000_000_000_000
            else {
                count = 0
                return
            }
            numbers[count] = number
            count += 1
            start = end + 1
        }
    }

    private static func number(_ text: Span<UInt8>) -> Int64? {
        if let number = text.decimal { return number }
        if text.count > 2, text[0] == 0x22, text[text.count - 1] == 0x22 {
            return number(text.extracting(1..<text.count - 1))
        }
        if text.count > 1, text[0] == 0x2B, text[1].isASCIIDigit {
            return number(text.extracting(1..<text.count))
        }
        var end = 0
        while end < text.count, text[end].isASCIIDigit { end += 1 }
        guard var value = text.extracting(0..<end).decimal else { return nil }
        while let group = group(in: text, at: end) {
            let (scaled, isTooLarge) = value.multipliedReportingOverflow(by: 1000)
            guard !isTooLarge, scaled <= .max - 1000 else { return nil }
            value = scaled + group
            end += 4
        }
        if end < text.count, text[end] == 0x2E {
            let point = end
            end += 1
            while end < text.count, text[end].isASCIIDigit { end += 1 }
            guard end > point + 1 else { return nil }
        }
        // Parameters, or more limits.
        guard end == text.count || text[end] == 0x3B || text[end] == 0x2C || text[end].isBlank else {
            return nil
        }
        if end < text.count, text[end].isBlank {
            while end < text.count, text[end].isBlank { end += 1 }
            guard end < text.count, text[end] == 0x3B || text[end] == 0x2C else { return nil }
        }
        return value
    }

    /// The three digits after a comma, if neither more digits nor parameters follow.
    private static func group(in text: Span<UInt8>, at start: Int) -> Int64? {
        guard start > 0, start + 3 < text.count, text[start] == 0x2C else { return nil }
        let isAtEnd = start + 4 == text.count
        guard isAtEnd || text[start + 4] == 0x2C || text[start + 4] == 0x2E else { return nil }
        return text.extracting(start + 1..<start + 4).decimal
    }

    subscript(index: Int) -> Int { Int(numbers[index]) }

    /// The smallest remainder, with the limit of the same window.
    func tightest(of limits: RateNumbers) -> RateObservation {
        var least = 0
        for index in 1..<max(count, 1) where numbers[index] < numbers[least] { least = index }
        return RateObservation(limit: least < limits.count ? limits[least] : nil, remaining: self[least])
    }
}

/// What a response's fields report about the provider's own count.
public struct RateObservation: Sendable, Hashable {
    /// The size of the provider's window, if reported.
    public var limit: Int?
    /// The requests left in it.
    public var remaining: Int

    /// An observation; negative numbers count as 0.
    public init(limit: Int?, remaining: Int) {
        self.limit = limit.map { max($0, 0) }
        self.remaining = max(remaining, 0)
    }
}

/// A duration in the formats of various providers: `1m30s`, `250ms`, `6h0m0s`, `1.5s`, `30 seconds`, `PT1M30S`.
enum RateDuration {
    /// The duration in whole seconds, rounded up; `nil` for anything else.
    ///
    /// A duration that is too long becomes the largest number.
    static func seconds(_ text: ArraySlice<UInt8>) -> Int? {
        var rest = text
        var milliseconds = 0.0
        guard !rest.isEmpty, rest.count <= 32 else { return nil }
        let isISO = rest.count > 2 && rest.first == 0x50 && rest.dropFirst().first == 0x54
        if isISO { rest = rest.dropFirst(2) }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCIIDigit || $0 == 0x2E }
            rest = rest[digits.endIndex...].drop { $0 == 0x20 }
            let unit = rest.prefix { $0.isASCIILetter }
            rest = rest[unit.endIndex...].drop { $0 == 0x20 }
            guard let number = Double(String(decoding: digits, as: UTF8.self)),
                let length = length(of: unit, isISO: isISO)
            else { return nil }
            milliseconds += number * length
        }
        let seconds = (milliseconds / 1000).rounded(.up)
        return seconds.isNaN ? nil : Int(exactly: seconds) ?? .max
    }

    private static func length(of unit: ArraySlice<UInt8>, isISO: Bool) -> Double? {
        switch String(decoding: isISO ? ArraySlice(unit.map(\.lowercasedASCII)) : unit, as: UTF8.self) {
        case "ns": 1e-6
        case "us": 1e-3
        case "ms": 1
        case "s", "sec", "secs", "second", "seconds": 1000
        case "m", "min", "mins", "minute", "minutes": 60_000
        case "h", "hour", "hours": 3_600_000
        case "d", "day", "days": 86_400_000
        default: nil
        }
    }
}
