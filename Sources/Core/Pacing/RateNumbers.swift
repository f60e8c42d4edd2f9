internal import Wire

/// Up to four numbers between slashes: `20`, `39/40`, `300/3000/12000`.
///
/// A fraction is dropped: `0.0` and `0.9` are no whole request. Of a list (`100, 100;w=60`) the first number counts, and commas may
/// group digits (`1,000`).
struct RateNumbers {
    private var numbers = SIMD4<Int64>(repeating: 0)
    private(set) var count = 0

    init() {}

    /// Reads `text`; no numbers if anything else stands in it.
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

    /// The three digits behind a comma, if neither more digits nor parameters follow.
    private static func group(in text: Span<UInt8>, at start: Int) -> Int64? {
        guard start > 0, start + 3 < text.count, text[start] == 0x2C else { return nil }
        let isAtEnd = start + 4 == text.count
        guard isAtEnd || text[start + 4] == 0x2C || text[start + 4] == 0x2E else { return nil }
        return text.extracting(start + 1..<start + 4).decimal
    }

    subscript(index: Int) -> Int { Int(numbers[index]) }

    /// Of what is left, the least, with the limit at the same place.
    func tightest(of limits: RateNumbers) -> RateObservation {
        var least = 0
        for index in 1..<max(count, 1) where numbers[index] < numbers[least] { least = index }
        return RateObservation(limit: least < limits.count ? limits[least] : nil, remaining: self[least])
    }
}
