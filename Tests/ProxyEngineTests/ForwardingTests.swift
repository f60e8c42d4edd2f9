import TestSupport
import Testing

@Suite struct ForwardingTests {
    @Test("a request reaches the provider and its answer the client")
    func plain() throws {
        let upstream = try ScriptedUpstream(answering: .ok(#"{"ok":true}"#))
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("GET", "/p/things?x=1")
            #expect(response.status == 200)
            #expect(response.text == #"{"ok":true}"#)
            #expect(upstream.requests.map(\.target) == ["/things?x=1"])
        }
    }

    @Test("nobody listening at the provider's port is a problem")
    func refused() throws {
        let upstream = try ScriptedUpstream()
        upstream.stop()
        try withProxy(to: upstream) { proxy throws in
            let response = try proxy.exchange("POST", "/p/things", body: "{}")
            #expect(response.status == 502)
            #expect(response.problem["code"] == "provider_unreachable")
        }
    }
}
