import TestSupport
import Testing

@Suite("the end of a provider's TLS connection", .blocking)
struct TLSEndTests {
    private static func provider(_ peer: TLSProvider, _ more: String = "", url: String? = nil) -> String {
        let tls = peer.authority.trust
        return "providers: { p: { profile: generic, upstream: '\(url ?? peer.url)', \(tls)\(more) } }"
    }

    private static let unframed = [
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello" + String(repeating: "x", count: 100_000),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
    ]

    @Test(
        "a response without a length that ends without a close_notify is never passed on as complete",
        arguments: TLSProvider.Version.allCases, unframed)
    func cut(version: TLSProvider.Version, response: String) throws {
        let peer = try TLSProvider(response: response, ending: .cut, version: version)
        try withProxy(Self.provider(peer)) { proxy in
            for request in ["GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n", "GET /p/x HTTP/1.0\r\nHost: h\r\n\r\n"] {
                let client = try proxy.client()
                try client.send(request)
                // A reset is what a client of HTTP/1.0 sees of it.
                guard let received = try? client.readResponse() else { continue }
                #expect(!received.isWholeSuccess, "\(received.status) \(received.text.prefix(100))")
                if received.status != 200 {
                    #expect(received.code == "connection_lost")
                    #expect(received.problem["effect"] == "unknown")
                }
            }
            try proxy.expectNothingInFlight()
            let series = #"weir_errors_total{provider="p",origin="network",code="connection_lost"}"#
            #expect(try proxy.metric(series) == 2)
        }
    }

    @Test(
        "a response without a length that ends with a close_notify is complete",
        arguments: TLSProvider.Version.allCases, unframed)
    func notified(version: TLSProvider.Version, response: String) throws {
        let peer = try TLSProvider(response: response, ending: .notify, version: version)
        try withProxy(Self.provider(peer)) { proxy in
            for _ in 1...3 {
                let received = try proxy.exchange("GET", "/p/x")
                #expect(received.isWholeSuccess)
                #expect(response.hasSuffix("\r\n\r\n" + received.text))
            }
        }
    }

    private static let framed = [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nConnection: close\r\nETag: \"a\"\r\n\r\n",
    ]

    @Test(
        "a response that says where it ends needs no close_notify",
        arguments: TLSProvider.Version.allCases, framed)
    func framedCut(version: TLSProvider.Version, response: String) throws {
        let peer = try TLSProvider(response: response, ending: .cut, version: version)
        try withProxy(Self.provider(peer)) { proxy in
            for _ in 1...3 {
                let received = try proxy.exchange("GET", "/p/x")
                #expect(response.contains(" \(received.status) ") && received.isComplete)
                #expect(received.text == (received.status == 200 ? "hello" : ""))
            }
        }
    }

    @Test(
        "libcurl's HTTP/1.1 tells a response that is cut from one that ends",
        arguments: TLSProvider.Version.allCases, unframed)
    func libcurl(version: TLSProvider.Version, response: String) throws {
        for ending in [TLSProvider.Ending.cut, .notify] {
            let peer = try TLSProvider(response: response, ending: ending, version: version)
            // The first request, before the provider's version of HTTP is known.
            try withProxy(Self.provider(peer, ", http: auto")) { proxy in
                let received = try proxy.exchange("GET", "/p/x")
                #expect(received.isWholeSuccess == (ending == .notify), "\(ending)")
            }
        }
    }

    @Test("a response to HEAD needs no close_notify", arguments: ["1.1", "auto"])
    func head(http: String) throws {
        let peer = try TLSProvider(response: "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n", ending: .cut)
        try withProxy(Self.provider(peer, ", http: '\(http)'")) { proxy in
            let client = try proxy.client()
            try client.send("HEAD /p/x HTTP/1.1\r\nHost: h\r\n\r\n")
            let received = try client.readResponse(toHead: true)
            #expect(received.status == 200 && received.fields["X-A"] == "1")
        }
    }

    @Test(
        "of an error that is cut off, what has arrived becomes the problem",
        arguments: TLSProvider.Version.allCases, ["1.1", "auto"])
    func error(version: TLSProvider.Version, http: String) throws {
        let response = "HTTP/1.1 404 No\r\nContent-Type: text/plain\r\n\r\nNo such thing"
        let peer = try TLSProvider(response: response, ending: .cut, version: version)
        try withProxy(Self.provider(peer, ", http: '\(http)'")) { proxy in
            let received = try proxy.exchange("GET", "/p/x")
            #expect(received.status == 404 && received.isComplete)
            #expect(received.code == "not_found")
            #expect(received.problem["detail"] == "No such thing")
        }
    }

    @Test("an error that is cut off is not passed on as the whole where errors are raw")
    func rawError() throws {
        let peer = try TLSProvider(
            response: "HTTP/1.1 404 No\r\nContent-Type: text/plain\r\n\r\nNo such", ending: .cut)
        try withProxy(Self.provider(peer, ", errors: raw")) { proxy in
            let received = try proxy.exchange("GET", "/p/x")
            #expect(received.text != "No such" || !received.isComplete)
        }
    }

    @Test("a tunnel through a proxy hides no cut", arguments: TLSProvider.Ending.allCases.dropLast())
    func tunnel(ending: TLSProvider.Ending) throws {
        let peer = try TLSProvider(response: Self.unframed[0], ending: ending)
        let tunnel = try TunnelProxy()
        try withProxy(Self.provider(peer, ", proxy: 'http://127.0.0.1:\(tunnel.port)'")) { proxy in
            let received = try? proxy.exchange("GET", "/p/x")
            #expect((received?.isWholeSuccess ?? false) == (ending == .notify))
        }
    }

    // MARK: Alerts

    private static func withoutCertificate(
        _ version: TLSProvider.Version, clients: PrivateAuthority
    ) throws -> TLSProvider {
        try TLSProvider(
            response: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", ending: .stay, version: version,
            clients: clients)
    }

    @Test(
        "a provider that requires a certificate refuses in TLS: nothing was sent, and the alert is told",
        arguments: TLSProvider.Version.allCases, ["1.1", "auto"])
    func certificateRequired(version: TLSProvider.Version, http: String) throws {
        let peer = try Self.withoutCertificate(version, clients: try PrivateAuthority())
        // One slot: it must be there again for each request.
        let limits = "limits: [{ requests: 1, per: 50s, by: provider }], max_wait: 0s"
        try withProxy(Self.provider(peer, ", http: '\(http)', \(limits)")) { proxy in
            // libcurl does not read an alert if it could not send.
            let large = http == "auto" ? 2 : 3_000_000
            for (method, size) in [("GET", 0), ("POST", 2), ("POST", large), ("PUT", 60_000)] {
                let received = try proxy.exchange(
                    method, "/p/x", body: String(repeating: "x", count: size), within: .seconds(30))
                #expect(received.status == 502)
                #expect(received.problem["effect"] == "none", "\(method) \(size): \(received.text)")
                #expect(received.problem["attempts"] == nil)
                if http == "auto", received.code == "connection_lost" { continue }
                #expect(received.code == "tls_failure")
                #expect(received.problem["retryable"] == "false")
                let detail = received.problem["detail"] ?? ""
                #expect(
                    detail.contains(version == .tls13 ? "certificate required" : "handshake failure"),
                    "\(detail)")
                #expect(!detail.contains("/") && detail.utf8.count < 200)
            }
        }
        #expect(peer.requestCount == 0)
    }

    @Test(
        "a provider that does not trust Weir's certificate refuses in TLS",
        arguments: TLSProvider.Version.allCases)
    func untrusted(version: TLSProvider.Version) throws {
        let peer = try Self.withoutCertificate(version, clients: try PrivateAuthority())
        let other = try PrivateAuthority()
        let stranger = try other.issue("stranger")
        let identity =
            "client_certificate: \(stranger.certificatePath), client_key: \(stranger.keyPath)"
        let tls = "tls: { ca_file: \(peer.authority.root.certificatePath), \(identity) }"
        try withProxy("providers: { p: { profile: generic, upstream: '\(peer.url)', \(tls) } }") { proxy in
            let received = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(received.code == "tls_failure", "\(received.text)")
            #expect(received.problem["effect"] == "none")
            #expect(received.problem["detail"]?.contains("unknown ca") == true)
            #expect(received.fields["Proxy-Status"]?.contains("tls_") == true)
        }
        #expect(peer.requestCount == 0)
    }

    @Test("a reset in place of a response is no word of TLS", arguments: ["1.1", "auto"])
    func reset(http: String) throws {
        let peer = try TLSProvider(response: "", ending: .reset)
        try withProxy(Self.provider(peer, ", http: '\(http)'")) { proxy in
            let received = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(received.code == "connection_lost")
            #expect(received.problem["effect"] == "unknown")
            #expect(received.problem["attempts"] == "1")
        }
    }
}
