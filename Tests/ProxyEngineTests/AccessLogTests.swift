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

    @Test("an answer that was handed on has one whole line, without its query")
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
