internal import Wire

/// Parses the formats of points in time that providers use, as seconds since 1970.
enum WallClockTime {
    /// A number without a sign, fractions rounded up; `nil` for anything else.
    ///
    /// A number that is too large becomes the largest one.
    static func number(_ text: Text) -> Int? {
        var value = 0
        var digits = 0
        var bytes = text.bytes
        while let byte = bytes.first, byte.isASCIIDigit {
            digits += 1
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(Int(byte - 0x30))
            value = overflow || carry || value == .max ? .max : sum
            bytes.removeFirst()
        }
        guard digits > 0 else { return nil }
        guard let point = bytes.popFirst() else { return value }
        guard point == 0x2E, !bytes.isEmpty, bytes.allSatisfy(\.isASCIIDigit) else { return nil }
        return bytes.contains { $0 != 0x30 } ? (value == .max ? .max : value + 1) : value
    }

    /// The same, with an optional exponent as in JSON: `1e3`.
    static func spelledNumber(_ text: Text) -> Int? {
        if let number = number(text) { return number }
        let parts = text.bytes.split(separator: 0x65, omittingEmptySubsequences: false)
        let halves =
            parts.count == 2 ? parts : text.bytes.split(separator: 0x45, omittingEmptySubsequences: false)
        guard text.count <= 64, halves.count == 2, number(Text(text.storage, in: halves[0].indices)) != nil
        else { return nil }
        let hasSign = halves[1].first == 0x2B || halves[1].first == 0x2D
        let digits = halves[1].dropFirst(hasSign ? 1 : 0)
        guard !digits.isEmpty, digits.allSatisfy(\.isASCIIDigit),
            let value = Double(String(decoding: text.bytes, as: UTF8.self))
        else { return nil }
        return Int(exactly: value.rounded(.up)) ?? .max
    }

    /// A number without a sign, blanks around it aside; it may have a fraction and an exponent; `nil` for anything else.
    static func decimal(_ text: Text) -> Double? {
        guard text.count <= 64 else { return nil }
        let bytes = text.bytes.filter { $0 != 0x20 && $0 != 0x09 }
        guard let first = bytes.first, first.isASCIIDigit,
            bytes.allSatisfy({
                $0.isASCIIDigit || $0 == 0x2E || $0 == 0x2D || $0 == 0x2B || $0 | 0x20 == 0x65
            }), let number = Double(String(decoding: bytes, as: UTF8.self)), number.isFinite
        else { return nil }
        return number
    }

    /// A date: an HTTP-date in its three forms (RFC 9110 5.6.7), ISO 8601, or the format of JavaScript.
    static func date(_ text: Text) -> Int? {
        guard text.bytes.count <= 128 else { return nil }
        if text.bytes.first?.isASCIIDigit == true, let time = isoDate(text.bytes) { return time }
        // In any order, the parts identify themselves: the month by its name, the time by its colons.
        var reading = DateReading()
        for word in text.bytes.split(whereSeparator: { $0 == 0x20 || $0 == 0x2C }) {
            // The rest is the name of the time zone.
            if word.first == 0x28 { break }
            guard reading.take(word) else { return nil }
        }
        return reading.seconds
    }

    /// ISO 8601 and RFC 3339: `2026-09-12T04:07:49.123+02:00`, `2026-09-12 04:07Z`, `20260912T040749Z`, `2026-09-12`.
    ///
    /// A fraction is dropped; without an offset the time is UTC.
    private static func isoDate(_ bytes: ArraySlice<UInt8>) -> Int? {
        var rest = bytes
        func take(_ count: Int) -> Int? {
            guard rest.count >= count else { return nil }
            let digits = rest.prefix(count)
            rest = rest.dropFirst(count)
            return decimal(digits)
        }
        func skip(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = take(4) else { return nil }
        let hasHyphens = skip(0x2D)
        guard let month = take(2), !hasHyphens || skip(0x2D), let day = take(2) else { return nil }
        var reading = DateReading()
        (reading.year, reading.month, reading.day, reading.time) = (year, month, day, 0)
        // Eight digits alone are a number.
        guard !rest.isEmpty else { return hasHyphens ? reading.seconds : nil }
        guard skip(0x54) || skip(0x74) || skip(0x20) else { return nil }
        guard let hour = take(2), hour < 24 else { return nil }
        let hasColons = skip(0x3A)
        guard let minute = take(2), minute < 60 else { return nil }
        var second = 0
        if hasColons ? skip(0x3A) : rest.first?.isASCIIDigit == true {
            guard let value = take(2), value <= 60 else { return nil }
            second = value
            if skip(0x2E) || skip(0x2C) {
                guard rest.first?.isASCIIDigit == true else { return nil }
                rest = rest.drop { $0.isASCIIDigit }
            }
        }
        reading.time = hour * 3600 + minute * 60 + second
        while rest.first == 0x20 { rest = rest.dropFirst() }
        guard isZone(rest) || reading.takeOffset(rest) else { return nil }
        return reading.seconds
    }

    private static func isZone(_ text: ArraySlice<UInt8>) -> Bool {
        text.isEmpty || text.span.equalsIgnoringCase("z") || text.span.equalsIgnoringCase("utc")
            || text.span.equalsIgnoringCase("gmt")
    }

    /// A number of at most nine digits.
    static func decimal(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count <= 9 else { return nil }
        return bytes.span.decimal.map(Int.init)
    }
}

/// The parts of a date, as its words are read.
struct DateReading {
    var year: Int?
    var month: Int?
    var day: Int?
    /// Seconds since midnight.
    var time: Int?
    /// Seconds to subtract for UTC.
    private var offset = 0

    private static let months: [Text] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Accepts a word; `false` if it fits nowhere.
    mutating func take(_ word: ArraySlice<UInt8>) -> Bool {
        if let index = Self.months.firstIndex(where: { $0.bytes == word }), month == nil {
            month = index + 1
            return true
        }
        if word.contains(0x3A) { return takeTime(word) }
        if let number = WallClockTime.decimal(word) { return takeNumber(number, digits: word.count) }
        if word.starts(with: "GMT".utf8) || word.starts(with: "UTC".utf8) {
            return word.count == 3 || takeOffset(word.dropFirst(3))
        }
        if word.first == 0x2B { return takeOffset(word) }
        let parts = word.split(separator: 0x2D)
        if parts.count == 3, let last = WallClockTime.decimal(parts[2]), parts[2].count == 2 {
            // RFC 850: a year more than 50 years ahead is a past one (RFC 9110 5.6.7).
            return take(parts[0]) && take(parts[1])
                && takeNumber(last < 70 ? 2000 + last : 1900 + last, digits: 4)
        }
        // The name of the weekday is ignored.
        return word.allSatisfy(\.isASCIILetter) && month == nil
    }

    /// `+0200`, `+02:00`, `-0500`, `+02`.
    mutating func takeOffset(_ word: ArraySlice<UInt8>) -> Bool {
        let digits = word.dropFirst().filter { $0 != 0x3A }
        guard let sign = word.first, sign == 0x2B || sign == 0x2D, digits.count == 4 || digits.count == 2,
            let number = WallClockTime.decimal(digits[...])
        else { return false }
        let value = digits.count == 2 ? number * 100 : number
        guard value / 100 < 24, value % 100 < 60 else { return false }
        let seconds = value / 100 * 3600 + value % 100 * 60
        offset = sign == 0x2B ? seconds : -seconds
        return true
    }

    /// The date as seconds since 1970, or `nil` if a part is missing or out of range.
    var seconds: Int? {
        guard let year, let month, let day, let time, (1970...9999).contains(year), (1...31).contains(day),
            (1...12).contains(month), (0...86_400).contains(time)
        else { return nil }
        // Days since 1970 in the proleptic Gregorian calendar, with years that start in March.
        let shifted = month > 2 ? year : year - 1
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return days * 86_400 + time - offset
    }

    private mutating func takeNumber(_ number: Int, digits: Int) -> Bool {
        if digits == 4 {
            guard year == nil else { return false }
            year = number
        } else {
            guard day == nil, digits <= 2 else { return false }
            day = number
        }
        return true
    }

    private mutating func takeTime(_ word: ArraySlice<UInt8>) -> Bool {
        let parts = word.split(separator: 0x3A, omittingEmptySubsequences: false).map(WallClockTime.decimal)
        guard time == nil, parts.count == 2 || parts.count == 3, let hour = parts[0], let minute = parts[1],
            let second = parts.count == 3 ? parts[2] : 0, hour < 24, minute < 60, second <= 60
        else { return false }
        time = hour * 3600 + minute * 60 + second
        return true
    }
}
