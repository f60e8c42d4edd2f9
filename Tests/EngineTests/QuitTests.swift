import TestSupport
import Testing

@Suite("requests that change a running Weir", .blocking)
struct QuitTests {
    private static let token = "token-of-the-operator"
    private static let field = ("X-Weir-Token", token)
    private static let settings = "admin: { token: \(token) }"

    @Test(
        "POST /-/quit starts the drain: /readyz returns 503, admin paths stay until its end, and the exit code is 0"
    )
    func quit() throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, drain: "20s", settings: Self.settings)
        let (running, kept) = (try weir.client(), try weir.client())
        try running.request("GET", "/p/a")
        let exchange = try upstream.expectRequest()
        #expect(try kept.exchange("GET", "/readyz").status == 200)
        let response = try kept.exchange("POST", "/-/quit", fields: [Self.field])
        #expect(response.status == 202 && response.text == #"{"status":"draining"}"#)
        try weir.waitUntilDraining()
        #expect(try kept.exchange("POST", "/-/quit", fields: [Self.field]).status == 202)
        #expect(try weir.client().exchange("GET", "/livez").status == 200)
        #expect(try weir.client().exchange("GET", "/metrics").status == 200)
        #expect(try weir.client().exchange("GET", "/-/limits").status == 200)
        #expect(try kept.exchange("GET", "/p/b").code == "shutting_down")
        try exchange.respond(.ok("done"))
        #expect(try running.readResponse().text == "done")
        #expect(try weir.process.waitForExit() == .code(0))
        #expect(weir.process.errorOutput.contains(#""request":"POST /-/quit""#))
    }

    @Test("nothing can be changed without admin.token, and access.token does not enable it")
    func off() throws {
        let weir = try WeirProcess(
            to: try ScriptedUpstream(answering: .ok()), settings: "access: { token: \(Self.token) }")
        let client = try weir.client()
        for (method, path) in [("POST", "/-/quit"), ("PUT", "/-/log-level?level=debug")] {
            let response = try client.exchange(method, path, fields: [Self.field])
            #expect(response.status == 404 && response.code == "route_not_found")
            #expect(response.problem["detail"]?.contains("admin.token") == true)
        }
        #expect(try client.exchange("GET", "/readyz").status == 200)
    }

    @Test("a request without the token, with another method, or from a web page changes nothing")
    func refused() throws {
        let weir = try WeirProcess(to: try ScriptedUpstream(answering: .ok()), settings: Self.settings)
        let client = try weir.client()
        for fields in [[], [("X-Weir-Token", "another-of-21-letters")], [("Authorization", "Bearer x")]] {
            #expect(try client.exchange("POST", "/-/quit", fields: fields).status == 403)
        }
        for fields in [
            [("Origin", "https://evil.example")], [("Sec-Fetch-Site", "cross-site")],
            [("Sec-Fetch-Site", "same-site")],
            [("Origin", "null")],
        ] {
            #expect(try client.exchange("POST", "/-/quit", fields: fields + [Self.field]).status == 403)
        }
        let preflight = [("Access-Control-Request-Method", "POST"), ("Origin", "http://localhost:3000")]
        #expect(try client.exchange("OPTIONS", "/-/quit", fields: preflight).status == 403)
        for method in ["GET", "PUT", "DELETE"] {
            let response = try client.exchange(method, "/-/quit", fields: [Self.field])
            #expect(response.status == 405 && response.fields["Allow"] == "POST")
        }
        #expect(try client.exchange("GET", "/readyz").status == 200)
    }

    @Test("PUT /-/log-level changes what is logged, until the next reload")
    func level() throws {
        let weir = try WeirProcess(
            to: try ScriptedUpstream(answering: .ok()),
            settings: Self.settings + "\nreload: { on_change: off }")
        let client = try weir.client()
        func level() throws -> String { try client.exchange("GET", "/-/log-level").text }
        func change(_ query: String) throws -> RawResponse {
            try client.exchange("PUT", "/-/log-level\(query)", fields: [Self.field])
        }
        #expect(try level() == #"{"level":"info"}"#)
        #expect(try change("?level=error").text == #"{"level":"error"}"#)
        try weir.process.waitForOutput(containing: #""message":"log level changed""#)
        weir.process.send(.hangUp)
        try eventually("the level of the file") { try level() == #"{"level":"info"}"# }
        #expect(try change("?level=debug").status == 200)
        try weir.process.waitForOutput(containing: #""to":"debug""#)
        for query in ["", "?level=", "?level=loud", "?x=debug"] {
            let response = try change(query)
            #expect(
                response.status == 400 && response.problem["detail"]?.contains("one of: trace, debug") == true
            )
        }
        #expect(try level() == #"{"level":"debug"}"#)
        let wrong = try client.exchange("DELETE", "/-/log-level", fields: [Self.field])
        #expect(wrong.status == 405 && wrong.fields["Allow"] == "GET, HEAD, PUT")
    }
}
