internal import Wire

/// The value of `Host`: a name or an IP address, and perhaps a port (RFC 9110 7.2, RFC 3986 3.2.2).
enum HostField {
    /// Whether `value` can be a host: letters, digits, `-._~` and escapes, or an IPv6 address in brackets, then `:port`.
    ///
    /// Empty is allowed, as RFC 9112 3.2 has it. The other delimiters that a name could contain are not: no host has them,
    /// and what reads them as the end of the name sees another host than what does not.
    static func isWellFormed(_ value: Span<UInt8>) -> Bool {
        guard let end = nameEnd(of: value) else { return false }
        guard end < value.count else { return true }
        return value[end] == 0x3A && isPort(value.extracting((end + 1)..<value.count))
    }

    /// Where the name or address in `value` ends; `nil` if it is neither.
    private static func nameEnd(of value: Span<UInt8>) -> Int? {
        if value.count > 0, value[0] == 0x5B { return addressEnd(of: value) }
        var index = 0
        while index < value.count, value[index] != 0x3A {
            if value[index] == 0x25 {
                guard index + 2 < value.count, value[index + 1].isHexadecimal, value[index + 2].isHexadecimal
                else { return nil }
                index += 3
            } else {
                guard isNameCharacter(value[index]) else { return nil }
                index += 1
            }
        }
        // A port alone is no host.
        return index == 0 && value.count > 0 ? nil : index
    }

    private static func addressEnd(of value: Span<UInt8>) -> Int? {
        var index = 1
        var colons = 0
        while index < value.count, value[index] != 0x5D {
            guard value[index].isHexadecimal || value[index] == 0x3A || value[index] == 0x2E else {
                return nil
            }
            if value[index] == 0x3A { colons += 1 }
            index += 1
        }
        return index < value.count && colons >= 2 ? index + 1 : nil
    }

    private static func isPort(_ text: Span<UInt8>) -> Bool {
        if text.count == 0 { return true }
        return text.decimal.map { $0 <= 65535 } ?? false
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || byte == 0x2D || byte == 0x2E || byte == 0x5F
            || byte == 0x7E
    }
}
