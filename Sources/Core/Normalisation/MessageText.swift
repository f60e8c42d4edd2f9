internal import Wire

/// Makes a provider's text fit for a problem: no control characters, bounded, valid UTF-8.
enum MessageText {
    /// The greatest length, in Unicode scalars.
    static let limit = 1000

    /// A sentence for people: as ``clean(_:)``, with its character references replaced.
    ///
    /// Secrets that references hid in it are to be redacted afterwards.
    static func cleanSentence(_ text: consuming Text) -> Text? { clean(HTMLEntities.decoded(text)) }

    /// The text without control characters and outer blanks, cut at the limit; `nil` if nothing is left.
    static func clean(_ text: consuming Text) -> Text? {
        let trimmed = trimmed(text)
        guard !trimmed.isEmpty else { return nil }
        return trimmed.count <= limit && isPrintable(trimmed) ? trimmed : scrubbed(trimmed.bytes)
    }

    /// Whether all is printable ASCII.
    private static func isPrintable(_ text: Text) -> Bool {
        if text.isPlain { return true }
        let bytes = text.storage.span.extracting(text.range)
        var index = 0
        while true {
            index = bytes.endOfPlainRun(from: index)
            guard index < bytes.count else { return true }
            guard bytes[index] == 0x22 || bytes[index] == 0x5C else { return false }
            index += 1
        }
    }

    private static func trimmed(_ text: consuming Text) -> Text {
        let bytes = text.storage.span
        var (start, end) = (text.range.lowerBound, text.range.upperBound)
        guard start < end, isBlank(bytes[start]) || isBlank(bytes[end - 1]) else { return text }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        while start < end, isBlank(bytes[start]) { start += 1 }
        return Text(text.storage, in: start..<end, isPlain: text.isPlain)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 0x09 < 5 }

    private static func scrubbed(_ bytes: ArraySlice<UInt8>) -> Text? {
        var result = String.UnicodeScalarView()
        var count = 0
        // A scalar has at most four bytes, and what is cut away need not be decoded.
        for scalar in String(decoding: bytes.prefix(4 * limit), as: UTF8.self).unicodeScalars {
            guard count < limit else { break }
            switch scalar.value {
            case 0x09...0x0D: result.append(" ")
            case 0..<0x20, 0x7F..<0xA0: continue
            default: result.append(scalar)
            }
            count += 1
        }
        let cleaned = trimmed(Text(String(result)))
        return cleaned.isEmpty ? nil : cleaned
    }
}
