import Core
import Testing

struct IPAddressTests {
    @Test(
        "an address is formatted as in RFC 5952",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("255.255.255.255", "255.255.255.255"), ("::", "::"), ("::1", "::1"),
            ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"),
            ("1::", "1::"), ("0:0:1::", "0:0:1::"), ("::ffff:192.0.2.1", "::ffff:c000:201"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func spelling(text: String, spelled: String) throws {
        let address = try #require(IPAddress(parsing: text))
        #expect(address.description == spelled)
        #expect(IPAddress(parsing: spelled) == address)
    }

    @Test(
        "a text that is not exactly an address is rejected",
        arguments: [
            "", "1", "127.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1",
            "+1.2.3.4",
            ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8:9", "12345::",
            "g::",
            "::1%eth0", "[::1]", "1.2.3.4::", "::1.2.3.4:1", "1:2:3:4:5:6:7:1.2.3.4", "::+1", "::-1", "1:",
            ":1",
            "::ffff:256.1.1.1", "١.2.3.4",
        ])
    func noAddress(text: String) { #expect(IPAddress(parsing: text) == nil) }

    @Test(
        "an address outside the public Internet is private, also inside an IPv6 address",
        arguments: [
            "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.255.255",
            "192.168.0.1",
            "198.19.0.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "ff02::1",
            "2001:db8::1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "2001::1",
        ])
    func privateAddresses(text: String) throws { #expect(try #require(IPAddress(parsing: text)).isPrivate) }

    @Test(
        "an address of the public Internet is not private",
        arguments: [
            "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1",
            "223.255.255.255",
            "2606:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1",
        ])
    func publicAddresses(text: String) throws { #expect(try !#require(IPAddress(parsing: text)).isPrivate) }
}
