import Foundation
import Locking
import TestSupport
import Testing

@Suite("weir doctor", .blocking)
struct DoctorTests {
    private static let secret = "sk-live-4f9a8b7c6d5e"

    /// A finding as `--json` prints it.
    private struct Finding: Decodable {
        var result: String
        var of: String
        var check: String
        var found: String
        var advice: String?
    }

    private struct Report: Decodable {
        var healthy: Bool
        var findings: [Finding]

        subscript(of: String, check: String) -> Finding? {
            findings.first { $0.of == of && $0.check == check }
        }
    }

    private static let profile = """
        name: mine
        credential: { found_in: bearer, sent_as: bearer }
        probe: { request: GET /me, account: /name }
        rate_fields: { limit: X-RateLimit-Limit, remaining: X-RateLimit-Remaining, reset: X-RateLimit-Reset }
        """

    /// Runs the command for a provider `p` with the profile above, and checks that its output has no key.
    private func examine(
        _ upstream: String, provider: String = "", settings: String = "", arguments: [String] = [],
        environment: [String: String] = [:]
    ) throws -> (report: Report, code: Int32?, text: String) {
        let folder = try TemporaryDirectory()
        try folder.write(Self.profile, to: "mine.yaml")
        let more = provider.isEmpty ? "" : ", \(provider)"
        let file = try folder.write(
            """
            listen: 127.0.0.1:0
            \(settings)
            providers:
              p: { profile: ./mine.yaml, upstream: '\(upstream)'\(more) }
            """, to: "weir.yaml")
        let outcome = try CommandLine.run(
            ["doctor", "--config", file, "--json"] + arguments, environment: environment)
        let text = outcome.output + outcome.errorOutput
        #expect(!text.contains(Self.secret), "\(text)")
        let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
        #expect((outcome.code == 0) == report.healthy && [0, 1].contains(outcome.code))
        return (report, outcome.code, text)
    }

    private static let guarded = """
        location /v1/me {
            if ($http_authorization != "Bearer \(secret)") { return 401 '{"message":"bad key"}'; }
            add_header X-RateLimit-Limit 20;
            add_header X-RateLimit-Remaining 19;
            return 200 '{"name":"Acme"}';
        }
        """

    @Test("a set-up in order is healthy, and the findings have the facts")
    func healthy() throws {
        let nginx = try Nginx(server: Self.guarded)
        let provider = """
            credential: \(Self.secret), limits: [{ requests: 20, per: 2s }], \(nginx.authority.trust)
            """
        let (report, code, text) = try examine(nginx.url + "/v1", provider: provider)
        #expect(code == 0, "\(text)")
        #expect(report["p", "names"]?.found.hasPrefix("localhost: ") == true)
        #expect(report["p", "connection"]?.found.contains(" ms") == true)
        let tls = try #require(report["p", "tls"])
        #expect(tls.result == "ok" && tls.found.hasPrefix("TLSv1."))
        #expect(tls.found.contains(", server, issued by Weir test authority, 1 certificate, "))
        #expect(tls.found.hasSuffix("expires in 29 days") || tls.found.hasSuffix("expires in 30 days"))
        #expect(report["p", "clock"]?.result == "ok")
        #expect(report["p", "credential"]?.found == "accepted as Acme (200)")
        #expect(report["p", "limits"]?.found == "the provider reports 20, as configured")
        let probes = nginx.accessLog.split(separator: "\n").filter { $0.contains("/v1/me") }
        #expect(probes.count == 1 && probes[0].hasPrefix(#""GET /v1/me HTTP/1.1" 200"#))
    }

    @Test("a rejected key and another limit are findings with advice, and the exit code is 1")
    func rejected() throws {
        let nginx = try Nginx(server: Self.guarded)
        let (report, code, _) = try examine(
            nginx.url + "/v1", provider: "credential: sk-live-other-key, \(nginx.authority.trust)")
        #expect(code == 1)
        let wrong = report.findings.filter { $0.result == "wrong" }
        #expect(wrong.map(\.check) == ["credential"])
        #expect(wrong.first?.found == "rejected with 401 unauthenticated: bad key")
        #expect(wrong.first?.advice != nil)
        let upstream = try ScriptedUpstream(
            answering: .status(200, fields: [("X-RateLimit-Limit", "5"), ("X-RateLimit-Remaining", "4")]))
        let (other, otherCode, _) = try examine(
            upstream.url, provider: "credential: \(Self.secret), limits: [{ requests: 20, per: 2s }]")
        #expect(otherCode == 0 && other["p", "limits"]?.result == "warning")
    }

    @Test("an expired or unknown certificate is described, and no key is sent to its server")
    func untrusted() throws {
        let expired = try Nginx(isExpired: true, server: Self.guarded)
        let (report, code, _) = try examine(
            expired.url + "/v1", provider: "credential: \(Self.secret), \(expired.authority.trust)")
        #expect(code == 1 && report["p", "credential"]?.result == "skipped")
        let tls = try #require(report["p", "tls"])
        #expect(tls.result == "wrong" && tls.found.contains("certificate has expired"))
        #expect(tls.found.contains("server, issued by Weir test authority, expired ") && tls.advice != nil)
        #expect(!expired.accessLog.contains("/v1/me"))
        let unknown = try examine(expired.url, provider: "credential: \(Self.secret)").report["p", "tls"]
        #expect(unknown?.result == "wrong" && unknown?.found.contains("not trusted") == true)
    }

    @Test("a provider that is not there, and one without TLS on its port, are wrong")
    func unreachable() throws {
        let port = try FreePort.next()
        let (report, code, _) = try examine(
            "http://127.0.0.1:\(port)", provider: "credential: \(Self.secret)")
        #expect(code == 1)
        #expect(report["p", "connection"]?.found == "127.0.0.1 port \(port): Connection refused")
        #expect(report["p", "credential"]?.result == "skipped")
        let plain = try ScriptedUpstream(answering: .ok())
        let (other, _, _) = try examine("https://localhost:\(plain.endpoint.port)")
        #expect(other["p", "tls"]?.result == "wrong")
        #expect(other["p", "credential"]?.found == "the app sends it")
    }

    @Test("offline, nothing is sent, and what needs no network is checked")
    func offline() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let (report, code, _) = try examine(
            upstream.url, provider: "credential: YOUR_API_KEY", arguments: ["--offline"])
        #expect(code == 1 && upstream.requestCount == 0 && upstream.connectionCount == 0)
        #expect(report["p", "credential"]?.found.contains("placeholder") == true)
        #expect(report["p", "connection"] == nil && report["process", "descriptors"] != nil)
        let (other, _, _) = try examine(
            upstream.url, provider: "credential: \(Self.secret)", arguments: ["--offline"])
        #expect(other["p", "credential"]?.result == "skipped" && upstream.connectionCount == 0)
    }

    @Test("a placeholder is never sent")
    func placeholder() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let (report, code, _) = try examine(upstream.url, provider: "credential: changeme")
        #expect(code == 1 && report["p", "credential"]?.result == "wrong" && upstream.requestCount == 0)
    }

    @Test("probes wait for the configured limits, like any other request")
    func paced() throws {
        let upstream = try ScriptedUpstream(answering: .status(200, body: "{}"))
        let limit = "group: team, limits: [{ requests: 1, per: 1h, by: group }], max_wait: 0s"
        let more =
            "credential: \(Self.secret), \(limit) }\n  q: { profile: ./mine.yaml, upstream: '\(upstream.url)'"
        let (report, code, _) = try examine(
            upstream.url, provider: "\(more), credential: \(Self.secret), \(limit)")
        #expect(code == 0 && upstream.requestCount == 1)
        let found = ["p", "q"].compactMap { report[$0, "credential"] }
        #expect(found.map(\.result).sorted() == ["ok", "warning"])
        #expect(found.contains { $0.found.hasPrefix("not checked: 429 throttled") })
    }

    @Test("each of several keys is probed, and named by its position")
    func severalKeys() throws {
        let upstream = try ScriptedUpstream { exchange in
            let isGood = exchange.request.fields["Authorization"] == "Bearer \(Self.secret)"
            try exchange.respond(isGood ? .status(200, body: #"{"name":"Acme"}"#) : .status(401))
        }
        let (report, code, _) = try examine(
            upstream.url, provider: "credential: [\(Self.secret), sk-live-other-key, changeme]")
        #expect(code == 1 && upstream.requestCount == 2)
        #expect(report["p", "credential"]?.found == "accepted as Acme (200)")
        #expect(report["p key 2", "credential"]?.found.hasPrefix("rejected with 401") == true)
        #expect(report["p key 3", "credential"]?.found.contains("placeholder") == true)
        #expect(report.findings.count { $0.check == "connection" } == 1)
    }

    @Test("a difference of clocks is found by the response's date")
    func clock() throws {
        let upstream = try ScriptedUpstream(
            answering: .status(200, fields: [("Date", "Tue, 01 Jan 2030 00:00:00 GMT")], body: "{}"))
        let (report, code, _) = try examine(upstream.url, provider: "credential: \(Self.secret)")
        #expect(code == 1 && report["p", "clock"]?.result == "wrong")
        #expect(report["p", "clock"]?.found.hasSuffix("behind the provider's") == true)
    }

    @Test("a response that repeats the key, or is no HTTP, shows none of it")
    func hostile() throws {
        let echoing = try ScriptedUpstream(answering: .status(200, body: #"{"name":"\#(Self.secret)"}"#))
        let (report, _, _) = try examine(echoing.url, provider: "credential: \(Self.secret)")
        #expect(report["p", "credential"]?.found == "accepted as [redacted] (200)")
        let garbage = try ScriptedUpstream(answering: .raw("SSH-2.0-OpenSSH \(Self.secret)\r\n"))
        let (other, code, _) = try examine(garbage.url, provider: "credential: \(Self.secret)")
        #expect(code == 1 && other["p", "credential"]?.found.contains("provider_bad_response") == true)
    }

    @Test("without --json, a table with the advice and a summary is printed, and no progress into a pipe")
    func table() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            "listen: 127.0.0.1:0\nproviders: { p: { profile: generic, upstream: 'http://127.0.0.1:9', credential: xxx } }",
            to: "weir.yaml")
        let outcome = try CommandLine.run("doctor", "--config", file, "--offline")
        #expect(outcome.code == 1 && outcome.errorOutput.isEmpty)
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("result") == true)
        #expect(lines.contains { $0.hasPrefix("wrong") && $0.contains("looks like a placeholder") })
        #expect(lines.contains { $0.contains("→ replace it with your key") })
        #expect(lines.last?.hasPrefix("1 wrong, ") == true)
    }

    @Test("mistakes of the configuration are reported as usual, and an unknown option is a usage error")
    func mistakes() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("providerz: {}", to: "weir.yaml")
        let outcome = try CommandLine.run("doctor", "--config", file)
        #expect(outcome.code == 1 && outcome.errorOutput.hasPrefix("\(file):1:1: providerz: unknown key"))
        #expect(try CommandLine.run("doctor", "--online").code == 64)
    }
}
