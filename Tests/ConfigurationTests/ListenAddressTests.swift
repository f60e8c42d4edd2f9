import Core
import Testing

struct ListenAddressTests {
    @Test("every form of an address is read")
    func forms() throws {
        #expect(try ListenAddress(parsing: "127.0.0.1:8080") == .tcp(.v4(0x7F00_0001), port: 8080))
        #expect(try ListenAddress(parsing: "localhost:0") == .tcp(.v4(0x7F00_0001), port: 0))
        #expect(try ListenAddress(parsing: "[::1]:65535") == .tcp(.v6(high: 0, low: 1), port: 65535))
        #expect(try ListenAddress(parsing: "unix:/run/weir.sock") == .unix(path: "/run/weir.sock"))
    }

    @Test(
        "an address is spelled as it is read", arguments: ["127.0.0.1:8080", "[::1]:0", "unix:/run/w.sock"])
    func spelling(text: String) throws { #expect(try ListenAddress(parsing: text).description == text) }

    @Test(
        "anything else is refused",
        arguments: [
            "", "8080", ":8080", "*:8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
            "127.0.0.1:+1", "127.0.0.1:80 ", "example.com:80", "::1:80", "[::1]", "[127.0.0.1]:80", "[::1:80",
            "unix:", "unix:relative", "unix:/dir/", "http://127.0.0.1:80", "127.0.0.1:٨٠",
            "unix:/" + String(repeating: "x", count: 107),
        ])
    func refused(text: String) { #expect(throws: InvalidSetting.self) { try ListenAddress(parsing: text) } }

    @Test("two addresses conflict if one socket would take the other's connections")
    func conflicts() throws {
        func conflict(_ one: String, _ other: String) throws -> Bool {
            let (one, other) = (try ListenAddress(parsing: one), try ListenAddress(parsing: other))
            let answer = one.conflicts(with: other)
            #expect(answer == other.conflicts(with: one))
            return answer
        }
        #expect(try conflict("127.0.0.1:80", "127.0.0.1:80"))
        #expect(try conflict("127.0.0.1:80", "0.0.0.0:80"))
        #expect(try conflict("127.0.0.1:80", "[::]:80"))
        #expect(try conflict("unix:/a", "unix:/a"))
        #expect(try !conflict("127.0.0.1:80", "127.0.0.2:80"))
        #expect(try !conflict("127.0.0.1:80", "127.0.0.1:81"))
        #expect(try !conflict("127.0.0.1:0", "127.0.0.1:0"))
        #expect(try !conflict("unix:/a", "127.0.0.1:80"))
    }
}
