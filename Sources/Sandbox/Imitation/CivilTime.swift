internal import Core

/// A date and time of day in UTC, in the providers' formats.
struct CivilTime: Sendable, Equatable {
    var year: Int
    var month: Int
    var day: Int
    /// 0 is Sunday.
    var weekday: Int
    var hour: Int
    var minute: Int
    var second: Int
    var millisecond: Int

    /// The date at a number of milliseconds since 1970, which must not be negative.
    init(milliseconds: Int64) {
        let total = Int(max(0, milliseconds))
        let days = total / 86_400_000
        let rest = total % 86_400_000
        (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60)
        (second, millisecond) = (rest / 1000 % 60, rest % 1000)
        weekday = (days + 4) % 7
        // Years start in March here, so that the leap day is the last day of a year.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    /// `2024-01-15T10:30:00.000Z`.
    static func iso8601(_ milliseconds: Int64) -> String {
        let time = CivilTime(milliseconds: milliseconds)
        return "\(time.date)T\(time.clock).\(padded(time.millisecond, 3))Z"
    }

    /// `2024-01-15T10:30:00+00:00`.
    static func offset8601(_ milliseconds: Int64) -> String {
        let time = CivilTime(milliseconds: milliseconds)
        return "\(time.date)T\(time.clock)+00:00"
    }

    /// The result of JavaScript's `Date.prototype.toString` in Paris: `Sat Sep 12 2026 04:07:49 GMT+0200 (Central
    /// European Summer Time)`.
    static func javaScript(_ milliseconds: Int64) -> String {
        let isSummer = isSummerInParis(CivilTime(milliseconds: milliseconds))
        let time = CivilTime(milliseconds: milliseconds + (isSummer ? 7_200_000 : 3_600_000))
        let day = "\(weekdays[time.weekday]) \(months[time.month - 1]) \(padded(time.day, 2)) \(time.year)"
        let zone =
            isSummer ? "GMT+0200 (Central European Summer Time)" : "GMT+0100 (Central European Standard Time)"
        return "\(day) \(time.clock) \(zone)"
    }

    /// Milliseconds since 1970 for `2026-06-01T09:00:00`, with or without a fraction, and with `Z`, an offset, or
    /// nothing for UTC.
    static func milliseconds(parsing text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let numbers = text.prefix(19).split { !$0.isASCII || !$0.isNumber }.map { Int($0) }
        guard bytes.count >= 19, bytes[4] == UInt8(ascii: "-"), bytes[13] == UInt8(ascii: ":"),
            numbers.count == 6,
            let year = numbers[0], let month = numbers[1], let day = numbers[2], let hour = numbers[3],
            let minute = numbers[4], let second = numbers[5], (1970...9999).contains(year),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        guard let offset = offset(text.dropFirst(19)) else { return nil }
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Int64(seconds) * 1000
    }

    private static func offset(_ text: Substring) -> Int? {
        var rest = text
        if rest.first == "." { rest = rest.dropFirst().drop { $0.isASCII && $0.isNumber } }
        if rest.isEmpty || rest == "Z" { return 0 }
        let digits = rest.dropFirst().filter { $0 != ":" }
        guard rest.first == "+" || rest.first == "-", digits.count == 4, let value = UInt16(digits) else {
            return nil
        }
        let seconds = Int(value) / 100 * 3600 + Int(value) % 100 * 60
        return rest.first == "+" ? seconds : -seconds
    }

    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    /// From the last Sunday of March to the last Sunday of October, at 01:00 UTC.
    private static func isSummerInParis(_ time: CivilTime) -> Bool {
        guard time.month == 3 || time.month == 10 else { return (4...9).contains(time.month) }
        // Both months have 31 days: the last Sunday is the last day whose week contains no other Sunday of the month.
        let lastSunday = 31 - (time.weekday + 31 - time.day) % 7
        let isPast = time.day > lastSunday || (time.day == lastSunday && time.hour >= 1)
        return isPast == (time.month == 3)
    }

    private var date: String { "\(year)-\(Self.padded(month, 2))-\(Self.padded(day, 2))" }
    private var clock: String { [hour, minute, second].map { Self.padded($0, 2) }.joined(separator: ":") }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let text = "\(value)"
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

/// A point in time on two clocks: one for measuring, one for display.
struct Moment: Sendable, Hashable {
    /// For windows and delays.
    var monotonic: MonotonicTime
    /// Milliseconds since 1970-01-01T00:00:00Z, for display.
    var wall: Int64

    /// The wall clock after `duration`, in whole seconds since 1970, rounded up.
    func epochSeconds(after duration: Duration) -> Int64 {
        (wallMilliseconds(after: duration) + 999) / 1000
    }

    /// The wall clock after `duration`, in milliseconds since 1970.
    func wallMilliseconds(after duration: Duration) -> Int64 {
        wall + (duration.wholeNanoseconds + 999_999) / 1_000_000
    }
}
