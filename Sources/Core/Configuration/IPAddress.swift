/// An IPv4 or IPv6 address as a number.
public enum IPAddress: Hashable, Sendable {
    /// IPv4: four bytes, the first one most significant.
    case v4(UInt32)
    /// IPv6: the first and the last eight bytes.
    case v6(high: UInt64, low: UInt64)

    /// Reads an address in text form (RFC 4291 2.2); `nil` for anything else, including zones.
    ///
    /// - Parameter text: `192.0.2.1` (four decimal numbers without leading zeros) or `2001:db8::1`, without brackets.
    public init?(parsing text: some StringProtocol) {
        if let number = Self.parseV4(text) {
            self = .v4(number)
        } else if let groups = Self.parseV6(text) {
            var halves: (high: UInt64, low: UInt64) = (0, 0)
            for (index, group) in groups.enumerated() {
                if index < 4 {
                    halves.high = halves.high << 16 | UInt64(group)
                } else {
                    halves.low = halves.low << 16 | UInt64(group)
                }
            }
            self = .v6(high: halves.high, low: halves.low)
        } else {
            return nil
        }
    }

    /// Whether this means every address of the machine: `0.0.0.0` or `::`.
    public var isUnspecified: Bool { self == .v4(0) || self == .v6(high: 0, low: 0) }

    private static func parseV4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 0x30, let byte = UInt8(part)
            else { return nil }
            number = number << 8 | UInt32(byte)
        }
        return number
    }

    private static func parseV6(_ text: some StringProtocol) -> [UInt16]? {
        let text = String(text)
        guard let gap = text.firstRange(of: "::") else {
            return parseGroups(text[...]).flatMap { $0.count == 8 ? $0 : nil }
        }
        let tail = text[gap.upperBound...]
        guard !tail.hasPrefix(":"),
            let before = gap.lowerBound == text.startIndex ? [] : parseGroups(text[..<gap.lowerBound]),
            let after = tail.isEmpty ? [] : parseGroups(tail), before.count + after.count < 8
        else { return nil }
        // An IPv4 address may appear only at the end of the whole text.
        guard !text[..<gap.lowerBound].contains(".") else { return nil }
        return before + [UInt16](repeating: 0, count: 8 - before.count - after.count) + after
    }

    private static func parseGroups(_ text: Substring) -> [UInt16]? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 8 else { return nil }
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains("."), let v4 = parseV4(part) {
                groups.append(UInt16(truncatingIfNeeded: v4 >> 16))
                groups.append(UInt16(truncatingIfNeeded: v4))
                continue
            }
            guard (1...4).contains(part.utf8.count), part.utf8.first != 0x2B, part.utf8.first != 0x2D,
                let group = UInt16(part, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }
}

extension IPAddress: CustomStringConvertible {
    /// The address in the form of RFC 5952, without brackets.
    public var description: String {
        switch self {
        case .v4(let number):
            return (0..<4).map { String(number >> (24 - 8 * $0) & 0xFF) }.joined(separator: ".")
        case .v6(let high, let low):
            let groups = (0..<8).map { index in
                UInt16(truncatingIfNeeded: index < 4 ? high >> (48 - 16 * index) : low >> (112 - 16 * index))
            }
            return Self.spell(groups)
        }
    }

    private static func spell(_ groups: [UInt16]) -> String {
        var gap = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 {
                start = index + 1
            } else if index + 1 - start > max(gap.count, 1) {
                gap = start..<index + 1
            }
        }
        func hexadecimal(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !gap.isEmpty else { return hexadecimal(groups[...]) }
        return hexadecimal(groups[..<gap.lowerBound]) + "::" + hexadecimal(groups[gap.upperBound...])
    }
}

extension IPAddress {
    /// Whether this is not a public address: loopback, private, link-local, reserved or multicast.
    ///
    /// The blocks are those of the IANA special-purpose address registries (RFC 6890) that are not globally
    /// reachable. For an IPv4 address inside an IPv6 one (mapped, NAT64, 6to4), the IPv4 address decides.
    public var isPrivate: Bool {
        switch self {
        case .v4(let number):
            return Self.privateV4.contains { number >> (32 - $0.length) == $0.prefix >> (32 - $0.length) }
        case .v6(let high, let low):
            if let inner = Self.embeddedV4(high: high, low: low) { return IPAddress.v4(inner).isPrivate }
            return Self.privateV6.contains { high >> (64 - $0.length) == $0.prefix >> (64 - $0.length) }
        }
    }

    /// Whether this is an address of this machine alone: `127.0.0.0/8` or `::1`.
    public var isLoopback: Bool {
        switch self {
        case .v4(let number): return number >> 24 == 127
        case .v6(let high, let low):
            if let inner = Self.embeddedV4(high: high, low: low) { return inner >> 24 == 127 }
            return high == 0 && low == 1
        }
    }

    private static func embeddedV4(high: UInt64, low: UInt64) -> UInt32? {
        if high == 0, low >> 32 == 0xFFFF { return UInt32(truncatingIfNeeded: low) }
        if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return UInt32(truncatingIfNeeded: low) }
        if high >> 48 == 0x2002 { return UInt32(truncatingIfNeeded: high >> 16) }
        return nil
    }

    private static let privateV4: [(prefix: UInt32, length: UInt32)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16),
        (0xAC10_0000, 12), (0xC000_0000, 24), (0xC000_0200, 24), (0xC0A8_0000, 16), (0xC612_0000, 15),
        (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 3),
    ]

    /// Only `2000::/3` is global unicast; of it, `2001:db8::/32` (examples) and `2001::/23` are not.
    private static let privateV6: [(prefix: UInt64, length: UInt64)] = [
        (0x0000_0000_0000_0000, 3), (0x4000_0000_0000_0000, 2), (0x8000_0000_0000_0000, 1),
        (0x2001_0DB8_0000_0000, 32), (0x2001_0000_0000_0000, 23),
    ]
}
