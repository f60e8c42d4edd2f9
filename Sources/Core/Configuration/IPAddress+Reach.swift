extension IPAddress {
    /// Whether this is not of the public Internet: loopback, private, link-local, reserved, multicast.
    ///
    /// The blocks are those of the IANA special-purpose address registries (RFC 6890) that are not globally
    /// reachable. An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) is judged itself.
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
