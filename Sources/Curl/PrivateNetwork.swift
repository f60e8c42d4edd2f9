internal import CCurl
internal import Glibc

/// The addresses that no provider on the Internet has: a name that resolves to one is a mistake or an attack.
enum PrivateNetwork {
    static func contains(_ address: inout curl_sockaddr) -> Bool {
        let family = address.family
        return unsafe withUnsafeBytes(of: &address.addr) { bytes in
            switch family {
            case AF_INET: return unsafe isPrivate(ipv4: Array(bytes[4..<8]))
            case AF_INET6:
                // sockaddr_in6 is longer than the sockaddr that the field is declared as; libcurl allocates room for it.
                return unsafe isPrivate(
                    ipv6: [UInt8](UnsafeRawBufferPointer(start: bytes.baseAddress! + 8, count: 16)))
            default: return true
            }
        }
    }

    /// RFC 6890: this network, private, shared, loopback, link-local, and multicast and above.
    static func isPrivate(ipv4 a: [UInt8]) -> Bool {
        switch (a[0], a[1]) {
        case (0, _), (10, _), (127, _), (100, 64...127), (169, 254), (172, 16...31), (192, 168), (224..., _):
            return true
        case (192, 0): return a[2] == 0
        case (198, 18...19): return true
        default: return false
        }
    }

    /// RFC 6890 and 4193: unspecified, loopback, unique local, link-local, multicast; and IPv4 inside IPv6.
    static func isPrivate(ipv6 a: [UInt8]) -> Bool {
        if a[0..<10].allSatisfy({ $0 == 0 }) {
            if a[10] == 0xFF, a[11] == 0xFF { return isPrivate(ipv4: Array(a[12..<16])) }
            return a[10..<16].dropLast().allSatisfy { $0 == 0 } && a[15] <= 1
        }
        if a[0] == 0, a[1] == 0x64, a[2] == 0xFF, a[3] == 0x9B { return isPrivate(ipv4: Array(a[12..<16])) }
        return a[0] & 0xFE == 0xFC || (a[0] == 0xFE && a[1] & 0xC0 == 0x80) || a[0] == 0xFF
    }
}
