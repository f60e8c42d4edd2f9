internal import CCurl
internal import Glibc

/// An address that a name resolved to, before anything is connected to it.
public enum ResolvedAddress: Hashable, Sendable {
    /// The 32 bits of an IPv4 address, the first octet highest.
    case v4(UInt32)
    /// The 128 bits of an IPv6 address.
    case v6(high: UInt64, low: UInt64)

    /// The address that libcurl is about to connect to; `nil` for another family.
    init?(_ address: inout curl_sockaddr) {
        // The address follows the family and port, in IPv6 the flow as well. `sockaddr_in6` is longer than the field is declared to be;
        // libcurl has the room.
        let family = address.family
        let octets: [UInt8] = unsafe withUnsafePointer(to: &address.addr) { pointer in
            let start = unsafe UnsafeRawPointer(pointer)
            switch family {
            case AF_INET: return unsafe [UInt8](UnsafeRawBufferPointer(start: start + 4, count: 4))
            case AF_INET6: return unsafe [UInt8](UnsafeRawBufferPointer(start: start + 8, count: 16))
            default: return []
            }
        }
        func number(_ range: Range<Int>) -> UInt64 { octets[range].reduce(0) { $0 << 8 | UInt64($1) } }
        switch octets.count {
        case 4: self = .v4(UInt32(number(0..<4)))
        case 16: self = .v6(high: number(0..<8), low: number(8..<16))
        default: return nil
        }
    }
}
