internal import Wire

/// A length of time as some providers spell it: `1m30s`, `250ms`, `6h0m0s`, `1.5s`, `30 seconds`, `PT1M30S`.
enum RateDuration {
    /// The duration in whole seconds, rounded up; `nil` for anything else.
    ///
    /// One that is too long is the largest number.
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
