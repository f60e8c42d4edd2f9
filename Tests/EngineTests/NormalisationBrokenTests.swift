import TestSupport
import Testing

@Suite("errors of a provider that do not end as they should", .blocking)
struct NormalisationBrokenTests {
    private static func stalling(_ status: Int, type: String) throws -> ScriptedUpstream {
        try ScriptedUpstream { exchange in
            let head = "HTTP/1.1 \(status) No\r\nContent-Type: \(type)\r\nContent-Length: 100\r\n\r\n"
            try exchange.respond(.raw(head + "Campaign not").then(.stall))
        }
    }

    private static func provider(_ upstream: ScriptedUpstream, _ more: String = "") -> String {
        "providers: { p: { profile: lemlist, upstream: '\(upstream.url)', timeouts: { idle: 1s }\(more) } }"
    }

    @Test("what has come of an error is enough to tell it")
    func stalled() throws {
        let upstream = try Self.stalling(404, type: "text/plain")
        try withProxy(Self.provider(upstream), upstreams: [upstream]) { proxy in
            let response = try proxy.exchange("GET", "/p/a")
            #expect(response.status == 404)
            #expect(response.code == "not_found")
            #expect(response.isComplete)
        }
    }

    @Test("a part of an error is never relayed as the whole", arguments: ["stall", "close", "reset"])
    func raw(ending: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            let head = "HTTP/1.1 404 No\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n"
            let part = ScriptedResponse.raw(head + "Campaign not")
            try exchange.respond(part.then(ending == "stall" ? .stall : ending == "close" ? .close : .reset))
        }
        try withProxy(Self.provider(upstream, ", errors: raw"), upstreams: [upstream]) { proxy in
            let response = try proxy.exchange("GET", "/p/a")
            #expect(response.code == "not_found")
            #expect(response.text != "Campaign not")
        }
    }

    @Test("a response that had to be looked at, and was no error, is not relayed in part")
    func stalledSuccess() throws {
        // A redirect of Lettr's is read to see whether it leads to its login page.
        let upstream = try ScriptedUpstream { exchange in
            let head = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 100\r\n\r\n"
            try exchange.respond(.raw(head + "part").then(.stall))
        }
        let provider = "{ profile: lettr, upstream: '\(upstream.url)', timeouts: { idle: 1s } }"
        try withProxy("providers: { p: \(provider) }", upstreams: [upstream]) { proxy in
            let response = try proxy.exchange("GET", "/p/a")
            #expect(!response.isComplete || response.code == "provider_timeout", "\(response.text)")
        }
    }

    @Test("an endless error is cut, and the connection with it", arguments: [400, 500])
    func endless(status: Int) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.send("HTTP/1.1 \(status) No\r\nContent-Type: text/plain\r\n\r\nCampaign not found")
            let block = [UInt8](repeating: 0x20, count: 1 << 16)
            while (try? exchange.send(block)) != nil {}
        }
        try withProxy(Self.provider(upstream), upstreams: [upstream]) { proxy in
            let response = try proxy.exchange("GET", "/p/a")
            #expect(response.status == status)
            #expect(response.isComplete && response.body.count < 4096)
        }
    }
}
