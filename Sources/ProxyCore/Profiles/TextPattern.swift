internal import Locking

/// A regular expression, compiled when the profile is read.
public final class TextPattern: Sendable {
    // A Regex is not Sendable; the lock is held only while a rule with a pattern is tried.
    private let regex: Lock<Regex<AnyRegexOutput>>

    /// Compiles a regular expression of Swift's dialect.
    ///
    /// - Throws: what is wrong with it.
    public init(_ pattern: String) throws {
        let compiled = try Regex(pattern)
        regex = Lock(compiled)
    }

    /// Whether something in the text matches.
    func isFound(in text: Text) -> Bool {
        let string = text.string
        return regex.withLock { string.firstMatch(of: $0) != nil }
    }
}
