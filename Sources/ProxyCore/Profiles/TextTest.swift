internal import HTTPWire

/// What a text must be for a rule to match; any one of its tests is enough.
///
/// The case of ASCII letters never matters, except for a pattern, which says so itself.
public struct TextTest: Sendable {
    /// The whole text is one of these; a full stop at its end does not count.
    public var equals: [Text] = []
    /// The text begins with one of these.
    public var startsWith: [Text] = []
    /// One of these is in the text.
    public var contains: [Text] = []
    /// The text ends with one of these.
    public var endsWith: [Text] = []
    /// A regular expression finds something in the text.
    public var matches: [TextPattern] = []

    /// A test that nothing passes.
    public init() {}

    /// Whether the text passes.
    func accepts(_ text: Text) -> Bool {
        let whole = Self.withoutFullStop(text.bytes)
        if equals.contains(where: { Self.same(Self.withoutFullStop($0.bytes), whole) }) { return true }
        if startsWith.contains(where: { Self.same($0.bytes, text.bytes.prefix($0.bytes.count)) }) {
            return true
        }
        if endsWith.contains(where: { Self.same($0.bytes, text.bytes.suffix($0.bytes.count)) }) {
            return true
        }
        if contains.contains(where: { Self.find($0.bytes, in: text.bytes) }) { return true }
        return matches.contains { $0.isFound(in: text) }
    }

    private static func withoutFullStop(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        bytes.last == 0x2E ? bytes.dropLast() : bytes
    }

    private static func same(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Bool {
        one.span.equalsIgnoringCase(other.span)
    }

    private static func find(_ part: ArraySlice<UInt8>, in text: ArraySlice<UInt8>) -> Bool {
        guard let first = part.first?.lowercasedASCII, text.count >= part.count else { return part.isEmpty }
        for start in text.startIndex...text.endIndex - part.count where text[start].lowercasedASCII == first {
            if same(part, text[start..<start + part.count]) { return true }
        }
        return false
    }
}
