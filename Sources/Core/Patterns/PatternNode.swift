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
    /// Repeated; without an upper bound if that is `nil`.
    case repeated(PatternNode, atLeast: Int, atMost: Int?)
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
