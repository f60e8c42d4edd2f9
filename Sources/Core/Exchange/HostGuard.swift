internal import Wire

/// Protects against web pages that use DNS rebinding; a part of ``PageGuard``.
///
/// The page's name is made to resolve to Weir's address, so that the browser takes Weir for the page's own server.
/// Such a request reveals itself: its `Host` is that name. An address is not a name, and `localhost` always means
/// this machine, so neither can be made to resolve elsewhere.
public enum HostGuard {
    /// Whether this `Host`, well-formed as required by ``RequestInspection``, cannot be a web page's name.
    ///
    /// - Parameters:
    ///   - value: the port is ignored. An empty value is allowed: a browser always sends a name.
    ///   - names: the names that are allowed as well.
    public static func allows(_ value: Span<UInt8>, names: [HostPattern]) -> Bool {
        if value.count == 0 || value[0] == 0x5B { return true }
        var end = 0
        while end < value.count, value[end] != 0x3A { end += 1 }
        let isFullyQualified = end > 1 && value[end - 1] == 0x2E
        let host = value.extracting(0..<(isFullyQualified ? end - 1 : end))
        if isAddress(host) || host.equalsIgnoringCase("localhost") { return true }
        for index in names.indices where names[index].matches(host) { return true }
        return false
    }

    /// Whether `host` is an IPv4 address: four numbers up to 255.
    private static func isAddress(_ host: Span<UInt8>) -> Bool {
        var parts = 1
        var start = 0
        for index in 0...host.count {
            let isEnd = index == host.count
            if !isEnd, host[index].isASCIIDigit { continue }
            guard isEnd || host[index] == 0x2E, index - start <= 3,
                let number = host.extracting(start..<index).decimal, number <= 255
            else { return false }
            if !isEnd { parts += 1 }
            start = index + 1
        }
        return parts == 4
    }
}

/// The value of `Host`: a name or an IP address with an optional port (RFC 9110 7.2, RFC 3986 3.2.2).
enum HostField {
    /// Whether `value` can be a host: letters, digits, `-._~` and escapes, or an IPv6 address in brackets, then `:port`.
    ///
    /// Empty is allowed by RFC 9112 3.2. The other delimiters that a name could contain are not: no host has them,
    /// and a parser that treats them as the end of the name sees another host than one that does not.
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
        // A port alone is not a host.
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
