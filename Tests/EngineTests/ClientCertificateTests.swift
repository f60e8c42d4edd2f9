import Core
import Engine
import TestSupport
import Testing

@Suite("clients with certificates", .blocking)
struct ClientCertificateTests {
    private let tls: TLSFixture
    private let clients: PrivateAuthority

    init() throws {
        tls = try TLSFixture()
        clients = try PrivateAuthority()
    }

    /// Two ports that speak TLS: that of `p` asks clients for certificates, that of `q` does not.
    private func withPorts(
        minimum: String = "1.2",
        _ body: (_ upstream: ScriptedUpstream, _ asking: UInt16, _ open: UInt16) throws -> Void
    ) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let files = "certificate: '\(tls.identity.certificatePath)', key: '\(tls.identity.keyPath)'"
        func provider(_ more: String) -> String {
            "{ profile: generic, upstream: '\(upstream.url)', listen: { address: 127.0.0.1:0, tls: { \(files)\(more) } } }"
        }
        let authority = ", client_ca: '\(clients.root.certificatePath)', min_version: '\(minimum)'"
        try withProxy("providers: { p: \(provider(authority)), q: \(provider("")) }", upstreams: [upstream]) {
            proxy in
            try body(
                upstream, try #require(proxy.providerPorts["p"]), try #require(proxy.providerPorts["q"]))
        }
    }

    private static let request = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

    /// What a client says that sends a request, with this certificate or none.
    private func ask(
        _ port: UInt16, as identity: PrivateAuthority.Identity? = nil, _ more: String...
    ) throws -> Subprocess.Outcome {
        let own = identity.map { ["-cert", $0.certificatePath, "-key", $0.keyPath] } ?? []
        return try Subprocess.run(
            "openssl",
            [
                "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", tls.authority.root.certificatePath,
                "-ign_eof",
            ]
                + own + more, input: Array(Self.request.utf8))
    }

    @Test("a client with a certificate of the authority is served", arguments: ["-tls1_2", "-tls1_3"])
    func served(version: String) throws {
        let client = try clients.issue("client")
        try withPorts { upstream, port, _ throws in
            #expect(try ask(port, as: client, version).output.contains("HTTP/1.1 200"))
            #expect(upstream.requests.map(\.target) == ["/a"])
        }
    }

    @Test(
        "a client with none, with one of another authority, or with an expired one is refused and told why",
        arguments: ["-tls1_2", "-tls1_3"])
    func refused(version: String) throws {
        let (expired, foreign) = (
            try clients.issue("old", isExpired: true), try tls.authority.issue("foreign")
        )
        try withPorts { upstream, port, open throws in
            for identity in [nil, expired, foreign] {
                let outcome = try ask(port, as: identity, version)
                #expect(!outcome.output.contains("HTTP/1.1"))
                #expect(outcome.errorOutput.contains("alert"), "\(outcome.errorOutput)")
            }
            #expect(upstream.requestCount == 0)
            #expect(try ask(open, version).output.contains("HTTP/1.1 200"))
        }
    }

    @Test(
        "a session of a port that asks for no certificate is not resumed at one that does",
        arguments: ["-tls1_2", "-tls1_3"])
    func tickets(version: String) throws {
        let folder = try TemporaryDirectory()
        let client = try clients.issue("client")
        try withPorts { upstream, asking, open throws in
            let session = folder.path("session")
            #expect(try ask(open, as: nil, version, "-sess_out", session).output.contains("HTTP/1.1 200"))
            #expect(
                try ask(asking, as: nil, version, "-sess_in", session).output.contains("HTTP/1.1") == false)
            #expect(
                try ask(asking, as: client, version, "-sess_out", session).output.contains("HTTP/1.1 200"))
            #expect(
                try ask(asking, as: nil, version, "-sess_in", session).output.contains("HTTP/1.1") == false)
            #expect(upstream.requestCount == 2)
        }
    }

    @Test("authorities that are none are a mistake that shows nothing of them")
    func mistakes() {
        for text in ["", "secret text", "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n"]
        {
            let mistake = ListenerTLS.mistake(inAuthorities: text)
            #expect(mistake?.isEmpty == false && mistake?.contains("secret") == false)
        }
    }
}
