import TestSupport
import Testing

@Suite("an answer before the request's end")
struct EarlyAnswerTests {
    @Test("a provider that answers before it reads the body is believed", arguments: [200, 204, 413])
    func unread(status: Int) throws {
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in
            try exchange.respond(.status(status, body: status == 204 ? "" : "early"))
            try exchange.readBody(keeping: false)
        }
        try withProxy(to: upstream, provider: "timeouts: { idle: 2s, response: 2s }") { proxy in
            let client = try proxy.client()
            let sender = Background {
                try client.request("POST", "/p/a", body: String(repeating: "x", count: 6 << 20))
            }
            let response = try client.readResponse()
            #expect(response.status == status)
            #expect(response.isComplete)
            try sender.join()
            try proxy.expectNothingInFlight()
        }
    }
}
