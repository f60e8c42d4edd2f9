import Foundation
import Logging
import TestSupport
import Testing

@Suite("the access log", .blocking)
struct AccessLogTests {
    /// The one line, with `S` for times and `N` for a problem's length.
    private func line(_ proxy: ProxyFixture) throws -> String {
        try eventually("a line of the access log") { !proxy.log.exchanges.isEmpty }
        let line = try #require(proxy.log.exchanges.first)
        #expect(line.level == .info)
        return line.metadata.replacing(#/_seconds":[0-9]+(\.[0-9]+)?(e-[0-9]+)?/#, with: #"_seconds":S"#)
    }

    @Test("a response that was relayed has one whole line, without its query")
    func relayed() throws {
        let upstream = try ScriptedUpstream(answering: .status(201, body: "abcde"))
        try withProxy(to: upstream) { proxy in
            let fields = [("X-Request-Id", "line-1")]
            _ = try proxy.exchange("POST", "/p/a/b?key=secret", fields: fields, body: "{}")
            let expected =
                #""request_id":"line-1","provider":"p","method":"POST","path":"/p/a/b","upstream_status":201,"#
                + #""status":201,"attempts":1,"queue_seconds":S,"upstream_seconds":S,"own_seconds":S,"#
                + #""request_bytes":2,"response_bytes":5"#
            let line = try line(proxy)
            #expect(line.contains(expected), "\(line)")
        }
    }

    @Test("a problem's line has its code and origin, and the bytes that were sent")
    func problem() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy in
            upstream.stop()
            let response = try proxy.exchange("GET", "/p/a", fields: [("X-Request-Id", "line-2")])
            let expected =
                #""request_id":"line-2","provider":"p","method":"GET","path":"/p/a","status":502,"#
                + #""code":"provider_unreachable","origin":"network","attempts":\#(attempts(response)),"#
                + #""queue_seconds":S,"upstream_seconds":S,"own_seconds":S,"#
                + #""request_bytes":0,"response_bytes":\#(response.body.bytes.count)"#
            let line = try line(proxy)
            #expect(line.contains(expected), "\(line)")
        }
    }

    private func attempts(_ response: RawResponse) -> String { response.problem["attempts"] ?? "0" }

    @Test(
        "the log has Weir's id of a request and the provider's, whatever became of it",
        arguments: [200, 302, 404, 503])
    func bothIDs(status: Int) throws {
        for (name, value, body) in [
            ("X-Request-Id", "theirs-1", ""), ("x-correlation-id", "theirs-1", ""),
            ("CF-RAY", "theirs-1", ""),
            ("X-Other", "x", #"{"request_id":"theirs-1"}"#),
        ] {
            let upstream = try ScriptedUpstream(
                answering: .status(status, fields: [(name, value)], body: body))
            for raw in [[], [("X-Error-Format", "raw")]] {
                try withProxy(to: upstream) { proxy throws in
                    let response = try proxy.exchange(
                        "GET", "/p/x", fields: [("X-Request-Id", "ours-1")] + raw)
                    #expect(response.status == status)
                    let line = try line(proxy)
                    #expect(line.contains(#""request_id":"ours-1""#), "\(line)")
                    let isTold = name != "X-Other" || status >= 400
                    #expect(line.contains(#""upstream_request_id":"theirs-1""#) == isTold, "\(line)")
                    if status >= 400, raw.isEmpty {
                        let page = try proxy.exchange("GET", "/-/requests/ours-1").text
                        #expect(page.contains(#""request_id":"ours-1""#), "\(page)")
                        #expect(page.contains(#""upstream_request_id":"theirs-1""#), "\(page)")
                    }
                }
            }
        }
    }

    @Test("an id of the provider's that repeats a credential is not in the log")
    func secretID() throws {
        let key = "s3cret-k3y-0123"
        let upstream = try ScriptedUpstream(answering: .ok(fields: [("X-Request-Id", "id-\(key)-1")]))
        for (provider, fields) in [("credential: \(key)", []), ("", [("Authorization", "Bearer \(key)")])] {
            try withProxy(to: upstream, provider: provider) { proxy throws in
                try proxy.exchange("GET", "/p/x", fields: fields)
                let line = try line(proxy)
                #expect(
                    line.contains(#""upstream_request_id":"id-[redacted]-1""#) && !line.contains(key),
                    "\(line)")
            }
        }
        // However it is spelled, and wherever the request has it.
        let spellings = [Data(key.utf8).base64EncodedString(), "%73" + key.dropFirst()]
        for spelling in spellings + [key] {
            let upstream = try ScriptedUpstream(answering: .ok(fields: [("X-Request-Id", spelling)]))
            for (provider, fields) in [
                ("credential: \(key)", []), ("", [("Authorization", "Bearer \(key)")]),
                ("", [("Authorization", "Basic \(Data("\(key):".utf8).base64EncodedString())")]),
            ] {
                try withProxy(to: upstream, provider: provider) { proxy throws in
                    try proxy.exchange("GET", "/p/x", fields: fields)
                    let line = try line(proxy)
                    #expect(line.contains(#""upstream_request_id":"[redacted]""#), "\(line)")
                }
            }
        }
    }

    @Test("log.access off leaves the lines out", arguments: [true, false])
    func off(isOn: Bool) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        var log: LogRecord?
        try withProxy(to: upstream, settings: "log: { access: \(isOn ? "on" : "off") }") { proxy in
            for path in ["/p/a", "/nowhere"] { _ = try proxy.exchange("GET", path) }
            log = proxy.log
        }
        // It has ended: nothing is written any more.
        #expect(log?.exchanges.count == (isOn ? 2 : 0))
    }
}
