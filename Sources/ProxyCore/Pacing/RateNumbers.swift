internal import HTTPWire

/// Up to four whole numbers between slashes: `20`, `39/40`, `300/3000/12000`.
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
            guard count < 4, let number = part.extracting(part.trimmedRange).decimal,
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

    subscript(index: Int) -> Int { Int(numbers[index]) }

    /// Of what is left, the least, with the limit at the same place.
    func tightest(of limits: RateNumbers) -> RateObservation {
        var least = 0
        for index in 1..<max(count, 1) where numbers[index] < numbers[least] { least = index }
        return RateObservation(limit: least < limits.count ? limits[least] : nil, remaining: self[least])
    }
}
