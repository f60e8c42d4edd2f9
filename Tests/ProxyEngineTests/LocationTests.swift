import TestSupport
import Testing

/// References to the provider's own address in the fields of its answers.
@Suite(.blocking) struct LocationTests {
    private func answer(_ status: Int, _ url: String) -> ScriptedResponse {
        .status(
            status,
            fields: [
                ("Location", "\(url)/v1/things/1"), ("Content-Location", "\(url)/v1/things/1?full"),
                ("Link", "<\(url)/v1/things?page=2>; rel=\"next\", <https://other.test/>; rel=\"help\""),
            ])
    }

    @Test("an app that follows them stays with Weir", arguments: [201, 302, 303, 308])
    func followed(status: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            let host = try #require(exchange.request.fields["Host"])
            try exchange.respond(self.answer(status, "http://\(host)"))
        }
        try withProxy(to: upstream, prefix: "/v1") { proxy in
            let response = try proxy.exchange("POST", "/p/things")
            #expect(response.status == status)
            #expect(response.fields["Location"] == "/p/things/1")
            #expect(response.fields["Content-Location"] == "/p/things/1?full")
            #expect(
                response.fields["Link"]
                    == "</p/things?page=2>; rel=\"next\", <https://other.test/>; rel=\"help\"")
        }
    }

    @Test("they stay as they are if that is configured, or if they lead elsewhere", arguments: [true, false])
    func untouched(isConfigured: Bool) throws {
        let elsewhere = isConfigured ? "" : "example."
        let upstream = try ScriptedUpstream { exchange in
            let host = try #require(exchange.request.fields["Host"])
            try exchange.respond(self.answer(201, "http://\(elsewhere)\(host)"))
        }
        let provider = isConfigured ? "rewrite_locations: off" : ""
        try withProxy(to: upstream, prefix: "/v1", provider: provider) { proxy in
            let response = try proxy.exchange("POST", "/p/things")
            #expect(response.fields["Location"]?.hasPrefix("http://") == true)
            #expect(response.fields["Link"]?.contains("<http://\(elsewhere)127.0.0.1") == true)
        }
    }
}
