public import Logging

/// Members of a JSON object (RFC 8259 section 4), written in the order of the calls.
///
/// A line of the access log consists of these: they keep their order, cost one allocation, and accept bytes from the
/// wire unchanged. Pass them to a logger as ``metadata``.
///
/// A text beyond ``textLimit`` is truncated and ends with `…`; a member beyond the total limit is omitted. Either
/// sets ``isTruncated``. Names must be unique, which is not checked.
public struct JSONMembers: Sendable, CustomStringConvertible {
    /// The maximum size of one text in bytes, including escapes.
    public static let textLimit = 4096
    /// The maximum size of the members of one ``metadata`` in bytes, so that they fit into a line together with its
    /// message.
    public static let limit = 11_264

    /// `,"name":value` for each member.
    var bytes: [UInt8] = []
    /// Whether something was truncated or omitted.
    public internal(set) var isTruncated = false
    private let limit: Int

    /// No members yet.
    public init() {
        self.init(limit: Self.limit, reserving: 512)
    }

    init(limit: Int, reserving: Int) {
        self.limit = limit
        bytes.reserveCapacity(reserving)
    }

    /// The members as an object.
    public var description: String {
        "{" + String(decoding: bytes.dropFirst(), as: UTF8.self) + "}"
    }

    /// Adds a text.
    public mutating func append(_ name: String, _ text: String) {
        appendMember(name) { $0.appendText(text) }
    }

    /// Adds a text from the wire; ill-formed UTF-8 becomes U+FFFD.
    public mutating func append(_ name: String, bytes text: Span<UInt8>) {
        let start = begin(name)
        if Self.isPlainASCII(text) {
            appendText(text)
        } else {
            var repaired: [UInt8] = []
            for index in 0..<min(text.count, Self.textLimit + 4) { repaired.append(text[index]) }
            if repaired.count < text.count { isTruncated = true }
            appendText(String(decoding: repaired, as: UTF8.self))
        }
        end(start)
    }

    /// Adds a whole number.
    public mutating func append(_ name: String, _ number: Int) {
        appendMember(name) { $0.appendNumber(Int64(number)) }
    }

    /// Adds a whole number.
    public mutating func append(_ name: String, _ number: UInt64) {
        appendMember(name) { $0.appendNumber(number) }
    }

    /// Adds a number; infinity and not-a-number, which JSON does not have, are added as text.
    public mutating func append(_ name: String, _ number: Double) {
        appendMember(name) { $0.appendNumber(number) }
    }

    /// Adds a boolean.
    public mutating func append(_ name: String, _ value: Bool) {
        appendMember(name) { $0.appendLiteral(value ? "true" : "false") }
    }

    /// Adds a time in seconds with microsecond precision.
    public mutating func append(_ name: String, secondsOf nanoseconds: Int64) {
        appendMember(name) { members in
            let microseconds = nanoseconds.magnitude / 1000
            if nanoseconds < 0, microseconds > 0 { members.bytes.append(UInt8(ascii: "-")) }
            members.appendNumber(microseconds / 1_000_000)
            members.appendFraction(microseconds % 1_000_000, unit: 100_000)
        }
    }

    /// Appends the members of `other`, or marks these as truncated if there is no space.
    mutating func append(contentsOf other: JSONMembers) {
        if other.isTruncated { isTruncated = true }
        guard bytes.count + other.bytes.count <= limit else {
            isTruncated = true
            return
        }
        bytes.append(contentsOf: other.bytes)
    }

    /// Adds a member whose value is written by `value`, or omits it if it does not fit.
    mutating func appendMember(_ name: String, _ value: (inout JSONMembers) -> Void) {
        let start = begin(name)
        value(&self)
        end(start)
    }

    /// Whether the limit is reached, so that writing a long value can stop.
    var isFull: Bool { bytes.count > limit }

    private mutating func begin(_ name: String) -> Int {
        let start = bytes.count
        let utf8 = name.utf8.span
        if Self.isPlain(utf8) {
            bytes.append(addingCapacity: utf8.count + 4) { output in
                output.append(UInt8(ascii: ","))
                output.append(UInt8(ascii: "\""))
                for index in 0..<utf8.count { output.append(utf8[index]) }
                output.append(UInt8(ascii: "\""))
                output.append(UInt8(ascii: ":"))
            }
        } else {
            bytes.append(UInt8(ascii: ","))
            appendText(utf8)
            bytes.append(UInt8(ascii: ":"))
        }
        return start
    }

    private mutating func end(_ start: Int) {
        guard isFull else { return }
        bytes.removeSubrange(start...)
        isTruncated = true
    }
}

extension JSONMembers {
    /// The metadata key under which a logger receives members of the line itself.
    static let key = "members"
    /// The maximum nesting depth of arrays and dictionaries.
    private static let depthLimit = 8

    /// These members for a logger: ``JSONLogHandler`` writes them into the line in their order, before other
    /// metadata.
    public var metadata: Logger.Metadata { [Self.key: .stringConvertible(self)] }

    /// Adds all metadata, sorted by key so that similar lines look alike.
    mutating func append(_ metadata: Logger.Metadata) {
        if let value = metadata[Self.key], case .stringConvertible(let convertible) = value,
            let members = convertible as? JSONMembers
        {
            append(contentsOf: members)
            if metadata.count == 1 { return }
        }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            if key == Self.key, case .stringConvertible(let convertible) = value, convertible is JSONMembers {
                continue
            }
            // The names of the fixed members are reserved.
            let isTaken = ["time", "level", "message"].contains(key)
            appendMember(isTaken ? key + "_" : key) { $0.append(value, depth: 0) }
        }
    }

    private mutating func append(_ value: Logger.MetadataValue, depth: Int) {
        if depth == Self.depthLimit || isFull {
            appendLiteral("null")
            isTruncated = true
            return
        }
        switch value {
        case .string(let text): appendText(text)
        case .stringConvertible(let convertible): append(convertible: convertible)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(value, depth: depth + 1)
                if isFull { break }
            }
            bytes.append(UInt8(ascii: "]"))
        case .dictionary(let metadata):
            bytes.append(UInt8(ascii: "{"))
            for (index, (key, value)) in metadata.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                appendText(key)
                bytes.append(UInt8(ascii: ":"))
                append(value, depth: depth + 1)
                if isFull { break }
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// Numbers and booleans keep their types; other values are written by their description.
    private mutating func append(convertible: any CustomStringConvertible & Sendable) {
        switch convertible {
        case let number as Int: appendNumber(Int64(number))
        case let value as Bool: appendLiteral(value ? "true" : "false")
        case let number as Double: appendNumber(number)
        case let number as Int64: appendNumber(number)
        case let number as UInt64: appendNumber(number)
        case let members as JSONMembers: appendLiteral(members.description)
        case let number as any FixedWidthInteger: appendLiteral("\(number)")
        case let number as Float: appendNumber(Double(number))
        default: appendText(convertible.description)
        }
    }
}

// How values are written (RFC 8259 sections 6 and 7).
extension JSONMembers {
    mutating func appendLiteral(_ literal: String) {
        bytes.append(contentsOf: literal.utf8)
    }

    mutating func appendNumber(_ number: Int64) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        appendNumber(number.magnitude)
    }

    mutating func appendNumber(_ number: UInt64) {
        bytes.append(addingCapacity: 20) { output in
            var rest = number
            repeat {
                output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10))
                rest /= 10
            } while rest > 0
            var (low, high) = (0, output.count - 1)
            while low < high {
                output.swapAt(low, high)
                low += 1
                high -= 1
            }
        }
    }

    mutating func appendNumber(_ number: Double) {
        guard number.isFinite else { return appendText("\(number)") }
        appendLiteral("\(number)")
    }

    /// The digits after the decimal point, without trailing zeros; nothing for 0.
    mutating func appendFraction(_ digits: UInt64, unit: UInt64) {
        guard digits > 0 else { return }
        bytes.append(addingCapacity: 20) { output in
            output.append(UInt8(ascii: "."))
            var rest = digits
            var unit = unit
            while rest > 0 {
                output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / unit))
                rest %= unit
                unit /= 10
            }
        }
    }

    /// A string in quotation marks.
    mutating func appendText(_ text: String) {
        appendText(text.utf8.span)
    }

    /// A string in quotation marks.
    ///
    /// Escapes what JSON requires, and what a terminal or a line reader would interpret: DEL, the C1 controls, and
    /// the line and paragraph separators U+2028 and U+2029.
    ///
    /// - Parameter text: UTF-8.
    mutating func appendText(_ text: Span<UInt8>) {
        if Self.isPlain(text) { return appendPlain(text) }
        bytes.append(UInt8(ascii: "\""))
        let end = bytes.count + Self.textLimit
        var index = 0
        while index < text.count {
            let byte = text[index]
            // Only before the first byte of a character, so that no character is split.
            if bytes.count >= end, byte & 0xC0 != 0x80 {
                appendLiteral("…")
                isTruncated = true
                break
            }
            index += appendCharacter(byte, in: text, at: index)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The common case: a text without special characters is copied at once.
    private mutating func appendPlain(_ text: Span<UInt8>) {
        bytes.append(addingCapacity: text.count + 2) { output in
            output.append(UInt8(ascii: "\""))
            for index in 0..<text.count { output.append(text[index]) }
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Whether the text is not too long and consists of printable ASCII without the two characters that JSON escapes.
    ///
    /// The loop has no branch, so that the compiler vectorises it.
    static func isPlain(_ text: Span<UInt8>) -> Bool {
        guard text.count <= textLimit else { return false }
        var special: UInt8 = 0
        for index in 0..<text.count {
            let byte = text[index]
            special |= byte &- 0x20 > 0x5E ? 1 : 0
            special |= byte == 0x22 ? 1 : 0
            special |= byte == 0x5C ? 1 : 0
        }
        return special == 0
    }

    /// Whether all bytes are ASCII and need no repair.
    static func isPlainASCII(_ text: Span<UInt8>) -> Bool {
        var all: UInt8 = 0
        for index in 0..<text.count { all |= text[index] }
        return all < 0x80
    }

    /// Writes the byte at `index`, together with following bytes that belong to the same escape.
    ///
    /// - Returns: how many bytes of the text were used.
    private mutating func appendCharacter(
        _ byte: UInt8, in text: Span<UInt8>, at index: Int
    ) -> Int {
        switch byte {
        case UInt8(ascii: "\""): appendLiteral("\\\"")
        case UInt8(ascii: "\\"): appendLiteral("\\\\")
        case 0x0A: appendLiteral("\\n")
        case 0x0D: appendLiteral("\\r")
        case 0x09: appendLiteral("\\t")
        case 0..<0x20, 0x7F: appendEscape(UInt16(byte))
        case 0xC2 where index + 1 < text.count && text[index + 1] < 0xA0:
            appendEscape(UInt16(text[index + 1]))
            return 2
        case 0xE2 where index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] & 0xFE == 0xA8:
            appendEscape(0x2000 | UInt16(text[index + 2] & 0x3F))
            return 3
        default: bytes.append(byte)
        }
        return 1
    }

    private mutating func appendEscape(_ unit: UInt16) {
        appendLiteral("\\u")
        for shift: UInt16 in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift & 0xF)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
