internal import Wire

/// One rule of a profile: which responses it matches, and what they mean.
public struct Rule: Sendable {
    /// The name, for people and `weir explain`.
    public var name: String
    /// The profile that contains it.
    public var profile: String
    /// The responses that it matches.
    public var when = Conditions()

    /// What it means.
    public var result: ProblemCode
    /// Whether the response is not an error and is relayed unchanged: the rest of the rule is ignored then.
    public var isSuccess = false
    /// Whether the same request may succeed later; `nil`: as the code says.
    public var isTransient: Bool?
    /// Whether the side effect was performed; `nil`: as the code says.
    public var effect: Effect?
    /// The status to send instead of the provider's.
    public var status: Int?
    /// The consequence for pacing; `nil`: as the code says.
    public var pause: Pause?
    /// Where the response says how long to wait; `nil`: where the profile says.
    public var waits: [WaitSource]?
    /// Where the response says whether the same request may succeed later, which takes precedence over
    /// ``isTransient``; `nil`: where the profile says.
    public var repeats: [ValuePlace]?
    /// The name of the limit that was reached; `nil`: unknown.
    public var limitName: String?
    /// Whether the rule recognises the response, or is only a fallback.
    public var isMapped = true

    /// A rule about every error.
    public init(name: String, profile: String, result: ProblemCode) {
        self.name = name
        self.profile = profile
        self.result = result
    }

    /// The consequence of a response for pacing.
    public enum Pause: String, CaseIterable, Sendable {
        /// None.
        case none
        /// The limit's ledger pauses.
        case ledger
        /// Requests that use the quota pause.
        case quota
    }
}

/// A set of HTTP statuses as ranges.
public struct StatusSet: Sendable, Hashable {
    /// All error statuses.
    public static let errors = StatusSet([400...999])
    /// The statuses that there can be.
    public static let possible = 100...999

    /// The ranges, in the order given.
    public var ranges: [ClosedRange<Int>]

    /// A set.
    public init(_ ranges: [ClosedRange<Int>]) { self.ranges = ranges }

    /// Whether the status is in the set.
    public func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }
}

/// A test of a text in a rule; one matching condition is enough.
///
/// Case-insensitive for ASCII letters, except for a pattern, which determines it itself.
public struct TextTest: Sendable {
    /// How a text is compared.
    public enum Comparison: UInt8, Sendable {
        /// The whole text is equal, apart from a full stop at its end.
        case equals
        /// The text begins with it.
        case startsWith
        /// The text contains it.
        case contains
        /// The text ends with it.
        case endsWith
    }

    private struct Condition {
        var comparison: Comparison
        var range: Range<Int>
    }

    /// All texts of the conditions, concatenated in lower case: a comparison accesses no other memory.
    private var bytes: [UInt8] = []
    private var conditions: [Condition] = []
    private var patterns: [TextPattern] = []

    /// A test that no text passes.
    public init() {}

    /// Adds a condition.
    public mutating func add(_ comparison: Comparison, _ text: Text) {
        let content = comparison == .equals ? Self.withoutFullStop(text.bytes) : text.bytes
        let start = bytes.count
        bytes += content.map(\.lowercasedASCII)
        conditions.append(Condition(comparison: comparison, range: start..<bytes.count))
    }

    /// Adds a regular expression that must match a part of the text.
    public mutating func add(_ pattern: TextPattern) { patterns.append(pattern) }

    /// Whether the text passes.
    public func accepts(_ text: Text) -> Bool {
        let bytes = text.storage.span.extracting(text.range)
        for index in 0..<conditions.count where accepts(bytes, conditions[index]) { return true }
        return !patterns.isEmpty && patterns.contains { $0.isFound(in: text) }
    }

    /// Whether the text passes; it is borrowed memory.
    func accepts(_ text: Span<UInt8>) -> Bool {
        for index in 0..<conditions.count where accepts(text, conditions[index]) { return true }
        return !patterns.isEmpty && accepts(Text(copying: text))
    }

    private func accepts(_ text: borrowing Span<UInt8>, _ condition: Condition) -> Bool {
        let length = condition.range.count
        switch condition.comparison {
        case .equals:
            guard text.count == length || (text.count == length + 1 && text[length] == 0x2E) else {
                return false
            }
            return same(condition, text, at: 0)
        case .startsWith: return text.count >= length && same(condition, text, at: 0)
        case .endsWith: return text.count >= length && same(condition, text, at: text.count - length)
        case .contains:
            guard text.count >= length else { return false }
            for start in 0...text.count - length where same(condition, text, at: start) { return true }
            return false
        }
    }

    private func same(_ condition: Condition, _ text: borrowing Span<UInt8>, at start: Int) -> Bool {
        var index = start
        for position in condition.range {
            if bytes[position] != text[index].lowercasedASCII { return false }
            index += 1
        }
        return true
    }

    private static func withoutFullStop(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        bytes.last == 0x2E ? bytes.dropLast() : bytes
    }
}
