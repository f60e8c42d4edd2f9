/// Makes a provider's text fit for a problem: no control characters, bounded, valid UTF-8.
enum MessageText {
    /// The greatest length, in Unicode scalars.
    static let limit = 1000

    /// The text without control characters and outer blanks, cut at the limit; `nil` if nothing is left.
    static func clean(_ text: Text) -> Text? {
        let bytes = trimmed(text.bytes)
        guard !bytes.isEmpty else { return nil }
        if bytes.count <= limit, isPlain(bytes) { return Text(bytes) }
        return scrubbed(bytes)
    }

    private static func isPlain(_ bytes: ArraySlice<UInt8>) -> Bool {
        let span = bytes.span
        for index in 0..<span.count where span[index] &- 0x20 >= 0x5F { return false }
        return true
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let span = bytes.span
        var start = 0
        var end = span.count
        while end > start, isBlank(span[end - 1]) { end -= 1 }
        while start < end, isBlank(span[start]) { start += 1 }
        guard end - start < span.count else { return bytes }
        return bytes[bytes.startIndex + start..<bytes.startIndex + end]
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
        let cleaned = trimmed(Array(String(result).utf8)[...])
        return cleaned.isEmpty ? nil : Text(cleaned)
    }
}
