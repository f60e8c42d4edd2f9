public import Wire

/// The windows of a limit that begin at fixed times of the provider's clock: each minute, hour or day.
public struct ClockAlignment: Sendable, Hashable {
    /// How far the clock is ahead of UTC, in seconds: -50,400 to 50,400; with ``slack``, the larger of two values.
    public let offset: Int32
    /// How many seconds less ahead it is in the other half of the year; 0 without daylight saving time.
    public let slack: Int32

    /// An alignment; values out of range are clamped.
    public init(offset: Int32, slack: Int32 = 0) {
        self.offset = min(max(offset, -50_400), 50_400)
        self.slack = min(max(slack, 0), 100_800)
    }

    /// UTC.
    public static let utc = ClockAlignment(offset: 0)

    /// The beginning of the next window of `length` after a time, both in nanoseconds; times are since 1970.
    ///
    /// With two offsets, the later of the two possible ends of the window that contains the time.
    func beginning(after time: Int64, every length: Int64) -> Int64 {
        let ahead = Int64(offset) * 1_000_000_000
        return UTCCalendar.next(after: time.saturatingSum(ahead), every: length)
            .saturatingSum(Int64(slack) * 1_000_000_000 - ahead)
    }
}

/// What is known of a provider's clock: the bounds of its difference from our monotonic time.
///
/// A response was created between the sending of its request and its first byte, in the second that its `Date` names
/// (RFC 9110 6.6.1). So each response bounds the difference, and several bound it more narrowly.
struct ProviderClock: Hashable {
    /// How long bounds are kept: clocks drift, and are set.
    private static let lifetime: Int64 = 600_000_000_000
    /// How much the clock that counts may differ from the one that writes `Date`.
    private static let margin: Int64 = 1_000_000_000
    /// Later dates are mistakes: as nanoseconds they would not fit.
    private static let latestDate: Int64 = 9_000_000_000

    /// The least and the greatest possible difference, in nanoseconds.
    private var least: Int64
    private var greatest: Int64
    private let since: MonotonicTime

    /// The bounds of one response, whose `date` is in seconds since 1970; `nil` if the date is impossible.
    init?(date: Int64, sent: MonotonicTime, heard: MonotonicTime) {
        guard (0..<Self.latestDate).contains(date) else { return nil }
        let time = date * 1_000_000_000
        least = Self.difference(time, heard.nanoseconds)
        greatest = Self.difference(time + 1_000_000_000, sent.nanoseconds)
        since = heard
    }

    /// Adds the bounds of another response.
    ///
    /// Bounds that exclude each other are those of different clocks, or a date is stale: both count then.
    mutating func take(_ other: ProviderClock) {
        guard since.nanoseconds(to: other.since) < Self.lifetime else {
            self = other
            return
        }
        if max(least, other.least) <= min(greatest, other.greatest) {
            (least, greatest) = (max(least, other.least), min(greatest, other.greatest))
        } else {
            (least, greatest) = (min(least, other.least), max(greatest, other.greatest))
        }
    }

    private static func difference(_ time: Int64, _ other: Int64) -> Int64 {
        let (difference, overflow) = time.subtractingReportingOverflow(other)
        return overflow ? (time < other ? .min : .max) : difference
    }

    /// When the window has certainly ended that counted a request before `time`.
    func end(after time: MonotonicTime, _ alignment: ClockAlignment, every length: Int64) -> MonotonicTime {
        let latest = time.nanoseconds.saturatingSum(greatest).saturatingSum(Self.margin)
        let next = alignment.beginning(after: latest, every: length)
        return MonotonicTime(nanoseconds: Self.difference(next, least).saturatingSum(Self.margin))
    }
}

/// Reads the `Date` of responses.
public enum ProviderDate {
    private static let name: Text = "Date"
    private static let age = Array("age".utf8)

    /// Seconds since 1970; `nil` without a valid date, or if the response comes from a cache.
    public static func seconds(in fields: FieldBlock) -> Int64? {
        guard !fields.contains(age.span), let text = fields.text(name) else { return nil }
        return WallClockTime.date(text).map { Int64($0) }
    }
}
