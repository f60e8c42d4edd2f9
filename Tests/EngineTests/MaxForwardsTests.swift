import TestSupport
import Testing

/// RFC 9110 7.6.2.
@Suite("Max-Forwards", .blocking)
struct MaxForwardsTests {
    @Test("Weir answers OPTIONS itself where it must not forward it", arguments: ["0", "00", " 0 "])
    func last(value: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for _ in 1...2 {
                try client.request("OPTIONS", "/p/a", fields: [("max-forwards", value)])
                let response = try client.readResponse()
                #expect(response.status == 204)
                #expect(response.fields["Allow"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
                #expect(response.fields["X-Request-Id"] != nil && response.fields["Content-Length"] == nil)
            }
            // With a body of either kind as well.
            try client.request("OPTIONS", "/p/a", fields: [("Max-Forwards", "0")], body: "hello")
            #expect(try client.readResponse().status == 204)
            try client.request(
                "OPTIONS", "/p/a", fields: [("Max-Forwards", "0"), ("Transfer-Encoding", "chunked")])
            try client.send("5\r\nhello\r\n0\r\n\r\n")
            #expect(try client.readResponse().status == 204)
            #expect(upstream.requestCount == 0)
            #expect(
                try proxy.metric(#"weir_requests_total{provider="p",method="options",status_class="2xx"}"#)
                    == 4)
            #expect(try proxy.exchange("OPTIONS", "/nowhere", fields: [("Max-Forwards", "0")]).status == 404)
        }
    }

    @Test(
        "it goes on with one less",
        arguments: [
            ("1", "0"), ("10", "9"), ("007", "6"), ("9223372036854775807", "9223372036854775806"),
            ("99999999999999999999", "9223372036854775806"),
        ])
    func decremented(value: String, sent: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            #expect(try proxy.exchange("OPTIONS", "/p/a", fields: [("Max-Forwards", value)]).status == 200)
            #expect(upstream.requests.last?.fields.values(of: "Max-Forwards") == [sent])
        }
    }

    @Test("a request without it is forwarded without it")
    func none() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            #expect(try proxy.exchange("OPTIONS", "/p/a").status == 200)
            #expect(upstream.requests.last?.fields["Max-Forwards"] == nil)
        }
    }

    @Test(
        "what is no number is refused",
        arguments: ["", "-1", "1, 1", "one", "0x1", "1.0", "+1", "1\r\nMax-Forwards: 2"])
    func malformed(value: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("OPTIONS /p/a HTTP/1.1\r\nHost: h\r\nMax-Forwards: \(value)\r\n\r\n")
            let response = try client.readResponse()
            #expect(response.status == 400 && response.code == "bad_client_request")
            #expect(upstream.requestCount == 0)
        }
    }

    @Test("it means nothing to other methods", arguments: ["GET", "POST", "DELETE", "FOO", "options"])
    func others(method: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            for value in ["0", "5", "x"] {
                let response = try proxy.exchange(method, "/p/a", fields: [("Max-Forwards", value)])
                #expect(response.status == 200)
                #expect(upstream.requests.last?.fields["Max-Forwards"] == value)
            }
        }
    }

    @Test(
        "TRACE and CONNECT are not implemented, whatever it says", arguments: ["TRACE", "CONNECT"],
        ["", "0", "5"])
    func refused(method: String, value: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let line = value.isEmpty ? "" : "Max-Forwards: \(value)\r\n"
            for target in ["/p/a", "/nowhere", "/metrics", "example.com:443"] {
                let client = try proxy.client()
                try client.send("\(method) \(target) HTTP/1.1\r\nHost: h\r\n\(line)\r\n")
                let response = try client.readResponse()
                #expect(response.status == 501 && response.code == "bad_client_request")
                #expect(response.problem["effect"] == "none" && response.problem["retryable"] == "false")
            }
            #expect(upstream.requestCount == 0)
        }
    }
}
