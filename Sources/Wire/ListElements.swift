/// The elements of a list value (RFC 9110 5.6.1): what stands between commas, without blanks around.
public enum ListElements {
    /// Calls `body` with each element that is not empty.
    @inlinable
    public static func forEach(in value: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
        var start = 0
        while start <= value.count {
            var end = start
            while end < value.count, value[end] != 0x2C { end += 1 }
            let element = value.extracting(start..<end)
            let trimmed = element.extracting(element.trimmedRange)
            if trimmed.count > 0 { body(trimmed) }
            start = end + 1
        }
    }
}
