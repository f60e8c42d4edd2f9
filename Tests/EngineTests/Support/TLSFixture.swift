import Engine
import TestSupport
import Testing

/// An authority, certificates of it for listeners, and what clients see of them.
struct TLSFixture {
    let authority: PrivateAuthority
    let identity: PrivateAuthority.Identity

    init() throws {
        authority = try PrivateAuthority()
        identity = try authority.issue()
    }

    /// The provider `p`, at a port of its own that speaks TLS.
    func provider(
        _ upstream: ScriptedUpstream, identity: PrivateAuthority.Identity? = nil, minimum: String = "1.2"
    ) -> String {
        let identity = identity ?? self.identity
        let files = "certificate: '\(identity.certificatePath)', key: '\(identity.keyPath)'"
        return """
            p: { profile: generic, upstream: '\(upstream.url)', listen: { address: 127.0.0.1:0, \
            tls: { \(files), min_version: '\(minimum)' } } }
            """
    }

    /// Runs `body` with Weir, the port that speaks TLS, and a relay that plain clients reach it through.
    func withProxy(
        to upstream: ScriptedUpstream, minimum: String = "1.2", workers: Int = 1, limits: String = "",
        _ body: (_ proxy: ProxyFixture, _ port: UInt16, _ relay: TLSRelay) throws -> Void
    ) throws {
        try EngineTests.withProxy(
            "providers: { \(provider(upstream, minimum: minimum)) }", upstreams: [upstream],
            workers: workers, limits: limits
        ) { proxy in
            let port = try #require(proxy.providerPorts["p"])
            try body(proxy, port, try TLSRelay(to: port, trusting: authority))
        }
    }

    /// What `openssl s_client` says of a connection that ends at once, after these arguments.
    func handshake(_ port: UInt16, _ arguments: String..., input: String = "") throws -> Subprocess.Outcome {
        try Subprocess.run(
            "openssl",
            ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", authority.root.certificatePath]
                + arguments, input: Array(input.utf8))
    }

    /// The name in the certificate that is shown.
    func subject(_ port: UInt16) throws -> String? {
        PrivateAuthority.subject(in: try handshake(port).output)
    }
}
