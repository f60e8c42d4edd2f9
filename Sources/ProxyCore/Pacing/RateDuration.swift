internal import HTTPWire

/// A length of time as some providers spell it: `1m30s`, `250ms`, `6h0m0s`, `1.5s`.
enum RateDuration {
    /// The duration in whole seconds, rounded up; `nil` for anything else.
    ///
    /// One that is too long is the largest number.
    static func seconds(_ text: ArraySlice<UInt8>) -> Int? {
        var rest = text
        var milliseconds = 0.0
        guard !rest.isEmpty, rest.count <= 32 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCIIDigit || $0 == 0x2E }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { $0.isASCIILetter }
            rest = rest[unit.endIndex...]
            guard let number = Double(String(decoding: digits, as: UTF8.self)), let length = length(of: unit)
            else { return nil }
            milliseconds += number * length
        }
        let seconds = (milliseconds / 1000).rounded(.up)
        return seconds.isNaN ? nil : Int(exactly: seconds) ?? .max
    }

    private static func length(of unit: ArraySlice<UInt8>) -> Double? {
        switch String(decoding: unit, as: UTF8.self) {
        case "ns": 1e-6
        case "us": 1e-3
        case "ms": 1
        case "s": 1000
        case "m": 60_000
        case "h": 3_600_000
        case "d": 86_400_000
        default: nil
        }
    }
}
