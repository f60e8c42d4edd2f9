import TestSupport
import Testing

/// A drain meets connections of every kind: the program ends with 0, and whatever was in flight is answered.
@Suite("a drain and the connections that it meets", .blocking)
struct DrainTableTests {
    /// What a connection is in the middle of.
    enum Kind: String, CaseIterable, Sendable {
        case idle, halfHead, halfBody, queued, queuedBody, queuedChunks, sent, slowReader, pipelined, http10
        case closingAnswer, pages
        case handshake, idleTLS, queuedChunksTLS, sentTLS

        /// Whether nothing is in flight: the connection stays until the others are done.
        var isIdle: Bool { [.idle, .halfHead, .handshake, .idleTLS].contains(self) }
    }

    private static let tls = Result { try TLSFixture() }

    private static func start(_ upstream: ScriptedUpstream, workers: Int, drain: String = "20s") throws -> (
        weir: WeirProcess, tlsPort: UInt16
    ) {
        let identity = try tls.get().identity
        let weir = try WeirProcess(
            to: upstream,
            provider: """
                limits: [{ concurrent: 1, by: credential }], max_wait: 60s, mount: /p, listen: { address: 127.0.0.1:0, \
                tls: { certificate: '\(identity.certificatePath)', key: '\(identity.keyPath)' } }
                """, workers: workers, drain: drain)
        let log = weir.process.output + weir.process.errorOutput
        let rest = log.split(separator: "\"provider_p\":\"127.0.0.1:").last ?? ""
        return (weir, try #require(UInt16(rest.prefix { $0.isNumber }), "a port for TLS"))
    }

    @Test(
        "a drain ends with 0 and every request in flight is answered, whatever its connection is doing",
        arguments: Kind.allCases, [1, 2])
    func each(kind: Kind, workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let (weir, tlsPort) = try Self.start(upstream, workers: workers)
        let scene = Scene(upstream: upstream, weir: weir, tlsPort: tlsPort)
        let finish = try scene.begin(kind)
        weir.process.send(.terminate)
        try finish()
        #expect(try weir.process.waitForExit() == .code(0))
    }

    @Test("connections of all kinds at once are drained, with one worker and with two", arguments: [1, 2])
    func together(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let (weir, tlsPort) = try Self.start(upstream, workers: workers)
        let scene = Scene(upstream: upstream, weir: weir, tlsPort: tlsPort)
        // Those that have nothing in flight are closed when the others are done.
        let kinds = Kind.allCases.filter { !$0.isIdle } + Kind.allCases.filter(\.isIdle)
        let finishes = try kinds.map { (kind: $0, finish: try scene.begin($0)) }
        weir.process.send(.terminate)
        for (kind, finish) in finishes {
            do { try finish() } catch {
                Issue.record("\(kind): \(error)")
            }
        }
        #expect(try weir.process.waitForExit() == .code(0))
    }

    @Test(
        "the end of the grace period ends connections of all kinds, and the exit code is 0",
        arguments: [1, 2])
    func grace(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let (weir, tlsPort) = try Self.start(upstream, workers: workers, drain: "300ms")
        let scene = Scene(upstream: upstream, weir: weir, tlsPort: tlsPort)
        let finishes = try Kind.allCases.map { try scene.begin($0) }
        weir.process.send(.terminate)
        #expect(try weir.process.waitForExit() == .code(0))
        withExtendedLifetime(finishes) {}
    }

    @Test("a response of HTTP/1.0 without a length that the grace period cuts off is seen to break off")
    func brokenOff() throws {
        let upstream = try ScriptedUpstream()
        let (weir, _) = try Self.start(upstream, workers: 1, drain: "200ms")
        let client = try RawClient(port: weir.port, receiveBuffer: 4096)
        try client.send("GET /p/x HTTP/1.0\r\n\r\n")
        let exchange = try upstream.expectRequest()
        let flood = Background {
            try exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n")
            let piece = [UInt8](repeating: 0x61, count: 1 << 16) + Array("\r\n10000\r\n".utf8)
            while (try? exchange.send(piece)) != nil {}
        }
        #expect(try client.readHead().status == 200)
        weir.process.send(.terminate)
        #expect(try weir.process.waitForExit() == .code(0))
        try client.expectReset()
        try flood.join()
    }
}

/// Connections of a running Weir.
private struct Scene {
    let upstream: ScriptedUpstream
    let weir: WeirProcess
    let tlsPort: UInt16

    private func get(_ path: String, key: String) -> String {
        "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(credential(key))\r\n\r\n"
    }

    private func post(_ path: String, key: String, framing: String, version: String = "1.1") -> String {
        "POST \(path) HTTP/\(version)\r\nHost: localhost\r\n\(credential(key))\r\n\(framing)\r\n\r\n"
    }

    /// Only requests with the same one wait for each other.
    private func credential(_ key: String) -> String { "Authorization: Bearer \(key)" }

    /// Brings a connection into its state.
    ///
    /// - Returns: what is left to be done once the drain has begun, and what must come of it.
    func begin(_ kind: DrainTableTests.Kind) throws -> () throws -> Void {
        do { return try beginOne(kind) } catch {
            Issue.record("\(kind): \(error)")
            throw error
        }
    }

    private func beginOne(_ kind: DrainTableTests.Kind) throws -> () throws -> Void {
        let name = kind.rawValue
        let isTLS = name.hasSuffix("TLS")
        let client =
            isTLS
            ? try TLSEndings.shared.get().client(of: tlsPort, ending: .close) : try weir.client()
        let path = (isTLS ? "/" : "/p/") + name
        switch kind {
        case .idle, .idleTLS:
            try client.send(get(path, key: name))
            try upstream.expectRequest().respond(.ok())
            #expect(try client.readResponse().status == 200)
            return { try client.expectClosed() }
        case .halfHead:
            try client.send("GET /p/x HTTP/1.1\r\nHost: w")
            return { try client.expectClosed() }
        case .handshake:
            let client = try RawClient(port: tlsPort)
            try client.send([0x16, 0x03, 0x01])
            return { try client.expectClosed() }
        case .halfBody:
            let framing = "Expect: 100-continue\r\nContent-Length: 10"
            try client.send(post(path, key: name, framing: framing))
            // The request has begun.
            #expect(try client.readHead().status == 100)
            try client.send("hello")
            return { [upstream] in
                try client.send("world")
                try upstream.expectRequest().respond(.ok("1"))
                #expect(try client.readResponse().status == 200)
            }
        case .queued, .queuedBody, .queuedChunks, .queuedChunksTLS:
            return try beginQueued(client, path: path, kind)
        case .sent, .sentTLS, .http10:
            let version = kind == .http10 ? "1.0" : "1.1"
            try client.send(post(path, key: name, framing: "Content-Length: 2", version: version) + "{}")
            let exchange = try upstream.expectRequest()
            return {
                try exchange.respond(kind == .http10 ? .chunked(chunks: ["do", "ne"]) : .ok("done"))
                let response = try client.readResponse()
                #expect(response.status == 200 && response.text == "done" && response.isComplete)
            }
        case .slowReader:
            let client = try RawClient(port: weir.port, receiveBuffer: 4096)
            try client.send(get(path, key: name))
            let exchange = try upstream.expectRequest()
            let size = 6 << 20
            let sending = Background {
                try exchange.respond(.status(200, body: [UInt8](repeating: 0x61, count: size)))
            }
            #expect(try client.readHead().status == 200)
            return {
                var count = 0
                while count < size {
                    let bytes = try client.readBytes(atMost: size - count)
                    try #require(!bytes.isEmpty, "\(size) bytes, not \(count)")
                    count += bytes.count
                }
                try sending.join()
            }
        case .pipelined:
            try client.send(get(path, key: name) + get("/p/behind", key: name) + get("/livez", key: name))
            let exchange = try upstream.expectRequest()
            return { [weir] in
                try weir.waitUntilDraining()
                try exchange.respond(.ok("1"))
                #expect(try client.readResponse().text == "1")
                #expect(try client.readResponse().code == "shutting_down")
                #expect(try client.readResponse().status == 200)
            }
        case .closingAnswer:
            // Its body is longer than is allowed: it is refused while it is sent.
            try client.send("PUT \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000000\r\n\r\nhello")
            #expect(try client.readHead().status == 413)
            return {
                try client.send([UInt8](repeating: 0x61, count: 100_000))
                while try !client.readBytes(atMost: 1000).isEmpty {}
                client.close()
            }
        case .pages:
            let client = try RawClient(port: weir.port, receiveBuffer: 4096)
            let count = 100
            for _ in 0..<count { try client.send(get("/metrics", key: name)) }
            #expect(try client.readResponse().status == 200)
            return {
                for _ in 1..<count {
                    let page = try client.readResponse()
                    #expect(page.status == 200 && page.isComplete)
                }
            }
        }
    }

    private func beginQueued(
        _ client: RawClient, path: String, _ kind: DrainTableTests.Kind
    ) throws -> () throws -> Void {
        let name = kind.rawValue
        let first = try weir.client()
        try first.send(get("/p/first", key: name))
        let exchange = try upstream.expectRequest()
        let depth = try gauge("weir_queue_depth")
        switch kind {
        case .queuedBody:
            try client.send(post(path, key: name, framing: "Content-Length: 5") + "hello")
        case .queuedChunks, .queuedChunksTLS:
            try client.send(
                post(path, key: name, framing: "Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n")
        default: try client.send(get(path, key: name))
        }
        try eventually("the request to wait") { try gauge("weir_queue_depth") == depth + 1 }
        return { [weir] in
            let refused = try client.readResponse()
            #expect(refused.status == 503 && refused.code == "shutting_down")
            #expect(refused.problem["effect"] == "none")
            if kind == .queuedChunksTLS { try client.shutdownWrite() } else { client.close() }
            try weir.waitUntilDraining()
            try exchange.respond(.ok("\"first\""))
            #expect(try first.readResponse().text == "\"first\"")
        }
    }

    private func gauge(_ name: String) throws -> Int {
        let series = "\(name){provider=\"p\"} "
        let line = try weir.client().exchange("GET", "/metrics").text.split(separator: "\n").first {
            $0.hasPrefix(series)
        }
        return try #require(line.flatMap { Int($0.dropFirst(series.count)) })
    }
}
