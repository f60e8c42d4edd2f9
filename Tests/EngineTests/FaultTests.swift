import TestSupport
import Testing

/// A provider's misdeed before any answer, and what it must become.
struct Misdeed: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let code: String
    let status: Int
    let effect: String
    let proxyStatus: String
    let act: ScriptedUpstream.Handler

    init(
        _ name: String, _ code: String, _ status: Int, effect: String = "unknown", _ proxyStatus: String,
        _ act: @escaping ScriptedUpstream.Handler
    ) {
        testDescription = name
        self.code = code
        self.status = status
        self.effect = effect
        self.proxyStatus = proxyStatus
        self.act = act
    }

    static func sends(
        _ name: String, _ code: String, _ status: Int, _ proxyStatus: String, _ bytes: String,
        then ending: ScriptedResponse.Ending = .close
    ) -> Misdeed {
        Misdeed(name, code, status, proxyStatus) { exchange in
            try exchange.respond(ScriptedResponse(bytes: bytes.latin1Bytes, ending: ending))
        }
    }
}

@Suite(.blocking) struct FaultTests {
    static let misdeeds: [Misdeed] = [
        Misdeed("reset", "connection_lost", 502, "connection_terminated") { $0.reset() },
        Misdeed("close", "connection_lost", 502, "connection_terminated") { $0.close() },
        Misdeed("silence", "provider_timeout", 504, "http_response_timeout") { _ in },
        .sends(
            "close within the status line", "connection_lost", 502, "connection_terminated", "HTTP/1.1 20"),
        .sends(
            "close within the fields", "connection_lost", 502, "connection_terminated",
            "HTTP/1.1 200 OK\r\nX-A: 1\r\nX-"),
        .sends(
            "close behind a field", "connection_lost", 502, "connection_terminated",
            "HTTP/1.1 200 OK\r\nX-A: 1\r\n"),
        .sends(
            "close behind an interim answer", "connection_lost", 502, "connection_terminated",
            "HTTP/1.1 103 Early\r\n\r\n"),
        .sends(
            "reset within the fields", "connection_lost", 502, "connection_terminated",
            "HTTP/1.1 200 OK\r\nX-A: 1\r\nX-",
            then: .reset),
        .sends(
            "stall within the fields", "provider_timeout", 504, "http_response_timeout",
            "HTTP/1.1 200 OK\r\nX-A: 1\r\n",
            then: .stall),
        Misdeed("garbage", "provider_bad_response", 502, "http_protocol_error") { try $0.respond(.garbage) },
        .sends("HTTP/0.9", "provider_bad_response", 502, "http_protocol_error", "<html>hello</html>\r\n"),
        .sends(
            "another protocol", "provider_bad_response", 502, "http_protocol_error", "SSH-2.0-OpenSSH_9.2\r\n"
        ),
        .sends(
            "HTTP/3 in text", "provider_bad_response", 502, "http_protocol_error", "HTTP/3.0 200 OK\r\n\r\n"),
        .sends("no status code", "provider_bad_response", 502, "http_protocol_error", "HTTP/1.1 OK\r\n\r\n"),
        .sends(
            "status code 99", "provider_bad_response", 502, "http_protocol_error", "HTTP/1.1 099 OK\r\n\r\n"),
        .sends(
            "a line without a colon", "provider_bad_response", 502, "http_protocol_error",
            "HTTP/1.1 200 OK\r\nhello\r\n\r\n"),
        .sends(
            "a blank before the colon", "provider_bad_response", 502, "http_protocol_error",
            "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok"),
        .sends(
            "a control character in a field", "provider_bad_response", 502, "http_protocol_error",
            "HTTP/1.1 200 OK\r\nX-A: a\u{1}b\r\nContent-Length: 0\r\n\r\n"),
        .sends(
            "a NUL in a field", "provider_bad_response", 502, "http_protocol_error",
            "HTTP/1.1 200 OK\r\nX-A: a\u{0}b\r\nContent-Length: 0\r\n\r\n"),
        .sends(
            "differing lengths", "provider_bad_response", 502, "http_protocol_error",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk"),
        .sends(
            "a length that is no number", "provider_bad_response", 502, "http_protocol_error",
            "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok"),
        .sends(
            "a negative length", "provider_bad_response", 502, "http_protocol_error",
            "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"),
        .sends(
            "a length beyond all numbers", "provider_bad_response", 502, "http_protocol_error",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok"),
        .sends(
            "a head beyond 1 MiB", "provider_bad_response", 502, "http_response_header_section_size",
            "HTTP/1.1 200 OK\r\n"
                + String(repeating: "X-A: \(String(repeating: "a", count: 1000))\r\n", count: 1100) + "\r\n"),
        .sends(
            "a field beyond 1 MiB", "provider_bad_response", 502, "http_response_header_section_size",
            "HTTP/1.1 200 OK\r\nX-A: \(String(repeating: "a", count: 1_200_000))\r\n\r\n"),
        .sends(
            "an unknown transfer coding", "provider_bad_response", 502, "http_response_transfer_coding",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: snail\r\n\r\nok"),
    ]

    @Test("a provider that gives no usable answer is a problem that says so", arguments: misdeeds)
    func misdeed(_ misdeed: Misdeed) throws {
        let upstream = try ScriptedUpstream(handler: misdeed.act)
        let limit = misdeed.code == "provider_timeout" ? "1s" : "60s"
        try withProxy(to: upstream, provider: "timeouts: { response: \(limit) }") { proxy throws in
            let client = try proxy.client()
            for method in ["GET", "POST"] {
                let response = try client.exchange(method, "/p/x", body: method == "POST" ? "{}" : "")
                #expect(response.status == misdeed.status)
                #expect(response.problem["code"] == misdeed.code)
                #expect(response.problem["origin"] == "network")
                #expect(response.problem["provider"] == "p")
                #expect(response.problem["effect"] == misdeed.effect)
                #expect(response.problem["attempts"] == "1")
                let isTransient = misdeed.code != "provider_bad_response"
                #expect(response.problem["retryable"] == (isTransient && method == "GET" ? "true" : "false"))
                let proxyStatus = try #require(response.fields["Proxy-Status"])
                #expect(proxyStatus.contains("; error=\(misdeed.proxyStatus)"), "\(proxyStatus)")
                #expect(response.fields["Cache-Control"] == "no-store")
            }
            #expect(upstream.requestCount == 2)
            let errors = "weir_errors_total{provider=\"p\",origin=\"network\",code=\"\(misdeed.code)\"}"
            #expect(try proxy.metric(errors) == 2)
        }
    }

    // MARK: No connection

    private func expectUnreachable(
        _ response: RawResponse, _ code: String, _ status: Int, proxyStatus: String, isRetryable: Bool = true
    ) {
        #expect(response.status == status)
        #expect(response.problem["code"] == code)
        #expect(response.problem["effect"] == "none")
        #expect(response.problem["retryable"] == "\(isRetryable)")
        #expect(response.problem["attempts"] == nil)
        #expect(response.fields["Proxy-Status"]?.hasSuffix("; error=\(proxyStatus)") == true)
    }

    @Test(
        "a provider that refuses connections was never asked: even a POST may be sent again",
        arguments: ["GET", "POST"])
    func refused(method: String) throws {
        let upstream = try ScriptedUpstream()
        upstream.stop()
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange(method, "/p/x", body: method == "POST" ? "{}" : "")
            expectUnreachable(response, "provider_unreachable", 502, proxyStatus: "connection_refused")
        }
    }

    @Test("a provider whose name does not resolve was never asked")
    func unresolved() throws {
        try withProxy("providers: { p: { profile: generic, upstream: 'http://name.invalid' } }") {
            proxy throws in
            let response = try proxy.exchange("POST", "/p/x", body: "{}", within: .seconds(30))
            expectUnreachable(response, "provider_unreachable", 502, proxyStatus: "dns_error")
        }
    }

    @Test("a provider that does not accept in time was never asked")
    func connectTimeout() throws {
        let full = try FullListener()
        let provider =
            "{ profile: generic, upstream: 'http://127.0.0.1:\(full.port)', timeouts: { connect: 300ms } }"
        try withProxy("providers: { p: \(provider) }") { proxy throws in
            // libcurl closes such a socket without a word; whose number it gets next is served nevertheless: a client, or another try.
            var clients: [RawClient] = []
            for _ in 1...3 {
                let client = try proxy.client()
                let response = try client.exchange("POST", "/p/x", body: "{}")
                expectUnreachable(response, "provider_timeout", 504, proxyStatus: "connection_timeout")
                clients.append(client)
                let next = try proxy.client()
                #expect(try next.exchange("GET", "/metrics").status == 200)
                clients.append(next)
            }
            let again = try clients[1].exchange("POST", "/p/x", body: "{}")
            expectUnreachable(again, "provider_timeout", 504, proxyStatus: "connection_timeout")
        }
    }

    @Test("a name that leads to a private address is refused unless that is allowed")
    func privateName() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        // RFC 6761 6.3: a name that leads to this machine wherever it is looked up.
        let url = "http://provider.localhost:\(upstream.port)"
        for isAllowed in [false, true] {
            let more = isAllowed ? ", allow_private: on" : ""
            try withProxy("providers: { p: { profile: generic, upstream: '\(url)'\(more) } }") {
                proxy throws in
                let response = try proxy.exchange("POST", "/p/x", body: "{}")
                if isAllowed { return #expect(response.status == 200) }
                expectUnreachable(
                    response, "provider_unreachable", 502, proxyStatus: "destination_ip_prohibited",
                    isRetryable: false)
                #expect(upstream.connectionCount == 0)
            }
        }
    }

    @Test(
        "a TLS handshake that the provider never answers was no request",
        arguments: ["1.1", "auto"], ["https", "proxy"])
    func silentHandshake(http: String, peer: String) throws {
        // Its connections are accepted by the system, and read by nobody.
        let silent = try ScriptedUpstream()
        let upstream =
            peer == "https"
            ? "upstream: 'https://localhost:\(silent.port)'"
            : "upstream: 'https://provider.example', proxy: 'http://127.0.0.1:\(silent.port)'"
        let provider = "{ profile: generic, \(upstream), http: '\(http)', timeouts: { connect: 300ms } }"
        try withProxy("providers: { p: \(provider) }") { proxy throws in
            let response = try proxy.exchange("POST", "/p/x", body: "{}")
            expectUnreachable(response, "provider_timeout", 504, proxyStatus: "connection_timeout")
        }
    }

    @Test("a provider that never reads a large request did not respond in time")
    func unreadRequest() throws {
        let upstream = try ScriptedUpstream(receiveBuffer: 65_536)
        try withProxy(to: upstream, provider: "timeouts: { response: 300ms }") { proxy throws in
            let client = try proxy.client()
            let sender = Background {
                let body = [UInt8](repeating: 0x78, count: 20_000_000)
                try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n")
                try client.send(body)
            }
            let exchange = try upstream.expectRequestHead()
            let response = try client.readResponse()
            #expect(response.status == 504)
            #expect(response.problem["code"] == "provider_timeout")
            #expect(response.problem["effect"] == "unknown")
            #expect(response.problem["retryable"] == "false")
            // What the client goes on sending is read for a while, or refused.
            _ = try? sender.join()
            #expect(try !exchange.readBody(keeping: false).isComplete)
        }
    }

    // MARK: A connection that dies

    @Test(
        "a request on a reused connection that dies is sent once",
        arguments: ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"], [false, true])
    func reusedConnection(method: String, isReset: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            guard exchange.request.target == "/last" else { return try exchange.respond(.ok()) }
            if isReset { exchange.reset() } else { exchange.close() }
        }
        let hasBody = ["POST", "PATCH"].contains(method)
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            #expect(try client.exchange("GET", "/p/first").status == 200)
            let response = try client.exchange(method, "/p/last", body: hasBody ? "{}" : "")
            #expect(response.status == 502)
            #expect(response.fields["X-Error-Code"] == "connection_lost")
            if method != "HEAD" {
                #expect(response.problem["effect"] == "unknown")
                #expect(response.problem["retryable"] == (hasBody ? "false" : "true"))
            }
            #expect(upstream.requests.map(\.target) == ["/first", "/last"])
            #expect(upstream.requests.map(\.connection) == [0, 0])
        }
    }

    @Test(
        "a body in chunks on a reused connection that dies is sent once", arguments: ["POST", "PUT"],
        [false, true])
    func reusedConnectionWithChunks(method: String, isReset: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            guard exchange.request.target == "/last" else { return try exchange.respond(.ok()) }
            if isReset { exchange.reset() } else { exchange.close() }
        }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for target in ["first", "last"] {
                let head = "\(method) /p/\(target) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                try client.send("\(head)2\r\n{}\r\n0\r\n\r\n")
                let response = try client.readResponse()
                if target == "first" {
                    #expect(response.status == 200)
                } else {
                    #expect(response.problem["code"] == "connection_lost")
                    #expect(response.problem["effect"] == "unknown")
                }
            }
            #expect(upstream.requests.map(\.target) == ["/first", "/last"])
            #expect(upstream.requests.map(\.connection) == [0, 0])
        }
    }

    /// How a provider ends a connection that nobody uses.
    enum IdleEnd: CaseIterable, Sendable {
        case close, reset, farewell, stray

        func end(_ exchange: UpstreamExchange) throws {
            switch self {
            case .close: exchange.close()
            case .reset: exchange.reset()
            case .farewell:
                try exchange.send("HTTP/1.1 408 Request Time-out\r\nContent-Length: 0\r\n\r\n")
                exchange.close()
            case .stray: try exchange.send("HTTP/1.1 201 Nobody asked\r\nContent-Length: 0\r\n\r\n")
            }
        }
    }

    @Test(
        "an idle connection that the provider ended, or sent something on, is not used again",
        arguments: IdleEnd.allCases, ["GET", "POST", "PUT"])
    func idleConnectionEnded(idleEnd: IdleEnd, method: String) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream) { proxy throws in
            for number in 0..<3 {
                let client = try proxy.client()
                let body =
                    method == "GET" ? "" : String(repeating: "b", count: method == "POST" ? 2 : 100_000)
                let sending = Background { try client.request(method, "/p/x", body: body) }
                let exchange = try upstream.expectRequest()
                try sending.join()
                try exchange.respond(.ok("\(number)"))
                let response = try client.readResponse()
                #expect(response.status == 200)
                #expect(response.text == "\(number)")
                try idleEnd.end(exchange)
                #expect(exchange.request.connection == number)
                // Weir has seen it once it has served something else that came later.
                #expect(try proxy.exchange("GET", "/livez").status == 200)
            }
        }
    }
}

@Suite(.blocking) struct TotalTimeoutTests {
    @Test(
        "an exchange that takes longer than its total time ends, whatever goes on", arguments: [false, true])
    func total(hasHead: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            if hasHead { try exchange.send("HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n") }
            while true {
                if hasHead { try exchange.send("x") }
                try exchange.expectSilence(for: .milliseconds(20))
            }
        }
        try withProxy(to: upstream, provider: "timeouts: { total: 300ms }") { proxy throws in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.status == (hasHead ? 200 : 504))
            #expect(response.isComplete == !hasHead)
            if !hasHead { #expect(response.problem["code"] == "provider_timeout") }
            try proxy.expectNothingInFlight()
            let series = "weir_errors_total{provider=\"p\",origin=\"network\",code=\"provider_timeout\"}"
            #expect(try proxy.metric(series) == 1)
        }
    }
}
