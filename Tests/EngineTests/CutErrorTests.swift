import TestSupport
import Testing

/// An error of which not all has come when the problem is made.
@Suite("an error whose body is cut", .blocking)
struct CutErrorTests {
    /// What cuts it.
    enum Cause: CaseIterable {
        case limit, timer, idle, lost, reset

        var settings: String {
            switch self {
            case .timer: "timeouts: { error_body: 300ms }"
            case .idle: "timeouts: { idle: 300ms, error_body: 60s }"
            default: ""
            }
        }

        func finish(_ exchange: UpstreamExchange) throws {
            switch self {
            case .limit: try exchange.send(String(repeating: "x", count: 3000))
            case .timer, .idle: break
            case .lost: exchange.close()
            case .reset: exchange.reset()
            }
        }
    }

    private static let body =
        #"{"message":"The lead is locked.","code":"lead_locked","errors":[{"field":"to","message":"is required"},{"field":"x"#

    @Test(
        "its members that are complete count, whatever cuts it",
        arguments: Cause.allCases, ["Content-Length: 100000\r\n", "Transfer-Encoding: chunked\r\n", ""])
    func members(cause: Cause, framing: String) throws {
        let body = Self.body + String(repeating: "y", count: 1000)
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 422 No\r\nContent-Type: application/json\r\n\(framing)\r\n")
            let size = String(body.utf8.count, radix: 16)
            try exchange.send(framing.hasPrefix("T") ? "\(size)\r\n\(body)\r\n" : body)
            try cause.finish(exchange)
        }
        // Without a length, the end of the connection is that of the body.
        if cause == .lost, framing.isEmpty { return }
        try withProxy(to: upstream, provider: cause.settings, limits: "error_body: 2KiB") { proxy in
            let response = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(response.status == 422)
            #expect(response.problem["detail"] == "The lead is locked.")
            #expect(response.text.contains(#""code":"lead_locked""#))
            #expect(response.text.contains(##""pointer":"#/to""##))
            #expect(!response.text.contains(##""pointer":"#/x""##))
            #expect(!response.text.contains("yyy"))
        }
    }

    @Test("over HTTP/2 as well", arguments: [0, 2, nil] as [UInt32?])
    func http2(code: UInt32?) throws {
        let peer = try HTTP2Peer()
        let tls = "tls: { ca_file: \(peer.authority.root.certificatePath) }, timeouts: { error_body: 300ms }"
        try withProxy(
            "providers: { p: { profile: generic, upstream: '\(peer.url)', \(tls), http: auto, limits: [] } }"
        ) { proxy in
            let client = try proxy.client()
            try client.request("POST", "/p/x", body: "{}")
            let connection = try peer.accept()
            let request = try connection.expectRequest()
            try connection.expectEnd(of: request)
            try connection.send(
                .head(request.stream, status: 422, fields: [("content-type", "application/json")]),
                .data(request.stream, Self.body))
            if let code { try connection.send(.reset(request.stream, code: code)) }
            let response = try client.readResponse()
            #expect(response.status == 422)
            #expect(response.problem["detail"] == "The lead is locked.")
        }
    }

    @Test("a time to wait in a body that is cut behind it pauses the limit")
    func pause() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send(
                "HTTP/1.1 429 No\r\nContent-Length: 1000\r\n\r\n{\"message\":\"Too many requests\",\"retry_after\":30,\"x\":\""
            )
        }
        let settings = "timeouts: { error_body: 200ms }, limits: [{ requests: 100, per: 1s, by: provider }]"
        try withProxy(to: upstream, provider: settings) { proxy in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.code == "rate_limited" && response.retryAfter == 30)
            #expect(try proxy.exchange("GET", "/p/x", fields: [("Prefer", "wait=0")]).code == "throttled")
        }
    }
}
