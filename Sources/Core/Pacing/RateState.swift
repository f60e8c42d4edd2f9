internal import Wire

/// The tightest of the limits in a value that reports a provider's whole count.
struct RateState {
    /// One limit of a list: `"burst";r=7;t=2`.
    struct Item {
        /// The name, quoted as received; a hash, since it is only compared.
        var name: UInt64 = 0
        var remaining: Int?
        var reset: Int?
        var quota: Int?

        /// Parses a name and parameters; later drafts may rename `r` and `t` (`a`, `w`).
        init(_ text: Span<UInt8>) {
            var isName = true
            RateState.forEachPart(in: text, separator: 0x3B) { part in
                if isName {
                    for index in 0..<part.count {
                        name = (name ^ UInt64(part[index])) &* 0x100_0000_01B3
                    }
                    isName = false
                    return
                }
                guard part.count > 2, part[1] == 0x3D else { return }
                let value = part.extracting(2..<part.count)
                switch part[0] {
                case UInt8(ascii: "r"), UInt8(ascii: "a"): remaining = RateState.number(value) ?? remaining
                case UInt8(ascii: "t"), UInt8(ascii: "w"): reset = RateState.time(value) ?? reset
                case UInt8(ascii: "q"): quota = RateState.number(value) ?? quota
                default: break
                }
            }
        }
    }

    private(set) var name: UInt64 = 0
    private(set) var limit: Int?
    private(set) var remaining: Int?
    /// As received: seconds.
    private(set) var reset: Int?

    /// Parses a list of items, of which the one with the least left counts (of several, the one with the latest
    /// reset), or `limit=…, remaining=…`.
    init(_ value: Span<UInt8>) {
        Self.forEachItem(in: value) { text in
            if takeOldForm(text) { return }
            let item = Item(text)
            guard let left = item.remaining, left <= remaining ?? .max else { return }
            if left == remaining, item.reset ?? 0 <= reset ?? 0 { return }
            (name, remaining, reset, limit) = (item.name, left, item.reset, item.quota)
        }
    }

    /// `limit=100`, `remaining=50`, `reset=30`.
    private mutating func takeOldForm(_ text: Span<UInt8>) -> Bool {
        func value(after count: Int) -> Range<Int> {
            var end = count
            while end < text.count, text[end] != 0x3B, !text[end].isBlank { end += 1 }
            return count..<end
        }
        if text.startsIgnoringCase(with: "limit=") {
            limit = Self.number(text.extracting(value(after: 6)))
        } else if text.startsIgnoringCase(with: "remaining=") {
            remaining = Self.number(text.extracting(value(after: 10)))
        } else if text.startsIgnoringCase(with: "reset=") {
            reset = Self.time(text.extracting(value(after: 6)))
        } else {
            return false
        }
        return true
    }

    /// A number without its fraction; the largest one if it is too large.
    private static func number(_ text: Span<UInt8>) -> Int? {
        if let number = text.decimal { return Int(clamping: number) }
        var end = 0
        while end < text.count, text[end] != 0x2E { end += 1 }
        return time(text.extracting(0..<end))
    }

    /// Seconds, rounded up.
    private static func time(_ text: Span<UInt8>) -> Int? {
        if let number = text.decimal { return Int(clamping: number) }
        return TimeList.greatest(in: Text(copying: text)) { part in
            WallClockTime.spelledNumber(part).map { .read($0) } ?? .malformed
        }
    }

    /// Calls `body` with each item of a list; commas in quotes do not separate.
    static func forEachItem(in value: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
        forEachPart(in: value, separator: 0x2C, body)
    }

    private static func forEachPart(
        in value: Span<UInt8>, separator: UInt8, _ body: (Span<UInt8>) -> Void
    ) {
        var start = 0
        var isQuoted = false
        for index in 0...value.count {
            if index < value.count {
                if value[index] == 0x22 { isQuoted.toggle() }
                guard value[index] == separator, !isQuoted else { continue }
            }
            let part = value.extracting(start..<index)
            let trimmed = part.extracting(part.trimmedRange)
            if trimmed.count > 0 { body(trimmed) }
            start = index + 1
        }
    }
}
