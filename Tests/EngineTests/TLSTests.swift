import TestSupport
import Testing

@Suite("a provider behind TLS", .blocking)
struct TLSTests {
    private static func provider(
        _ nginx: Nginx, _ tls: String? = nil, url: String? = nil, rest: String = ""
    ) -> String {
        let trust = tls ?? "ca_file: \(nginx.authority.root.certificatePath)"
        let tls = trust.isEmpty ? "" : ", tls: { \(trust) }"
        return "providers: { p: { profile: generic, upstream: '\(url ?? nginx.url)'\(tls)\(rest) } }"
    }

    @Test(
        "a certificate of the configured authority is trusted, and its connection used again",
        arguments: [true, false])
    func trusted(http2: Bool) throws {
        let nginx = try Nginx(http2: http2)
        try withProxy(Self.provider(nginx)) { proxy in
            let client = try proxy.client()
            for index in 1...5 {
                let response = try client.exchange("GET", "/p/echo/\(index)?x=%2F")
                #expect(response.status == 200)
                #expect(response.text.contains(#""target":"/echo/\#(index)?x=%2F""#))
            }
            let large = String(repeating: "x", count: 1 << 20)
            #expect(try client.exchange("POST", "/p/take", body: large).text == #"{"ok":true}"#)
            #expect(try proxy.metric(#"weir_upstream_connections_opened_total{provider="p"}"#) == 1)
        }
    }

    @Test("a further connection resumes the TLS session", arguments: [true, false])
    func resumed(http2: Bool) throws {
        let nginx = try Nginx(
            http2: http2,
            server:
                "ssl_protocols TLSv1.3; keepalive_timeout 0; location /session { return 200 '{\"resumed\":\"$ssl_session_reused\"}'; }"
        )
        try withProxy(Self.provider(nginx)) { proxy in
            let client = try proxy.client()
            #expect(try client.exchange("GET", "/p/session").text == #"{"resumed":"."}"#)
            for _ in 0..<3 { #expect(try client.exchange("GET", "/p/session").text == #"{"resumed":"r"}"#) }
            #expect(try proxy.metric(#"weir_upstream_connections_opened_total{provider="p"}"#) == 4)
        }
    }

    @Test("an error of the provider's is a problem as without TLS")
    func errors() throws {
        let nginx = try Nginx(server: "location /missing { return 404 '{\"message\":\"No such thing\"}'; }")
        try withProxy(Self.provider(nginx)) { proxy in
            let response = try proxy.exchange("GET", "/p/missing")
            #expect(response.status == 404)
            #expect(response.code == "not_found")
            #expect(response.problem["detail"] == "No such thing")
        }
    }

    private func expectFailure(_ configuration: String, because reason: String) throws {
        try withProxy(configuration) { proxy in
            for method in ["GET", "POST"] {
                let response = try proxy.exchange(method, "/p/echo")
                #expect(response.status == 502)
                #expect(response.code == "tls_failure")
                #expect(response.problem["origin"] == "network")
                #expect(response.problem["effect"] == "none")
                #expect(response.problem["attempts"] == nil)
                let detail = response.problem["detail"] ?? ""
                #expect(detail.hasPrefix("The provider's certificate is not trusted: "))
                #expect(detail.contains(reason), "\(detail)")
                #expect(!detail.contains("/") && detail.utf8.count < 300)
                #expect(response.fields["Proxy-Status"]?.contains("error=tls_certificate_error") == true)
            }
        }
    }

    @Test("a certificate for another name is refused, and nothing sent")
    func otherName() throws {
        let nginx = try Nginx(hosts: ["other.example"])
        try expectFailure(Self.provider(nginx), because: "'localhost'")
        #expect(nginx.accessLog == "")
    }

    @Test("the certificate must be for the address, where that is what is configured")
    func address() throws {
        let nginx = try Nginx(hosts: ["localhost"])
        let provider = Self.provider(nginx, url: "https://127.0.0.1:\(nginx.port)")
        try expectFailure(provider, because: "'127.0.0.1'")
    }

    @Test("a certificate that is not valid any more is refused", arguments: ["1.1", "auto"])
    func expired(http: String) throws {
        let nginx = try Nginx(isExpired: true)
        try expectFailure(Self.provider(nginx, rest: ", http: '\(http)'"), because: "certificate has expired")
        #expect(nginx.accessLog == "")
    }

    @Test("an authority that is not configured is not trusted")
    func otherAuthority() throws {
        let nginx = try Nginx()
        let other = try PrivateAuthority()
        let issuer = "unable to get local issuer certificate"
        try expectFailure(
            Self.provider(nginx, "ca_file: \(other.root.certificatePath)"), because: issuer)
        try expectFailure(Self.provider(nginx, ""), because: issuer)
        #expect(nginx.accessLog == "")
    }

    @Test("a provider that asks for Weir's certificate gets it; without one it refuses")
    func clientCertificate() throws {
        let clients = try PrivateAuthority()
        let identity = try clients.issue("weir")
        let nginx = try Nginx(
            server: "ssl_client_certificate \(clients.root.certificatePath); ssl_verify_client on;")
        let trust = "ca_file: \(nginx.authority.root.certificatePath)"
        let shown =
            "\(trust), client_certificate: \(identity.certificatePath), client_key: \(identity.keyPath)"
        try withProxy(Self.provider(nginx, shown)) { proxy in
            let response = try proxy.exchange("GET", "/p/echo")
            #expect(response.status == 200)
        }
        try withProxy(Self.provider(nginx, trust)) { proxy in
            let response = try proxy.exchange("GET", "/p/echo")
            #expect(response.status == 400)
            #expect(response.problem["origin"] == "provider")
        }
    }

    @Test("a provider that speaks TLS 1.2 at most is refused where 1.3 is the minimum")
    func minimumVersion() throws {
        let nginx = try Nginx(server: "ssl_protocols TLSv1.2;")
        let trust = "ca_file: \(nginx.authority.root.certificatePath)"
        try withProxy(Self.provider(nginx, trust)) { proxy in
            let response = try proxy.exchange("GET", "/p/echo")
            #expect(response.status == 200)
        }
        try withProxy(Self.provider(nginx, "\(trust), min_version: '1.3'")) { proxy in
            let response = try proxy.exchange("GET", "/p/echo")
            #expect(response.code == "tls_failure")
        }
    }

    @Test("a provider that speaks nothing later than TLS 1.1 is always refused")
    func oldVersion() throws {
        let nginx = try Nginx(server: "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;")
        let authority = nginx.authority.root.certificatePath
        // Such a server serves whoever asks for it.
        let old = try Subprocess.run(
            "curl",
            [
                "-s", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0", "--cacert", authority,
                "https://localhost:\(nginx.port)/echo",
            ])
        #expect(old.output.contains("GET"))
        try withProxy(Self.provider(nginx, "ca_file: \(authority)")) { proxy in
            let response = try proxy.exchange("GET", "/p/echo")
            #expect(response.code == "tls_failure")
            #expect(response.problem["effect"] == "none")
        }
    }

    @Test("files that are no certificates fail the connection, and say so")
    func badFiles() throws {
        let nginx = try Nginx()
        let directory = try TemporaryDirectory()
        let nonsense = try directory.write("nonsense", to: "nonsense.pem")
        let trust = "ca_file: \(nginx.authority.root.certificatePath)"
        for tls in ["ca_file: \(nonsense)", "\(trust), client_certificate: \(nonsense)"] {
            try withProxy(Self.provider(nginx, tls)) { proxy in
                let response = try proxy.exchange("GET", "/p/echo")
                #expect(response.code == "tls_failure")
                #expect(response.problem["effect"] == "none")
            }
        }
    }
}
