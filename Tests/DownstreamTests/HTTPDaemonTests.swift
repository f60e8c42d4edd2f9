import Glibc
import TestSupport
import Testing

@Suite("the daemon")
struct HTTPDaemonTests {
    private func withServer(_ body: (EchoServer) throws -> Void) throws {
        let server = try EchoServer()
        do { try body(server) } catch {
            try server.stop()
            throw error
        }
        try server.stop()
    }

    @Test("targets and fields arrive as they were sent, on one connection, behind sleep and visits")
    func heads() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            for target in ["/a/../b//c?x=%2f&y=%00&z", "/?", "/a?b=c?d", "/%"] {
                let fields = [("Host", "h"), ("X-A", "  1 "), ("x-a", "2"), ("X-Empty", "")]
                let response = try client.exchange("BREW", target, fields: fields)
                let expected = "BREW \(target)\nHost=h\nX-A=1\nx-a=2\nX-Empty=\nfalse 4 0\n"
                #expect(response.text == expected)
                #expect(response.fields["X-Answer"] == "yes")
                #expect(response.fields["X-Empty"] == "")
            }
        }
    }

    @Test(
        "a response has its fields once each and in order, and no line that one of them would add",
        arguments: ["/", "/nul", "/line-end", "/twice"])
    func fields(target: String) throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            for _ in 1...3 {
                let fields = try client.exchange("GET", target, fields: [("Host", "h")]).fields
                let bad = target == "/nul" ? ["1"] : []
                #expect(fields.values(of: "Date") == ["today"])
                #expect(fields.values(of: "X-Bad") == bad)
                #expect(fields.values(of: "X-Injected") == [])
                #expect(
                    fields.names.filter { $0.hasPrefix("X-") }
                        == ["X-Answer", "X-Empty", "X-Answer"] + bad.map { _ in "X-Bad" } + ["X-Last"])
                #expect(fields.values(of: "X-Answer") == ["yes", "again"])
            }
        }
    }

    /// As RFC 9110 5.6.7 has it.
    private func spelled(_ seconds: time_t) -> String {
        var (seconds, parts) = unsafe (seconds, tm())
        unsafe gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 40)
        let length = unsafe strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test(
        "a response without a date gets the time, whatever its fields are like",
        arguments: ["/undated", "/undated/nul"])
    func date(target: String) throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            let fields = try client.exchange("GET", target, fields: [("Host", "h")]).fields
            #expect(fields.values(of: "X-Last") == ["last"])
            let dates = fields.values(of: "Date")
            #expect(dates.count == 1)
            let now = time(nil)
            #expect((now - 60...now).contains { dates.first == spelled($0) })
        }
    }

    @Test(
        "what is no HTTP gets one response, behind those of the requests before it, and the connection ends")
    func malformed() throws {
        try withServer { server in
            for line in ["X-A: b\r\n folded: yes\r\n", "X-A: b\n", "X-A: b\r\n\t\r\n"] {
                let client = try RawClient(port: server.port)
                let sound = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
                try client.send("\(sound)\(sound)GET /b HTTP/1.1\r\nHost: h\r\n\(line)\r\n\(sound)")
                for _ in 1...2 { #expect(try client.readResponse().status == 200) }
                let response = try client.readResponse()
                #expect(response.status == 400)
                #expect(response.fields["X-Fault"] != nil)
                #expect(response.text == "refused")
                try client.expectClosed()
            }
        }
    }

    @Test("no refusal follows a response that ended the connection")
    func closedBefore() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            try client.send("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nnonsense\r\n\r\n")
            #expect(try client.readResponse().status == 200)
            try client.expectClosed()
        }
    }

    @Test("no byte of a body is lost when it is taken in halves", arguments: [true, false])
    func bodies(isChunked: Bool) throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            let block = String(repeating: "x", count: 65_536)
            for _ in 1...2 {
                if isChunked {
                    try client.request("POST", "/a", fields: [("Transfer-Encoding", "chunked")])
                    for _ in 1...4 { try client.send("10000\r\n\(block)\r\n") }
                    try client.send("0\r\n\r\n")
                } else {
                    try client.request("POST", "/a", body: String(repeating: block, count: 4))
                }
                let response = try client.readResponse()
                #expect(response.text.hasSuffix(" 262144\n"))
            }
        }
    }

    @Test("a response that comes piece by piece is whole, one that ends early is not")
    func streams() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            for _ in 1...2 {
                let response = try client.exchange("GET", "/stream")
                #expect(response.isComplete)
                #expect(response.text == "GET /stream\nHost=localhost\nfalse 1 0\n")
                #expect(response.body.chunkSizes.count > 3)
            }
            let broken = try client.exchange("GET", "/broken")
            #expect(!broken.isComplete)
        }
    }

    @Test("an abandoned request closes the connection without a response")
    func abandoned() throws {
        try withServer { server in
            let client = try RawClient(port: server.port)
            try client.request("GET", "/abandon")
            #expect(throws: PeerError.self) { try client.readResponse() }
        }
    }

    @Test("a connection without a request is closed after the idle time")
    func idle() throws {
        let server = try EchoServer(idleSeconds: 1)
        let client = try RawClient(port: server.port)
        #expect(try client.exchange("GET", "/a").status == 200)
        #expect(try client.expectClosed() == .orderly)
        try server.stop()
    }
}
