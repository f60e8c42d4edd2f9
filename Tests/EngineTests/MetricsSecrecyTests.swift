import TestSupport
import Testing

@Suite("secrets", .blocking)
struct MetricsSecrecyTests {
    private static let secret = "s3cr3t-0123456789-abcdef"
    /// `:` and the secret in base 64, as it stands on the wire.
    private static let coded = "OnMzY3IzdC0wMTIzNDU2Nzg5LWFiY2RlZg=="

    @Test(
        "no credential and no path shows in problems, metrics, pages or the log",
        arguments: ["lemlist", "lettr"])
    func nowhere(profile: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            let echo =
                #"{"message":"No access for \#(Self.secret)","error_code":"\#(Self.secret)","#
                + #""errors":{"key":["\#(Self.secret) is not valid"]},"error":"\#(Self.secret)"}"#
            try exchange.respond(.status(422, fields: [("Content-Type", "application/json")], body: echo))
        }
        let provider =
            "providers: { p: { profile: \(profile), upstream: '\(upstream.url)', upstream_body: true,"
            + " limits: [{ requests: 100, per: 1s, by: credential }] } }"
        try withProxy(provider, upstreams: [upstream]) { proxy in
            let place = profile == "lemlist" ? "Basic \(Self.coded)" : "Bearer \(Self.secret)"
            let authorization = [("Authorization", place)]
            var seen = ""
            func send(_ target: String, _ fields: [(String, String)] = [], method: String = "POST") throws {
                let response = try proxy.exchange(method, target, fields: fields, body: Self.secret)
                seen += "\(response.fields)\n\(response.text)\n"
            }
            try send("/p/campaigns", authorization)
            if profile == "lemlist" { try send("/p/campaigns?access_token=\(Self.secret)") }
            try send("/nowhere?access_token=\(Self.secret)", authorization)
            try send("/p/a?key=\(Self.secret)", authorization + [("Expect", Self.secret)])
            try send("/p/a?key=\(Self.secret)", authorization + [("Content-Length", "x")])
            try send("http://other.test/?key=\(Self.secret)", authorization)
            let broken = try proxy.client()
            try broken.send("GET /p/a?key=\(Self.secret) HTTP/9.9\r\nHost\r\nX \(Self.secret)\r\n\r\n")
            try broken.shutdownWrite()
            seen += (try? broken.readResponse().text) ?? ""
            for page in ["/metrics", "/-/", "/-/errors", "/-/errors/not_found", "/-/nothing?\(Self.secret)"] {
                seen += try proxy.exchange("GET", page, fields: authorization).text
            }
            #expect(seen.contains("[redacted]"))
            for secret in [Self.secret, Self.coded] {
                #expect(!seen.contains(secret), "\(seen)")
                #expect(!proxy.log.text.contains(secret), "\(proxy.log.text)")
            }
            let metrics = try proxy.metricLines().joined(separator: "\n")
            #expect(!metrics.contains("campaigns") && !metrics.contains("nowhere"))
            try eventually("the access log") { proxy.log.exchanges.count >= 4 }
        }
    }

    @Test("the provider sees one credential where Weir holds it")
    func replaced() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, provider: "credential: \(Self.secret)") { proxy in
            let theirs = [
                ("Authorization", "Basic OmNsaWVudA=="), ("X-API-Key", "client"), ("X-Other", "kept"),
            ]
            let response = try proxy.exchange("GET", "/p/a", fields: theirs)
            #expect(response.status == 200)
            let fields = try #require(upstream.requests.first?.fields)
            #expect(fields.values(of: "Authorization") == ["Bearer \(Self.secret)"])
            #expect(fields["X-API-Key"] == nil)
            #expect(fields["X-Other"] == "kept")
        }
    }

    @Test("a credential that Weir holds reaches only the provider")
    func injected() throws {
        let upstream = try ScriptedUpstream { exchange in
            let sent = exchange.request.fields["Authorization"] ?? ""
            try exchange.respond(.status(400, body: "what is \(Self.secret), or \(sent)?"))
        }
        let provider =
            "providers: { p: { profile: lemlist, upstream: '\(upstream.url)', credential: \(Self.secret) } }"
        try withProxy(provider, upstreams: [upstream]) { proxy in
            let fields = [("Authorization", "Basic OmNsaWVudA==")]
            let response = try proxy.exchange("GET", "/p/a", fields: fields)
            #expect(
                upstream.requests.map { $0.fields.values(of: "Authorization") } == [["Basic \(Self.coded)"]])
            #expect(!response.text.contains(Self.secret))
            #expect(!proxy.log.text.contains(Self.secret))
            #expect(try proxy.exchange("GET", "/-/").text.contains(Self.secret) == false)
        }
    }
}
