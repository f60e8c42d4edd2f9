internal import Configuration
internal import Core
internal import Wire

/// A regular expression on the first line, then a text.
///
/// It is compiled, or its mistake has a place in it. What is compiled says the same twice, and an alternative of a pattern and of what never
/// matches says the same as the pattern.
enum PatternProperties {
    static func check(_ input: [UInt8]) {
        let end = input.firstIndex(of: 0x0A) ?? input.endIndex
        let pattern = String(decoding: input[..<end], as: UTF8.self)
        let text = String(decoding: input[end...].dropFirst().prefix(512), as: UTF8.self)
        do {
            _ = try TextPattern(pattern)
        } catch {
            expect(!error.reason.isEmpty, "a mistake without a reason")
            let count = pattern.unicodeScalars.count
            expect((1...count + 1).contains(error.position ?? 1), "a mistake outside of the pattern")
            return
        }
        guard !pattern.isEmpty, !pattern.contains("(?") else { return }
        let found = isFound(pattern, text)
        expect(found == isFound(pattern, text), "two searches differ")
        if let other = isFound("(?:\(pattern))|[^\\s\\S]", text), let found {
            expect(other == found, "an alternative that never matches makes a difference")
        }
    }

    /// Whether a message is matched, as a rule of a profile does; `nil` if the pattern is too large.
    private static func isFound(_ pattern: String, _ text: String) -> Bool? {
        guard (try? TextPattern(pattern)) != nil else { return nil }
        var test = TextTest()
        guard let compiled = try? TextPattern(pattern) else { return nil }
        test.add(compiled)
        return test.accepts(Text(text))
    }
}
