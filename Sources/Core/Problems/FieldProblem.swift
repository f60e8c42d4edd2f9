internal import Wire

/// A provider's message about one field of the request.
public struct FieldProblem: Sendable, Hashable {
    /// The field as the provider spells it, such as `to.0`.
    public var field: Text
    /// What is wrong.
    public var code: FieldProblemCode
    /// The provider's message about it; may be empty.
    public var detail: Text?

    /// A problem with one field.
    public init(field: Text, code: FieldProblemCode, detail: Text?) {
        self.field = field
        self.code = code
        self.detail = detail
    }

    /// Writes the object `{"field":…,"pointer":…,"code":…,"detail":…}`.
    func encode(into output: inout some ByteSink & ~Copyable) {
        output.append(literal: #"{"field":"#)
        JSONWriter.string(field, into: &output)
        output.append(literal: #","pointer":""#)
        FieldPointer.encode(field, into: &output)
        output.append(literal: #"","code":""#)
        output.append(code.rawValue.utf8.span)
        output.append(0x22)
        if let detail, !detail.isEmpty {
            output.append(literal: #","detail":"#)
            JSONWriter.string(detail, into: &output)
        }
        output.append(0x7D)
    }
}

/// What is wrong with one field.
public enum FieldProblemCode: String, CaseIterable, Sendable {
    /// It is missing or empty.
    case required
    /// It has the right type but is not an address, a date, … as it should be.
    case invalidFormat = "invalid_format"
    /// It is a string instead of a number, and the like.
    case invalidType = "invalid_type"
    /// The value is too small or too large.
    case outOfRange = "out_of_range"
    /// It has too many characters or elements.
    case tooLong = "too_long"
    /// It has too few characters or elements.
    case tooShort = "too_short"
    /// The value, or the field in combination with another one, is not allowed.
    case notAllowed = "not_allowed"
    /// An object with this value already exists.
    case duplicate
    /// The value refers to an object that does not exist.
    case notFound = "not_found"
    /// The provider does not know the field.
    case unknownField = "unknown_field"
    /// Wrong for another reason, given in the detail.
    case invalid
}

/// The JSON Pointer of a field as a URI fragment (RFC 6901 6), computed from the spellings that providers use.
///
/// `to.0`, `to[0]`, `$.to[0]`, `to['0']` and `/to/0` all become `#/to/0`.
enum FieldPointer {
    /// The characters that a fragment may contain unescaped (RFC 3986 3.5).
    private static let fragment = ASCIISet(alphanumericsAnd: "-._~!$&'()*+,;=:@/?")
    /// The same without the separators of a path's steps and the characters to be escaped in one.
    private static let step = ASCIISet(alphanumericsAnd: "-_!$&'()*+,;=:@?")

    /// Writes the pointer without quotes; none of its characters needs an escape in JSON.
    static func encode(_ field: Text, into output: inout some ByteSink & ~Copyable) {
        var bytes = field.storage.span.extracting(field.range)
        output.append(0x23)
        if bytes.count > 0, bytes[0] == 0x23 { bytes = bytes.extracting(1..<bytes.count) }
        if bytes.count > 1, bytes[0] == 0x24, bytes[1] == 0x2E || bytes[1] == 0x5B {
            bytes = bytes.extracting(1..<bytes.count)
        }
        if bytes.count > 1, bytes[0] == 0x2E { bytes = bytes.extracting(1..<bytes.count) }
        if bytes.count > 0, bytes[0] == 0x2F {
            // Already a pointer with escaped steps.
            PercentEncoding.encode(bytes, keeping: fragment, into: &output)
        } else {
            encodePath(bytes, into: &output)
        }
    }

    private static func encodePath(
        _ bytes: borrowing Span<UInt8>, into output: inout some ByteSink & ~Copyable
    ) {
        let step = step
        // A bracket begins a step on its own.
        if bytes.count == 0 || bytes[0] != 0x5B { output.append(0x2F) }
        var isAfterBracket = false
        var written = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            let isQuote = byte == 0x27 || byte == 0x22
            if !isAfterBracket, !isQuote, step.contains(byte) { continue }
            output.append(bytes.extracting(written..<index))
            written = index + 1
            switch byte {
            case 0x27 where isBesideBracket(index, in: bytes), 0x22 where isBesideBracket(index, in: bytes):
                break
            case 0x2E, 0x5B:
                output.append(0x2F)
                isAfterBracket = false
            case 0x5D: isAfterBracket = true
            case 0x7E: output.append(literal: "~0")
            case 0x2F: output.append(literal: "~1")
            default:
                if isAfterBracket { output.append(0x2F) }
                isAfterBracket = false
                if step.contains(byte) { written = index } else { PercentEncoding.append(byte, to: &output) }
            }
        }
        output.append(bytes.extracting(written..<bytes.count))
    }

    private static func isBesideBracket(_ index: Int, in bytes: borrowing Span<UInt8>) -> Bool {
        (index > 0 && bytes[index - 1] == 0x5B) || (index + 1 < bytes.count && bytes[index + 1] == 0x5D)
    }
}
