internal import HTTPWire

/// Reads the spellings of a point in time that providers use, as seconds since 1970.
enum WallClockTime {
    /// A number without a sign, fractions rounded up; `nil` for anything else.
    ///
    /// One that is too large is the largest there is.
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

    /// A number as JSON spells it: the same, and it may have an exponent.
    static func jsonNumber(_ text: Text) -> Int? {
        if let number = number(text) { return number }
        guard text.bytes.count <= 64, let value = Double(String(decoding: text.bytes, as: UTF8.self)),
            value >= 0
        else { return nil }
        return Int(exactly: value.rounded(.up)) ?? .max
    }

    /// A date: an HTTP-date in its three forms (RFC 9110 5.6.7), RFC 3339, or what JavaScript prints for a
    /// date.
    static func date(_ text: Text) -> Int? {
        // Whatever the order, the parts tell what they are: the month by its name, the time by its colons.
        if text.bytes.count >= 19, text.bytes.first?.isASCIIDigit == true { return internetDate(text.bytes) }
        guard text.bytes.count <= 128 else { return nil }
        var reading = DateReading()
        for word in text.bytes.split(whereSeparator: { $0 == 0x20 || $0 == 0x2C }) {
            // The rest is the name of the time zone.
            if word.first == 0x28 { break }
            guard reading.take(word) else { return nil }
        }
        return reading.seconds
    }

    /// `2026-09-12T04:07:49Z`, with a fraction, which is dropped, or an offset.
    private static func internetDate(_ bytes: ArraySlice<UInt8>) -> Int? {
        let parts = bytes.prefix(19).split { !$0.isASCIIDigit }
        guard parts.count == 6, let year = decimal(parts[0]), let month = decimal(parts[1]),
            let day = decimal(parts[2]), let hour = decimal(parts[3]), let minute = decimal(parts[4]),
            let second = decimal(parts[5]), (1...12).contains(month), parts[0].count == 4
        else { return nil }
        var rest = bytes.dropFirst(19)
        if rest.first == 0x2E { rest = rest.dropFirst().drop { $0.isASCIIDigit } }
        var reading = DateReading()
        reading.year = year
        reading.month = month
        reading.day = day
        reading.time = hour * 3600 + minute * 60 + second
        switch rest.first {
        case 0x5A where rest.count == 1: break
        case 0x2B, 0x2D: guard reading.takeOffset(rest) else { return nil }
        default: return nil
        }
        return reading.seconds
    }

    /// A number of at most nine digits.
    static func decimal(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count <= 9 else { return nil }
        return bytes.span.decimal.map(Int.init)
    }
}
