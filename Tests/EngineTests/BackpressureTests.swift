import TestSupport
import Testing

/// 50 MB against a reader that does not read, and then all of it.
@Suite(.blocking) struct BackpressureTests {
    static let size = 50_000_000
    /// How much more memory a transfer may take.
    static let room = 10 << 20

    /// Lets a first exchange make all that is made once.
    private func warm(_ weir: WeirProcess) throws -> Int {
        for _ in 0..<5 {
            let client = try RawClient(port: weir.port)
            #expect(try client.exchange("POST", "/p/small", body: "{}").status == 200)
        }
        return try weir.residentBytes
    }

    private func expectBounded(_ weir: WeirProcess, _ before: Int) throws {
        let growth = try weir.residentBytes - before
        if !Sanitizer.isOn { #expect(growth <= Self.room, "grew by \(growth >> 10) KiB") }
    }

    @Test("a client that reads slowly holds its provider back, and gets every byte")
    func slowReader() throws {
        let body = [UInt8].pattern(Self.size)
        let upstream = try ScriptedUpstream { exchange in
            guard exchange.request.target == "/big" else { return try exchange.respond(.ok()) }
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
            try exchange.send(body, within: .seconds(60))
            exchange.finish()
        }
        let weir = try WeirProcess(to: upstream)
        let before = try warm(weir)
        let client = try RawClient(port: weir.port, receiveBuffer: 16_384)
        try client.request("GET", "/p/big")
        #expect(try client.readHead().status == 200)
        var seen: [UInt8] = []
        seen.reserveCapacity(body.count)
        while seen.count < body.count {
            let part = try client.readBytes(atMost: 1 << 16)
            guard !part.isEmpty else { break }
            seen += part
            // A pause now and then, so that what would be hoarded is.
            if seen.count % (1 << 22) < part.count {
                pauseThread(for: .milliseconds(30))
                try expectBounded(weir, before)
            }
        }
        #expect(seen == body)
        try expectBounded(weir, before)
    }

    @Test(
        "a provider that reads slowly holds its client back, and gets every byte", arguments: [true, false])
    func slowUpstream(hasLength: Bool) throws {
        let body = [UInt8].pattern(Self.size)
        let upstream = try ScriptedUpstream(receiveBuffer: 16_384)
        let weir = try WeirProcess(to: upstream)
        let warming = Background {
            for _ in 0..<5 { try upstream.expectRequest().respond(.ok()) }
        }
        let before = try warm(weir)
        try warming.join()
        let client = try RawClient(port: weir.port)
        let sending = Background {
            let framing = hasLength ? "Content-Length: \(body.count)" : "Transfer-Encoding: chunked"
            try client.send("PUT /p/big HTTP/1.1\r\nHost: h\r\n\(framing)\r\n\r\n")
            if !hasLength { try client.send("\(String(body.count, radix: 16))\r\n") }
            try client.send(body, within: .seconds(60))
            if !hasLength { try client.send("\r\n0\r\n\r\n") }
        }
        let exchange = try upstream.expectRequestHead()
        try exchange.send("")
        for _ in 0..<5 {
            pauseThread(for: .milliseconds(50))
            try expectBounded(weir, before)
        }
        #expect(!sending.isDone)
        let received = try exchange.readBody(within: .seconds(60))
        #expect(received.isComplete)
        #expect(received.bytes == body)
        try expectBounded(weir, before)
        try exchange.respond(.ok())
        try sending.join()
        #expect(try client.readResponse().status == 200)
    }

    @Test("a response that is held back by an upload that nobody reads fills no memory")
    func unreadUpload() throws {
        let body = [UInt8].pattern(Self.size)
        let upstream = try ScriptedUpstream(readingBodies: false) { exchange in
            guard exchange.request.target == "/big" else {
                try exchange.readBody()
                return try exchange.respond(.ok())
            }
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
            try exchange.send(body, within: .seconds(60))
            try exchange.expectClosed()
        }
        let weir = try WeirProcess(to: upstream)
        let before = try warm(weir)
        let client = try RawClient(port: weir.port)
        try client.send("POST /p/big HTTP/1.1\r\nHost: h\r\nContent-Length: \(Self.size)\r\n\r\n")
        for start in stride(from: 0, to: Self.size, by: 10_000_000) {
            try client.send(Array(body[start..<start + 10_000_000]), within: .seconds(60))
            try expectBounded(weir, before)
        }
        #expect(try client.readResponse(within: .seconds(60)).body.bytes == body)
        try expectBounded(weir, before)
    }

    @Test("100 MB of an error body add nothing to the memory")
    func endlessError() throws {
        let upstream = try ScriptedUpstream { exchange in
            guard exchange.request.target == "/big" else { return try exchange.respond(.ok()) }
            try exchange.send("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n")
            let piece = Array("100000\r\n".utf8) + [UInt8](repeating: 0x78, count: 1 << 20) + [13, 10]
            for _ in 0..<100 { try exchange.send(piece) }
        }
        let weir = try WeirProcess(to: upstream)
        let before = try warm(weir)
        for _ in 0..<3 {
            let response = try RawClient(port: weir.port).exchange("GET", "/p/big")
            #expect(response.status == 500)
            #expect(response.problem["code"] == "provider_error")
        }
        try expectBounded(weir, before)
    }
}
