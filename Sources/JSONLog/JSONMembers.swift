/// Members of a JSON object (RFC 8259 section 4), written one after the other in the order of the calls.
///
/// A line of the access log is made of these: they keep their order, cost one allocation, and take bytes of
/// the wire as they are. Give them to a logger as ``metadata``.
///
/// A text beyond ``textLimit`` is cut and ends in `…`; a member beyond the limit of the whole is left out.
/// Either sets ``isTruncated``. A name given twice stands there twice: names are the program's own.
public struct JSONMembers: Sendable, CustomStringConvertible {
    /// Bytes that one text may take, escapes included.
    public static let textLimit = 4096
    /// Bytes that the members of one ``metadata`` may take, so that they fit into a line beside its message.
    public static let limit = 11_264

    /// `,"name":value` for each member.
    var bytes: [UInt8] = []
    /// Whether something was cut or left out.
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

    /// Adds a text as it came over the wire: what is not UTF-8 becomes U+FFFD.
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

    /// Adds a number; one that JSON does not have, infinite or not a number, as text.
    public mutating func append(_ name: String, _ number: Double) {
        appendMember(name) { $0.appendNumber(number) }
    }

    /// Adds a truth value.
    public mutating func append(_ name: String, _ value: Bool) {
        appendMember(name) { $0.appendLiteral(value ? "true" : "false") }
    }

    /// Adds a time in seconds, to the microsecond.
    public mutating func append(_ name: String, secondsOf nanoseconds: Int64) {
        appendMember(name) { members in
            let microseconds = nanoseconds.magnitude / 1000
            if nanoseconds < 0, microseconds > 0 { members.bytes.append(UInt8(ascii: "-")) }
            members.appendNumber(microseconds / 1_000_000)
            members.appendFraction(microseconds % 1_000_000, unit: 100_000)
        }
    }

    /// Adds the members of `other` after these, or marks these as truncated if there is no room.
    mutating func append(contentsOf other: JSONMembers) {
        if other.isTruncated { isTruncated = true }
        guard bytes.count + other.bytes.count <= limit else {
            isTruncated = true
            return
        }
        bytes.append(contentsOf: other.bytes)
    }

    /// Adds a member whose value `value` writes, or leaves it out if it does not fit.
    mutating func appendMember(_ name: String, _ value: (inout JSONMembers) -> Void) {
        let start = begin(name)
        value(&self)
        end(start)
    }

    /// Whether there is no room left, so that a long value can stop being written.
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
