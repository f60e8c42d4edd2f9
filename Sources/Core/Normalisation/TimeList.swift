internal import Wire

/// The times in a field's value, of which there ought to be one: two fields may have been joined with a comma (RFC 9110 5.3), and some
/// providers quote a number, give it a sign, or add parameters.
enum TimeList {
    /// What a part of the value is.
    enum Reading {
        /// A time; `nil` if it is over.
        case read(Int?)
        /// Something else.
        case malformed
    }

    /// A longer value is no list of times.
    private static let limit = 1024

    /// The greatest of the times; `nil` if there is none, or if a part with a digit in it is none.
    static func greatest(in text: Text, _ read: (Text) -> Reading) -> Int? {
        // Behind a comma, parameters are those of the last part.
        let isList = text.bytes.contains(0x2C)
        if case .read(let seconds) = read(bare(text, hasParameters: !isList)) { return seconds }
        guard text.count <= limit else { return nil }
        var greatest: Int?
        var weekday: ArraySlice<UInt8>?
        for part in text.bytes.split(separator: 0x2C, omittingEmptySubsequences: false) {
            var part = part
            // The comma of a date.
            if let start = weekday { part = text.storage[start.startIndex..<part.endIndex] }
            weekday = nil
            if part.contains(where: \.isASCIILetter), !part.contains(where: \.isASCIIDigit) {
                weekday = part
                continue
            }
            switch read(bare(Text(text.storage, in: part.indices))) {
            case .read(let seconds?): greatest = max(greatest ?? seconds, seconds)
            case .read(nil): break
            case .malformed: if part.contains(where: \.isASCIIDigit), !isNegative(part) { return nil }
            }
        }
        return greatest
    }

    /// The text without parameters, blanks, quotes and a plus sign around it.
    private static func bare(_ text: Text, hasParameters: Bool = true) -> Text {
        var bytes = trimmed(hasParameters ? text.bytes.prefix { $0 != 0x3B } : text.bytes)
        if bytes.count >= 2, bytes.first == 0x22, bytes.last == 0x22 {
            bytes = trimmed(bytes.dropFirst().dropLast())
        }
        if bytes.first == 0x2B { bytes = bytes.dropFirst() }
        return Text(text.storage, in: bytes.indices)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = rest.last, last == 0x20 || last == 0x09 { rest.removeLast() }
        return rest
    }

    /// Whether it is a number that lies in the past.
    private static func isNegative(_ part: ArraySlice<UInt8>) -> Bool {
        let number = trimmed(part)
        return number.first == 0x2D
            && number.dropFirst().allSatisfy { $0.isASCIIDigit || $0 == 0x2E }
    }
}
