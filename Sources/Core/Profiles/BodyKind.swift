/// What a body turned out to be, whatever its `Content-Type` says.
public enum BodyKind: String, CaseIterable, Sendable {
    /// Valid JSON.
    case json
    /// An HTML page.
    case html
    /// Anything else.
    case text
    /// Nothing, or only blanks.
    case empty
}
