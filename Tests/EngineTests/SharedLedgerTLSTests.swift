import TestSupport
import Testing

@Suite("a shared ledger whose server is reached over TLS", .blocking)
struct SharedLedgerTLSTests {
    private static let limits = "limits: [{ requests: 10, per: 500ms, by: provider }]"

    /// A Redis server with a certificate of `authority`.
    private struct Server {
        let redis: RedisServer
        let port: UInt16

        init(_ identity: PrivateAuthority.Identity, authority: PrivateAuthority, _ settings: [String] = [])
            throws
        {
            port = try FreePort.next()
            redis = try RedisServer(
                ["--tls-port", "\(port)", "--bind", "127.0.0.1", "--tls-cert-file", identity.certificatePath]
                    + [
                        "--tls-key-file", identity.keyPath, "--tls-ca-cert-file",
                        authority.root.certificatePath,
                    ]
                    + settings)
        }
    }

    @Test("instances count together over TLS, with a certificate of their own, a user and a password")
    func shared() throws {
        let authority = try PrivateAuthority()
        let server = try Server(authority.issue(), authority: authority)
        try server.redis.command("ACL", "SETUSER", "weir", "on", ">pass:w@rd", "~weir:*", "&weir:*", "+@all")
        let client = try authority.issue("client", hosts: ["weir"])
        let yaml = """

              url: rediss://localhost:\(server.port)/1
              user: weir
              password: 'pass:w@rd'
              tls:
                ca_file: \(authority.root.certificatePath)
                client_certificate: \(client.certificatePath)
                client_key: \(client.keyPath)
                min_version: "1.3"
            """
        try Fleet.run(of: 2, requests: 20, per: .seconds(2), redis: server.redis, ledger: yaml) { fleet in
            try fleet.waitUntilShared(database: 1)
            for client in try fleet.send(15) {
                #expect(try client.readResponse(within: .seconds(60)).status == 200)
            }
            #expect(fleet.provider.refusals == 0)
        }
    }

    @Test("a server that crashes and returns is used again")
    func returns() throws {
        let authority = try PrivateAuthority()
        let server = try Server(
            authority.issue(), authority: authority,
            ["--tls-auth-clients", "no", "--requirepass", "right-secret"])
        try withLedger("{ url: 'rediss://:right-secret@127.0.0.1:\(server.port)', \(authority.trust) }") {
            proxy in
            try eventually("the ledger to be in use", within: .seconds(60)) {
                try proxy.metric("weir_ledger_up") == 1
            }
            try server.redis.kill()
            try eventually("the loss to be noticed", within: .seconds(60)) {
                try proxy.metric("weir_ledger_up") == 0
            }
            #expect(try proxy.exchange("GET", "/p/a", within: .seconds(60)).status == 200)
            let again = try server.redis.startAgain()
            try eventually("the ledger to be in use again", within: .seconds(60)) {
                try proxy.metric("weir_ledger_up") == 1
            }
            #expect(try proxy.exchange("GET", "/p/a", within: .seconds(60)).status == 200)
            withExtendedLifetime(again) {}
        }
    }

    /// What is wrong with a server, and a part of the reason that is logged.
    enum Fault: String, CaseIterable {
        case otherAuthority, otherHost, expired
        case demandsCertificate
        case noTLS
        case absent

        var reason: String {
            switch self {
            case .otherAuthority, .otherHost, .expired: "its certificate is not trusted"
            // The alert is lost if the server resets the connection behind it.
            case .demandsCertificate: "TLS"
            // Redis waits for the rest of what it takes for a command.
            case .noTLS: "did not respond in time"
            case .absent: "Connection refused"
            }
        }
    }

    @Test("what is wrong with the server is logged, without the password", arguments: Fault.allCases)
    func reported(fault: Fault) throws {
        let authority = try PrivateAuthority()
        let identity = try authority.issue(
            hosts: fault == .otherHost ? ["redis.example"] : ["127.0.0.1"], isExpired: fault == .expired)
        let trusted = fault == .otherAuthority ? try PrivateAuthority() : authority
        var port = try FreePort.next()
        var server: Any?
        switch fault {
        case .absent: break
        case .noTLS: server = try RedisServer(["--port", "\(port)", "--bind", "127.0.0.1"])
        default:
            let strict = fault == .demandsCertificate
            let started = try Server(
                identity, authority: authority, ["--tls-auth-clients", strict ? "yes" : "no"])
            (server, port) = (started, started.port)
        }
        try withLedger("{ url: 'rediss://:secret@127.0.0.1:\(port)', \(trusted.trust) }") { proxy in
            try eventually("the log to report the loss", within: .seconds(60)) {
                proxy.log.text.contains("uses its own share")
            }
            #expect(proxy.log.text.contains(fault.reason), "\(proxy.log.text)")
            #expect(!proxy.log.text.contains("secret"))
            #expect(try proxy.metric("weir_ledger_up") == 0)
        }
        withExtendedLifetime(server) {}
    }

    private func withLedger(_ ledger: String, _ body: (ProxyFixture) throws -> Void) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(
            to: upstream, provider: Self.limits, settings: "replicas: 2\nledger: \(ledger)", body)
    }
}
