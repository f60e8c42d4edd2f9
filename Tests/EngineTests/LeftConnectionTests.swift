import TestSupport
import Testing

/// What is left in the process of clients that have left.
@Suite(.blocking) struct LeftConnectionTests {
    @Test(
        "the connection of a client that left while its response waited for the provider is closed, others or not",
        arguments: ["Content-Length: 1000000", "Transfer-Encoding: chunked", "X-Length: none"])
    func closed(framing: String) throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream)
        // libmicrohttpd looks at connections in the order in which they were used last: this one comes before those below.
        let older = try weir.client()
        #expect(try older.exchange("GET", "/none").status == 404)
        let before = try ResourceUse(of: weir.process.processID).descriptors
        for _ in 0..<5 {
            let client = try weir.client()
            try client.request("GET", "/p/x")
            let exchange = try upstream.expectRequest()
            let body = framing.hasPrefix("Transfer") ? "5\r\nhello\r\n" : "hello"
            try exchange.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n\(body)")
            #expect(try client.readHead().status == 200)
            _ = try client.readBytes(atMost: 5)
            // By then it sleeps: there is nothing to hand on.
            try weir.settle()
            client.reset()
            try exchange.expectClosed()
        }
        try eventually("what they held to be closed") {
            try ResourceUse(of: weir.process.processID).descriptors <= before
        }
        #expect(try older.exchange("GET", "/none").status == 404)
    }
}
