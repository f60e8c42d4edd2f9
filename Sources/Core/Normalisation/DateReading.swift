internal import Wire

/// The parts of a date, as its words are read one by one.
struct DateReading {
    var year: Int?
    var month: Int?
    var day: Int?
    /// Seconds since midnight.
    var time: Int?
    /// Seconds to take off for UTC.
    private var offset = 0

    private static let months: [Text] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Takes a word; `false` if it fits nowhere.
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
        // The name of the weekday says nothing.
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
        // Days since 1970 in the proleptic Gregorian calendar, counted in years that begin in March.
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
