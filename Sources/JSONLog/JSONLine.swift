/// One log line under construction.
struct JSONLine {
    /// The maximum length of a line, including its line feed.
    static let limit = 16_384
    private static let tail = ",\"truncated\":true}\n"

    var members = JSONMembers(limit: limit - tail.utf8.count, reserving: 640)

    /// - Parameter milliseconds: since 1970-01-01 UTC.
    init(milliseconds: Int64, level: String, message: String) {
        members.appendMember("time") { $0.appendTimestamp(milliseconds) }
        members.append("level", level)
        members.append("message", message)
    }

    /// The object and the line feed.
    consuming func finished() -> [UInt8] {
        members.bytes[0] = UInt8(ascii: "{")
        members.appendLiteral(members.isTruncated ? Self.tail : "}\n")
        return members.bytes
    }
}

extension JSONMembers {
    /// A time as RFC 3339 writes it: UTC, to the millisecond.
    ///
    /// - Parameter milliseconds: since 1970-01-01 UTC; clamped to the years 0 to 9999.
    mutating func appendTimestamp(_ milliseconds: Int64) {
        let milliseconds = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        // Rounded down: the millisecond of the day is never negative.
        let days = milliseconds >= 0 ? milliseconds / 86_400_000 : (milliseconds - 86_399_999) / 86_400_000
        let time = milliseconds - days * 86_400_000
        let (year, month, day) = Self.civilDate(days)
        bytes.append(addingCapacity: 26) { output in
            output.append(UInt8(ascii: "\""))
            output.append(year, unit: 1000, then: "-")
            output.append(month, unit: 10, then: "-")
            output.append(day, unit: 10, then: "T")
            output.append(time / 3_600_000, unit: 10, then: ":")
            output.append(time / 60_000 % 60, unit: 10, then: ":")
            output.append(time / 1000 % 60, unit: 10, then: ".")
            output.append(time % 1000, unit: 100, then: "Z")
            output.append(UInt8(ascii: "\""))
        }
    }

    /// The date of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
    ///
    /// The calendar repeats every 400 years or 146097 days. Years start in March here, so that the leap day is the
    /// last day of a year and a month's first day follows from its number alone.
    private static func civilDate(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // From 0000-03-01, 719468 days before 1970-01-01.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension OutputSpan<UInt8> {
    /// The digits of a number from that of `unit` down, including zeros, and the character after them.
    fileprivate mutating func append(_ number: Int64, unit: Int64, then end: Unicode.Scalar) {
        var unit = unit
        while unit > 0 {
            append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number / unit % 10))
            unit /= 10
        }
        append(UInt8(ascii: end))
    }
}
