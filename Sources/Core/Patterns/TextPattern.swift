/// A regular expression, compiled when the profile is read.
///
/// It is run without backtracking: the time is at most proportional to the length of the text times that of the pattern, whatever both are.
/// It knows:
///
/// - literals, `.` (anything but a line's end), `\` before punctuation, `\t \n \r \f \v \e \0 \xHH \x{H…} \uHHHH \u{H…}`
/// - classes: `[a-z_]`, `[^,]`, `\d \w \s` and `\D \W \S`
/// - anchors: `^ $ \A \z \b \B`
/// - groups: `(…)`, `(?:…)`, `(?<name>…)`, of which the first without `?:` is what ``capture(in:)`` returns; alternatives: `a|b`
/// - repetition: `? * +`, `{3}`, `{2,}`, `{2,5}`, each also with `?` behind it; each round takes the steps of what it repeats, and a
///   pattern has at most 2000
/// - options: `(?i)` ignores case, `(?s)` lets `.` match a line's end, `(?m)` lets `^` and `$` match at lines; also `(?i:…)`
///
/// Back references, lookaround, possessive repetition and atomic groups would need backtracking: they are errors.
/// A character is a Unicode scalar.
public final class TextPattern: Sendable {
    /// Scalars of a text that are looked at; the rest does not count.
    static let textLimit = 8192

    private let program: PatternProgram

    /// Compiles a regular expression.
    ///
    /// - Throws: what is wrong with it, and where.
    public init(_ pattern: String) throws(PatternError) {
        var parser = PatternParser(pattern)
        program = try PatternProgram(parser.parse())
    }

    /// Whether something in the text matches.
    func isFound(in text: Text) -> Bool {
        program.isFound(in: text.string.unicodeScalars.prefix(Self.textLimit))
    }

    /// What the first group of the first match captured; the whole match if the pattern has no group that captures.
    ///
    /// Of several matches that begin at the same place, the one that a backtracking engine would find counts. A group that is repeated has
    /// what its last round captured.
    ///
    /// - Returns: `nil` if nothing matches, or if the group took no part in the match.
    public func capture(in text: Text) -> Text? {
        let string = text.string
        let scalars = string.unicodeScalars.prefix(Self.textLimit)
        guard let range = program.firstMatch(in: scalars) else { return nil }
        return Text(String(string.unicodeScalars[range]))
    }
}

/// What is wrong with a regular expression.
public struct PatternError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    public var reason: String
    /// The place in the pattern, in characters from 1; `nil` for the whole of it.
    public var position: Int?

    /// The reason with its place.
    public var description: String { position.map { "\(reason) (character \($0))" } ?? reason }
}

/// A part of a regular expression.
indirect enum PatternNode: Sendable {
    /// Nothing: matches everywhere.
    case empty
    /// One scalar of a set.
    case one(ScalarSet)
    /// A condition on the place.
    case anchor(PatternAnchor)
    /// One behind the other.
    case sequence([PatternNode])
    /// Any one of several.
    case alternatives([PatternNode])
    /// Repeated; without an upper bound if that is `nil`; lazy: as few times as possible.
    case repeated(PatternNode, atLeast: Int, atMost: Int?, isLazy: Bool = false)
    /// The first group that captures.
    case captured(PatternNode)
}

/// A condition on a place in a text.
enum PatternAnchor: Sendable {
    case textStart
    case textEnd
    case lineStart
    case lineEnd
    case wordEdge
    case noWordEdge
}
