public import HTTPWire

/// What an answer's fields say about the state of the rate limit; every part is absent if the provider does
/// not say it.
public struct RateReading: Sendable, Hashable {
    /// How many requests a window has.
    public var limit: Int?
    /// How many are left.
    public var remaining: Int?
    /// In how many seconds the window ends, rounded up, at least 1; absent if it has ended.
    public var resetAfter: Int?

    /// Reads the fields of any answer, an error or not.
    ///
    /// - Parameter wallClockSeconds: seconds since 1970, for absolute times in an answer without `Date`.
    public init(_ fields: FieldBlock, named names: RateFields, at wallClockSeconds: Int64) {
        let clock = AnswerClock(fields: fields, clock: Int(wallClockSeconds))
        limit = Self.first(names.limit, fields, WallClockTime.number)
        remaining = Self.first(names.remaining, fields, WallClockTime.number)
        resetAfter = Self.first(names.reset, fields, clock.reset)
    }

    private static func first(_ names: [Text], _ fields: FieldBlock, _ read: (Text) -> Int?) -> Int? {
        for name in names {
            if let value = fields.text(name).flatMap(read) { return value }
        }
        return nil
    }
}
