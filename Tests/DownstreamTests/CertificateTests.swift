import Downstream
import TestSupport
import Testing

@Suite("certificates that are read", .blocking)
struct CertificateTests {
    @Test("the names and the time of each certificate of a chain are read, in its order")
    func chain() throws {
        let authority = try PrivateAuthority()
        let own = try authority.issue("api.example.com", isExpired: true)
        let chain = try Subprocess.run(
            "cat", [own.certificatePath, own.keyPath, authority.root.certificatePath])
        let found = Certificate.all(in: chain.output)
        #expect(found.map(\.subject) == ["api.example.com", "Weir test authority"])
        #expect(found.map(\.issuer) == ["Weir test authority", "Weir test authority"])
        // 2020-01-01 and 2020-01-02.
        #expect(found.first?.begins == 1_577_836_800 && found.first?.ends == 1_577_923_200)
        let root = try #require(found.last)
        #expect(root.ends - root.begins == 2_592_000)
    }

    @Test(
        "any other text has no certificate",
        arguments: [
            "", "nonsense", "-----BEGIN CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ])
    func others(_ text: String) {
        #expect(Certificate.all(in: text).isEmpty)
    }
}
