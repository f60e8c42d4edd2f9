import TestSupport
import Testing

@Suite("several instances, each with its share", .blocking)
struct ReplicaTests {
    @Test("two instances that send all they can are not refused once")
    func two() throws {
        let provider = try StrictProvider(10, per: .milliseconds(500))
        let settings = "limits: [{ requests: 10, per: 500ms, by: provider }], max_wait: 60s"
        let providers =
            "providers: { p: { profile: generic, upstream: '\(provider.upstream.url)', \(settings) } }"
        try withProxy(providers, settings: "replicas: 2") { first in
            try withProxy(providers, settings: "replicas: 2") { second in
                let clients = try [first, second].flatMap { proxy in
                    try (0..<15).map { _ in try proxy.client() }
                }
                for client in clients { try client.request("GET", "/p/things") }
                for client in clients {
                    #expect(try client.readResponse(within: .seconds(30)).status == 200)
                }
                #expect(provider.refusals == 0)
                // Fifteen of each with five in a window: none may use what the other leaves.
                let arrivals = provider.arrivals
                try #require(arrivals.count == 30)
                #expect(arrivals[29] - arrivals[0] >= .milliseconds(990))
            }
        }
    }

    @Test("the share is what a client and an operator are shown")
    func shown() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let limits = "limits: [{ requests: 9, per: 60s, by: provider }], max_wait: 0s"
        try withProxy(to: upstream, provider: limits, settings: "replicas: 4") { proxy in
            let first = try proxy.exchange("GET", "/p/a")
            #expect(first.fields["RateLimit-Policy"] == #""default";q=2;w=60"#)
            #expect(try proxy.exchange("GET", "/p/a").status == 200)
            #expect(try proxy.exchange("GET", "/p/a").code == "throttled")
            let page = try proxy.exchange("GET", "/-/limits").text
            #expect(page.contains(#""replicas":4"#) && page.contains(#""limit":2"#))
        }
    }
}
