import Configuration
import Core
import Testing
import Wire

@Suite("the probe of a profile")
struct ProfileProbeTests {
    private func read(_ text: String) throws -> ProfileProbe {
        let profile = try ProfileReader.read(text: "name: mine\n" + text, file: "p.yaml", generic: nil)
        return try #require(profile.probe)
    }

    @Test("a probe is the GET of one path, with a query if it needs one")
    func request() throws {
        #expect(try read("probe: { request: GET /team }").path == "/team")
        #expect(try read("probe: { request: 'GET /lists?count=1' }").path == "/lists?count=1")
    }

    @Test(
        "a probe that could change something, or that is no single request, is a mistake",
        arguments: [
            "POST /team", "get /team", "GET team", "GET", "'GET  /team'", "'GET /a/{b}'", "GET /a/*",
            "'GET /a#b'",
            "GET /a/../b", "GET /a/%2e%2e/b", "GET /%zz", "GET /ä",
        ])
    func wrong(_ text: String) {
        #expect(throws: ConfigurationMistakes.self) { try read("probe: { request: \(text) }") }
    }

    @Test("a mistake names the key and what is allowed")
    func mistake() {
        do {
            _ = try ProfileReader.read(
                text: "name: mine\nprobe: { account: /name }", file: "p.yaml", generic: nil)
            Issue.record("no mistake")
        } catch {
            #expect(
                error.all.map(\.description) == [
                    "p.yaml:2:8: probe: needs 'request', such as GET /account"
                ])
        }
    }

    @Test("the account is read from the body or from a field of the response")
    func account() throws {
        let body = Array(#"{"data":{"team_id":123},"name":" Acme\u0007\n "}"#.utf8)
        var fields = FieldBlock()
        fields.append("X-Account", "acme-1")
        func name(_ place: String) throws -> String? {
            try read("probe: { request: GET /a, account: \(place) }").accountName(fields: fields, body: body)
        }
        #expect(try name("/data/team_id") == "123")
        #expect(try name("/name") == "Acme")
        #expect(try name("'$..team_id'") == "123")
        #expect(try name("{ at: header X-Account }") == "acme-1")
        #expect(try name("/data") == nil)
        #expect(try name("/nothing") == nil)
        #expect(try read("probe: { request: GET /a }").accountName(fields: fields, body: body) == nil)
        let long = Array(#"{"name":"\#(String(repeating: "a", count: 500))"}"#.utf8)
        let probe = try read("probe: { request: GET /a, account: /name }")
        #expect(probe.accountName(fields: fields, body: long)?.count == 100)
        #expect(probe.accountName(fields: fields, body: Array("no JSON".utf8)) == nil)
    }

    @Test("the built-in profiles with a documented request of this kind have a probe")
    func builtIn() {
        let probed = BuiltInProfiles.all.filter { $0.probe != nil }.map(\.name)
        #expect(
            probed.sorted() == [
                "brevo", "github", "instantly", "lemlist", "lettr", "openai", "resend", "smartlead",
            ])
    }
}
