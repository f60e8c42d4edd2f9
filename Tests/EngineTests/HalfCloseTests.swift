import Foundation
import TestSupport
import Testing

/// Clients that end their sending side and wait, or that have left though it looks the same.
@Suite("a client that has ended its sending side", .blocking)
struct HalfCloseTests {
    private static let queue = "limits: [{ concurrent: 1, by: provider }], max_wait: 60s"
    private static let depth = #"weir_queue_depth{provider="p"}"#

    @Test(
        "a request whose unread rest is complete is answered, however late the client's end came behind it",
        arguments: [false, true])
    func unreadUpload(isChunked: Bool) throws {
        let upstream = try ScriptedUpstream(receiveBuffer: 1 << 16)
        try withProxy(to: upstream) { proxy in
            let client = try proxy.client()
            let body = String(repeating: "x", count: 1_000_000)
            let size = String(body.utf8.count, radix: isChunked ? 16 : 10)
            try client.request(
                "POST", "/p/x",
                fields: [isChunked ? ("Transfer-Encoding", "chunked") : ("Content-Length", size)],
                body: isChunked ? "\(size)\r\n\(body)\r\n0\r\n\r\n" : body)
            let exchange = try upstream.expectRequestHead()
            // All of it has been sent, and the provider has read none.
            pauseThread(for: .milliseconds(100))
            try client.shutdownWrite()
            pauseThread(for: .milliseconds(20))
            #expect(try exchange.readBody().isComplete)
            try exchange.respond(.ok("taken"))
            #expect(try client.readResponse().text == "taken")
        }
    }

    @Test("a request that a busy worker reads after the client's end is answered", arguments: [1, 2])
    func lateWorker(workers: Int) throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, workers: workers)
        let client = try weir.client()
        #expect(try client.exchange("GET", "/livez").status == 200)
        weir.process.send(.stop)
        try eventually("all of the program to stop") {
            let status = try String(contentsOfFile: "/proc/\(weir.process.processID)/stat", encoding: .utf8)
            return status.contains(") T ")
        }
        try client.request("GET", "/p/x")
        pauseThread(for: .milliseconds(100))
        try client.shutdownWrite()
        weir.process.send(.resume)
        let exchange = try upstream.expectRequest()
        pauseThread(for: .milliseconds(1500))
        try exchange.respond(.ok("late"))
        #expect(try client.readResponse().text == "late")
    }

    @Test("a stream of events ends soon whose client's end came within the request's head, between two reads")
    func endWithinHead() throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, workers: 1)
        let client = try weir.client()
        try client.send("GET /p/x HTTP/1.1\r\n")
        // The only worker reads what is there before what arrives later.
        #expect(try weir.client().exchange("GET", "/livez").status == 200)
        weir.process.send(.stop)
        try eventually("all of the program to stop") {
            let status = try String(contentsOfFile: "/proc/\(weir.process.processID)/stat", encoding: .utf8)
            return status.contains(") T ")
        }
        try client.send("Host: h\r\n\r\n")
        try client.shutdownWrite()
        weir.process.send(.resume)
        let exchange = try upstream.expectRequest()
        try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        #expect(try client.readHead().status == 200)
        try exchange.expectClosed()
    }

    @Test(
        "a stream of events whose client ended its side with the request ends soon, though it is silent",
        arguments: [false, true], [false, true])
    func silentStream(isPipelined: Bool, isEncrypted: Bool) throws {
        let upstream = try ScriptedUpstream()
        let tls = try isEncrypted ? TLSFixture() : nil
        defer { withExtendedLifetime(tls) {} }
        let provider = tls?.provider(upstream) ?? "p: { profile: generic, upstream: '\(upstream.url)' }"
        try withProxy("providers: { \(provider) }", upstreams: [upstream]) { proxy in
            let port = proxy.providerPorts["p"]
            let client =
                try port.map {
                    try TLSEndings.shared.get().client(of: $0, ending: .halfClose, inOnePiece: true)
                } ?? proxy.client()
            if !isEncrypted { try client.holdLastBytes() }
            let target = isEncrypted ? "/x" : "/p/x"
            for _ in 0..<(isPipelined ? 2 : 1) { try client.request("GET", target) }
            try client.shutdownWrite()
            if isPipelined {
                try upstream.expectRequest().respond(.ok())
                #expect(try client.readResponse().status == 200)
            }
            let exchange = try upstream.expectRequest()
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            #expect(try client.readHead().status == 200)
            try exchange.expectClosed(within: .promptly)
            try proxy.expectNothingInFlight(within: .promptly)
        }
    }

    @Test("a client that closes its socket at once behind its request has left", arguments: [false, true])
    func closedAtOnce(isQueued: Bool) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.queue) { proxy in
            let first = try proxy.client()
            try first.request("GET", "/p/first")
            let running = try upstream.expectRequest()
            if !isQueued { try running.respond(.ok()) }
            if !isQueued { #expect(try first.readResponse().status == 200) }
            let client = try proxy.client()
            try client.request("GET", "/p/x")
            if isQueued {
                try eventually("the request to wait") { try proxy.metric(Self.depth) == 1 }
                client.close()
                try eventually("the place to be free", within: .promptly) {
                    try proxy.metric(Self.depth) == 0
                }
                try running.respond(.ok())
                #expect(try first.readResponse().status == 200)
            } else {
                let exchange = try upstream.expectRequest()
                client.close()
                try exchange.expectClosed(within: .promptly)
            }
            try first.request("GET", "/p/last")
            let last = try upstream.expectRequest()
            #expect(last.request.target == "/last")
            try last.respond(.ok())
            #expect(try first.readResponse().status == 200)
        }
    }

    @Test(
        "a client that ends its side with its request and closes its socket while it waits has left",
        arguments: [false, true])
    func closedLater(isQueued: Bool) throws {
        let upstream = try ScriptedUpstream()
        try withProxy(to: upstream, provider: Self.queue) { proxy in
            var running: UpstreamExchange?
            let first = try proxy.client()
            if isQueued {
                try first.request("GET", "/p/first")
                running = try upstream.expectRequest()
            }
            let client = try proxy.client()
            try client.holdLastBytes()
            try client.request("GET", "/p/x")
            try client.shutdownWrite()
            let sent = isQueued ? nil : try upstream.expectRequest()
            if isQueued {
                try eventually("the request to wait") { try proxy.metric(Self.depth) == 1 }
            }
            // It waits for longer than one may whose end came later.
            pauseThread(for: .milliseconds(1500))
            #expect(try proxy.metric(#"weir_client_aborts_total{provider="p",stage="queue"}"#) == 0)
            #expect(try proxy.metric(#"weir_client_aborts_total{provider="p",stage="upstream"}"#) == 0)
            client.close()
            try sent?.expectClosed(within: .promptly)
            if isQueued {
                try eventually("the place to be free", within: .promptly) {
                    try proxy.metric(Self.depth) == 0
                }
            }
            try running?.respond(.ok())
            if isQueued { #expect(try first.readResponse().status == 200) }
            try proxy.expectNothingInFlight(within: .promptly)
        }
    }

    @Test(
        "pipelined requests leave a response with a large head the memory that it needs", arguments: [1, 2])
    func largeHead(workers: Int) throws {
        let field = String(repeating: "a", count: 8500)
        let upstream = try ScriptedUpstream(answering: .ok("1", fields: [("X-Large", field)]))
        try withProxy(to: upstream, workers: workers) { proxy in
            let older = try proxy.client()
            #expect(try older.exchange("GET", "/p/x").status == 200)
            let client = try proxy.client()
            let count = 600
            try client.send(String(repeating: "GET /p/x HTTP/1.1\r\nHost: h\r\n\r\n", count: count))
            for _ in 0..<count {
                let response = try client.readResponse()
                #expect(response.status == 200 && response.fields["X-Large"]?.utf8.count == 8500)
            }
        }
    }
}
