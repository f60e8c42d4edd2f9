import Core
import Testing
import Wire

@Suite("under which names Weir's own credential can be used")
struct HostGuardTests {
    private func allows(_ host: String, _ names: String...) throws -> Bool {
        let patterns = try names.map { name throws in try HostPattern(parsing: name) }
        return HostGuard.allows(Array(host.utf8).span, names: patterns)
    }

    @Test(
        "an address and localhost are nobody's name",
        arguments: [
            "127.0.0.1", "127.0.0.1:8080", "192.0.2.200:1", "0.0.0.0", "[::1]", "[2001:db8::1]:8080",
            "localhost",
            "LocalHost:8080", "localhost.", "127.0.0.1.", "",
        ])
    func addresses(_ host: String) throws { #expect(try allows(host)) }

    @Test(
        "any other name is one",
        arguments: [
            "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "127.0.0", "127.0.0.256",
            "127.0.0.1.1",
            "1270.0.0.1", "127.0.0.", "127..0.1", ".", "localhost.evil.example", "xlocalhost", "%31.0.0.1",
            "1",
        ])
    func names(_ host: String) throws { #expect(try !allows(host)) }

    @Test("names that are listed are allowed, whatever their case and port")
    func listed() throws {
        #expect(try allows("API.internal:81", "other", "api.Internal"))
        #expect(try allows("api.internal.", "api.internal"))
        #expect(try !allows("a.api.internal", "api.internal"))
        #expect(try !allows("xapi.internal", "api.internal"))
        #expect(try allows("a.b.Internal", "*.internal") && allows("x.internal:1", "*.INTERNAL"))
        #expect(try !allows("internal", "*.internal") && !allows(".internal", "*.internal"))
        #expect(try !allows("xinternal", "*.internal"))
        #expect(try allows("evil.example", "*"))
    }

    @Test(
        "what is no name is none",
        arguments: ["", "*.", "a:80", "a b", "*a", "a.*", ".a", "a.", "[::1]", "é", "http://a", "a/b"])
    func noNames(_ text: String) {
        #expect(throws: InvalidSetting.self) { try HostPattern(parsing: text) }
    }

    @Test("a pattern is spelled as it was read")
    func spelling() throws {
        let patterns = try ["*", "A.b", "*.A"].map { text throws in try HostPattern(parsing: text) }
        #expect(patterns.map(\.description) == ["*", "a.b", "*.a"])
    }
}
