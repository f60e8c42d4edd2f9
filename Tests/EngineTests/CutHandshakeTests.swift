import TestSupport
import Testing

/// A TLS handshake that ends without an alert: the request was not sent, as with a refused connection.
@Suite("a TLS handshake that a provider cuts", .blocking)
struct CutHandshakeTests {
    /// What the provider does with the connection.
    enum Cut: CaseIterable {
        case closes, resets, closesUnread, resetsUnread, closesInRecord, resetsInRecord, closesInHello

        func act(_ connection: SilentConnection) throws {
            switch self {
            case .closesUnread, .resetsUnread: break
            default: try connection.expectBytes()
            }
            switch self {
            // The head of a record, and the head of one with the beginning of a ServerHello.
            case .closesInRecord, .resetsInRecord: try connection.send([0x16, 3, 3])
            case .closesInHello: try connection.send([0x16, 3, 3, 0, 0x40, 2, 0, 0, 0x3C, 3, 3, 1, 2, 3])
            default: break
            }
            switch self {
            case .closes, .closesUnread, .closesInRecord, .closesInHello: connection.close()
            default: connection.reset()
            }
        }
    }

    private func provider(_ peer: HTTP2Peer, _ http: String, _ rest: String) -> String {
        let tls = "tls: { ca_file: \(peer.authority.root.certificatePath) }"
        return
            "providers: { p: { profile: generic, upstream: '\(peer.url)', \(tls), http: '\(http)', \(rest) } }"
    }

    @Test(
        "nothing was sent: the provider is unreachable, the request may be repeated, and its slot is free",
        arguments: Cut.allCases, ["1.1", "auto"])
    func unreachable(cut: Cut, http: String) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, http, "limits: [{ requests: 1, per: 1h, by: provider }], max_wait: 0s"))
        { proxy in
            // The second one would be throttled if the first had used the slot.
            for method in ["POST", "GET"] {
                let client = try proxy.client()
                try client.request(method, "/p/x", body: method == "POST" ? "{}" : "")
                try cut.act(try peer.acceptSilently())
                let response = try client.readResponse()
                #expect(response.status == 502)
                #expect(response.code == "provider_unreachable")
                #expect(response.problem["effect"] == "none")
                #expect(response.problem["retryable"] == "true")
                #expect(response.problem["attempts"] == nil)
            }
        }
    }

    @Test(
        "the request is sent on another connection, if retries are configured", arguments: Cut.allCases,
        ["1.1", "auto"])
    func retry(cut: Cut, http: String) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, http, "limits: [], retries: { max: 1, base: 1ms }")) { proxy in
            let client = try proxy.client()
            try client.request("POST", "/p/x", body: "{}")
            for _ in 0..<2 { try cut.act(try peer.acceptSilently()) }
            let response = try client.readResponse()
            #expect(response.code == "provider_unreachable")
            #expect(try proxy.metric(#"weir_retries_total{provider="p",reason="connection"}"#) == 1)
        }
    }

    @Test(
        "an alert and what is no TLS stay failures of TLS, which nobody repeats",
        arguments: [
            [0x15, 3, 3, 0, 2, 2, 40], [0x15, 3, 3, 0, 2, 2, 70],
            Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8),
        ] as [[UInt8]],
        ["1.1", "auto"])
    func alerts(bytes: [UInt8], http: String) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, http, "limits: []")) { proxy in
            let client = try proxy.client()
            try client.request("POST", "/p/x", body: "{}")
            let connection = try peer.acceptSilently()
            try connection.expectBytes()
            try connection.send(bytes)
            connection.close()
            let response = try client.readResponse()
            #expect(response.code == "tls_failure")
            #expect(response.problem["effect"] == "none")
            #expect(response.problem["retryable"] == "false")
        }
    }

    @Test("a provider that answers a handshake in plain HTTP is a TLS failure", arguments: ["1.1", "auto"])
    func plaintext(http: String) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, http, "limits: []")) { proxy in
            let client = try proxy.client()
            try client.request("POST", "/p/x", body: "{}")
            let connection = try peer.acceptSilently()
            try connection.expectBytes()
            try connection.send(Array("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".utf8))
            connection.close()
            let response = try client.readResponse()
            #expect(response.code == "tls_failure")
            #expect(response.problem["effect"] == "none")
        }
    }
}
