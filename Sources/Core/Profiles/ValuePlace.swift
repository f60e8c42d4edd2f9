internal import Wire

/// The location of a value in a response, compiled when the profile is read.
public struct ValuePlace: Sendable {
    /// Which strings at a place count.
    public enum Condition: Sendable, Hashable {
        /// Every non-empty string.
        case any
        /// Identifiers such as `LEAD_NOT_FOUND`, `not_found` or `BadRequest`.
        case identifier
        /// Everything that is not such an identifier.
        case sentence
    }

    /// The source of a value.
    public enum Source: Sendable {
        /// One value of a JSON body.
        case pointer(JSONPointer)
        /// Any number of values of a JSON body.
        case path(JSONPath)
        /// The first value of a header field.
        case header(Text)
        /// The message found by the profile's `read.message`.
        case message
        /// The text of the body, whatever its type.
        case text
        /// The segment of the request's path with this name in the rule's pattern: `/v0/{base}/**`.
        case requestStep(String)
    }

    /// The unit of a number without a unit.
    public enum Unit: String, CaseIterable, Sendable {
        /// Milliseconds.
        case milliseconds = "ms"
        /// Seconds.
        case seconds = "s"
        /// Minutes.
        case minutes = "min"
        /// Hours.
        case hours = "h"

        /// The unit in seconds.
        var length: Double {
            switch self {
            case .milliseconds: 1e-3
            case .seconds: 1
            case .minutes: 60
            case .hours: 3600
            }
        }
    }

    /// The properties of a place that is not a plain pointer.
    ///
    /// An object, so that a plain place stays small.
    final class Details: Sendable {
        let source: Source
        let match: TextPattern?
        let then: ValuePlace?
        let unit: Unit?

        init(_ source: Source, match: TextPattern?, then: ValuePlace?, unit: Unit?) {
            self.source = source
            self.match = match
            self.then = then
            self.unit = unit
        }
    }

    /// The location, if there are no ``details``.
    let pointer: JSONPointer
    /// The strings that count.
    let condition: Condition
    /// Whether the place is called a status: a number there is one, and not a code.
    let isStatus: Bool
    /// Whether a number there is a code: it is at places for codes alone, and where else a sentence would be.
    let mayBeNumber: Bool
    /// Everything else; `nil` for nearly all places.
    let details: Details?

    /// A value of a JSON body.
    public init(_ pointer: JSONPointer, _ condition: Condition = .any) {
        self.pointer = pointer
        self.condition = condition
        mayBeNumber =
            condition == .any
            || condition == .identifier && ["error", "Error"].contains(pointer.split?.name ?? "")
        isStatus = ["status", "statusCode", "status_code"].contains(pointer.split?.name ?? "")
        details = nil
    }

    /// A place of any kind.
    ///
    /// - Parameters:
    ///   - match: extracts a part of the value: its first group, otherwise the whole match.
    ///   - then: the place in the JSON text that was found.
    ///   - unit: the unit of a number, if it is a time.
    public init(
        _ source: Source, _ condition: Condition = .any, match: TextPattern? = nil, then: ValuePlace? = nil,
        unit: Unit? = nil
    ) {
        if case .pointer(let pointer) = source, match == nil, then == nil, unit == nil {
            self.init(pointer, condition)
            return
        }
        self.init(condition, Details(source, match: match, then: then, unit: unit))
    }

    private init(_ condition: Condition, _ details: Details) {
        pointer = .root
        self.condition = condition
        isStatus = false
        mayBeNumber = condition == .any
        self.details = details
    }

    /// The header field that contains the value; `nil` if it is elsewhere.
    var header: Text? {
        guard case .header(let name)? = details?.source else { return nil }
        return name
    }

    /// The name of the path segment that is the value; `nil` if it is elsewhere.
    public var requestStep: String? {
        guard case .requestStep(let name)? = details?.source else { return nil }
        return name
    }

    /// Whether the value depends on the body.
    var looksAtBody: Bool {
        switch details?.source {
        case .header, .requestStep: false
        case nil, .pointer, .path, .message, .text: true
        }
    }

    /// Whether the value is searched for in the message.
    public var looksAtMessage: Bool {
        guard case .message? = details?.source else { return false }
        return true
    }
}

/// A condition on the value of a place in a rule.
public struct ValueTest: Sendable {
    /// The location of the value.
    public var place: ValuePlace
    /// The required text; `nil`: irrelevant.
    public var text: TextTest?
    /// An upper bound of the number (exclusive).
    public var upperBound: Double?
    /// A lower bound of the number (exclusive).
    public var lowerBound: Double?

    /// A test that every value at the place passes.
    public init(_ place: ValuePlace) { self.place = place }

    /// Whether a value passes.
    func accepts(_ value: Text) -> Bool {
        if let text, !text.accepts(value) { return false }
        guard lowerBound != nil || upperBound != nil else { return true }
        guard let number = Self.number(value) else { return false }
        if let lowerBound, number <= lowerBound { return false }
        if let upperBound, number >= upperBound { return false }
        return true
    }

    /// A decimal number, as JSON and header fields spell it.
    private static func number(_ text: Text) -> Double? {
        guard text.count <= 64, let first = text.bytes.first, first == 0x2D || first.isASCIIDigit,
            text.bytes.dropFirst().allSatisfy({
                $0.isASCIIDigit || $0 == 0x2E || $0 == 0x2D || $0 == 0x2B || $0 | 0x20 == 0x65
            }), let number = Double(text.string), number.isFinite
        else { return nil }
        return number
    }
}
