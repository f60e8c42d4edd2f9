import Core
import Testing

@Suite("the standing of a credential that Weir holds")
struct CredentialStandingTests {
    private static let day: Int64 = 86_400

    private func expect(
        _ standing: CredentialStanding, _ state: CredentialStanding.State, since: Int64, at seconds: Int64
    ) {
        let found = standing.state(at: seconds)
        #expect(found.state == state && found.since == since, "\(found)")
    }

    @Test("a standing changes with each verdict that says something, and keeps the time of the change")
    func verdicts() {
        var standing = CredentialStanding(since: 10)
        expect(standing, .unused, since: 10, at: 20)
        standing.record(.open, isQuarantined: false, at: 20)
        expect(standing, .unused, since: 10, at: 20)
        standing.record(.taken, isQuarantined: false, at: 30)
        standing.record(.taken, isQuarantined: false, at: 40)
        expect(standing, .accepted, since: 30, at: 50)
        standing.record(.refused, isQuarantined: false, at: 60)
        standing.record(.refused, isQuarantined: false, at: 70)
        expect(standing, .refused, since: 60, at: 80)
        standing.record(.refused, isQuarantined: true, at: 90)
        standing.record(.refused, isQuarantined: true, at: 150)
        standing.record(.open, isQuarantined: true, at: 160)
        expect(standing, .quarantined, since: 90, at: 170)
        standing.record(.taken, isQuarantined: false, at: 180)
        expect(standing, .accepted, since: 180, at: 190)
    }

    @Test("a credential is expiring from a week before its end, but not while it is refused")
    func expiring() {
        let end = 100 * Self.day
        var standing = CredentialStanding(expiry: end, since: 0)
        expect(standing, .unused, since: 0, at: 93 * Self.day - 1)
        expect(standing, .expiring, since: 93 * Self.day, at: 93 * Self.day)
        standing.record(.taken, isQuarantined: false, at: 94 * Self.day)
        expect(standing, .expiring, since: 94 * Self.day, at: 95 * Self.day)
        expect(standing, .expiring, since: 94 * Self.day, at: end + 1)
        standing.record(.refused, isQuarantined: false, at: 96 * Self.day)
        expect(standing, .refused, since: 96 * Self.day, at: 97 * Self.day)
        #expect(standing.expiry == end)
    }

    @Test("a reading has the position, the state and the end of a credential")
    func reading() {
        let reading = CredentialReading(
            position: 2, of: CredentialStanding(expiry: 100 * Self.day, since: 5), at: 99 * Self.day)
        #expect(
            reading
                == CredentialReading(
                    position: 2, state: .expiring, since: 93 * Self.day, expiry: 100 * Self.day))
    }

    // The token of RFC 7519 3.1, without its line ends, with `exp` 1300819380.
    private static let token =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    @Test("a JSON Web Token says when it expires")
    func webToken() {
        #expect(CredentialExpiry.seconds(of: Self.token) == 1_300_819_380)
    }

    @Test(
        "any other credential has no known end",
        arguments: [
            "", "key", "a.b.c", "..", "lttr_0123456789", token + ".x", "x" + token.dropFirst(20),
            String(token.dropLast(44)),
            "eyJhbGciOiJub25lIn0.eyJleHAiOiJuZXZlciJ9.x", "eyJhbGciOiJub25lIn0.eyJleHAiOi01fQ.x",
            "eyJhbGciOiJub25lIn0.eyJleHAiOjFlOTl9.x", "eyJhbGciOiJub25lIn0.bm8gSlNPTg.x",
            String(repeating: "a", count: 20_000) + ".b.c",
        ])
    func others(_ text: String) {
        #expect(CredentialExpiry.seconds(of: text) == nil)
    }
}
