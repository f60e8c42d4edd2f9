import Testing

@testable import Curl

@Suite("addresses that no provider on the Internet has")
struct PrivateNetworkTests {
    @Test(
        "IPv4",
        arguments: [
            ([0, 0, 0, 0], true), ([10, 1, 2, 3], true), ([11, 0, 0, 0], false), ([100, 63, 0, 1], false),
            ([100, 64, 0, 1], true), ([100, 127, 255, 255], true), ([100, 128, 0, 0], false),
            ([127, 0, 0, 1], true), ([127, 255, 0, 1], true), ([169, 254, 169, 254], true),
            ([169, 253, 0, 1], false), ([172, 15, 0, 1], false), ([172, 16, 0, 1], true),
            ([172, 31, 255, 1], true), ([172, 32, 0, 1], false), ([192, 0, 0, 1], true),
            ([192, 0, 1, 1], false), ([192, 168, 0, 1], true), ([192, 169, 0, 1], false),
            ([198, 18, 0, 1], true), ([198, 20, 0, 1], false), ([224, 0, 0, 1], true),
            ([255, 255, 255, 255], true), ([8, 8, 8, 8], false), ([223, 255, 255, 255], false),
        ] as [([UInt8], Bool)])
    func version4(address: [UInt8], isPrivate: Bool) {
        #expect(PrivateNetwork.isPrivate(ipv4: address) == isPrivate)
        // The same inside IPv6: mapped, and translated (RFC 6052).
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] + address
        #expect(PrivateNetwork.isPrivate(ipv6: mapped) == isPrivate)
        let translated: [UInt8] = [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] + address
        #expect(PrivateNetwork.isPrivate(ipv6: translated) == isPrivate)
    }

    @Test(
        "IPv6, by its first two bytes",
        arguments: [
            (0x2001, false), (0x2606, false), (0xFC00, true), (0xFDFF, true), (0xFE80, true), (0xFEBF, true),
            (0xFF02, true), (0xFB00, false),
        ] as [(UInt16, Bool)])
    func version6(start: UInt16, isPrivate: Bool) {
        let address = [UInt8(start >> 8), UInt8(start & 0xFF)] + [UInt8](repeating: 1, count: 14)
        #expect(PrivateNetwork.isPrivate(ipv6: address) == isPrivate)
    }

    @Test("the unspecified address and loopback of IPv6")
    func short() {
        let zeros = [UInt8](repeating: 0, count: 15)
        #expect(PrivateNetwork.isPrivate(ipv6: zeros + [0]))
        #expect(PrivateNetwork.isPrivate(ipv6: zeros + [1]))
    }
}
