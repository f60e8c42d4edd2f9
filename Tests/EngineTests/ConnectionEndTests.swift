import Engine
import TestSupport
import Testing

/// Every way in which a client ends its connection, at every moment, whatever else its worker has: the response arrives, or nothing was
/// done; and what was begun for a client that has left ends.
@Suite("the end of a client's connection", .blocking)
struct ConnectionEndTests {
    /// How the client ends its connection.
    enum Ending: String, CaseIterable, Sendable {
        case close, reset, halfClose
        /// TLS: the end of the connection, and of its sending side, without a close_notify before.
        case silentClose, silentHalfClose
        /// TLS: a close_notify, and no end of the connection.
        case notice

        /// Whether the client still reads.
        var reads: Bool { self == .halfClose || self == .silentHalfClose || self == .notice }
    }

    /// When it does so.
    enum Moment: CaseIterable, Sendable {
        case beforeRequest, inHead, inShortBody, inLongBody
        /// In one piece with a request, which is sent or has to wait.
        case withRequest, withUpload, withQueued, withQueuedUpload
        /// After its request: while it waits, is sent, is answered, and behind the whole answer.
        case whileQueued, whileSent, whileAnswered, afterAnswer

        var isInOnePiece: Bool {
            [.withRequest, .withUpload, .withQueued, .withQueuedUpload].contains(self)
        }
        var isWithinRequest: Bool { [.beforeRequest, .inHead, .inShortBody, .inLongBody].contains(self) }
        var isQueued: Bool { [.withQueued, .withQueuedUpload, .whileQueued].contains(self) }
    }

    /// What else there is.
    enum Company: CaseIterable, Sendable {
        case none
        /// Connections of the same worker that are older and idle.
        case olderConnections
        /// A second request behind the first one.
        case pipelined
        case secondWorker
    }

    /// A row of the table.
    struct Case: Sendable, CustomTestStringConvertible {
        let ending: Ending
        let isEncrypted: Bool
        let moment: Moment
        let company: Company

        var testDescription: String {
            "\(ending) \(moment), \(company)\(isEncrypted ? ", TLS" : "")"
        }

        /// Why there is no such case.
        var reasonToLeaveOut: String? {
            if !isEncrypted, ![.close, .reset, .halfClose].contains(ending) {
                return "without TLS there is no close_notify"
            }
            if ending == .reset, moment.isInOnePiece { return "a reset takes back what is sent with it" }
            if company == .pipelined, moment.isWithinRequest {
                return "what is behind a part of a request is more of it"
            }
            if company == .pipelined, moment == .afterAnswer {
                return "the second request is then the one that is sent"
            }
            return nil
        }
    }

    static let all = Ending.allCases.flatMap { ending in
        [false, true].flatMap { isEncrypted in
            Moment.allCases.flatMap { moment in
                Company.allCases.map {
                    Case(ending: ending, isEncrypted: isEncrypted, moment: moment, company: $0)
                }
            }
        }
    }

    private static let tls = Result { try TLSFixture() }

    @Test(
        "a client's response arrives or nothing is done, however the client ends its connection",
        arguments: all.filter { $0.reasonToLeaveOut == nil })
    func end(_ row: Case) throws {
        let upstream = try ScriptedUpstream()
        let limits = row.moment.isQueued ? ", limits: [{ concurrent: 1, by: provider }], max_wait: 60s" : ""
        var listen = ""
        if row.isEncrypted {
            let identity = try Self.tls.get().identity
            listen = """
                , listen: { address: 127.0.0.1:0, \
                tls: { certificate: '\(identity.certificatePath)', key: '\(identity.keyPath)' } }
                """
        }
        try withProxy(
            "providers: { p: { profile: generic, upstream: '\(upstream.url)', mount: /p\(limits)\(listen) } }",
            upstreams: [upstream], workers: row.company == .secondWorker ? 2 : 1
        ) { proxy in
            try Scene(row: row, proxy: proxy, upstream: upstream).play()
        }
    }
}

/// One row of the table, played.
private struct Scene {
    let row: ConnectionEndTests.Case
    let proxy: ProxyFixture
    let upstream: ScriptedUpstream

    private func connect(ending: ConnectionEndTests.Ending, inOnePiece: Bool = false) throws -> RawClient {
        guard row.isEncrypted else { return try proxy.client() }
        let port = try #require(proxy.providerPorts["p"])
        let kind: TLSEndings.Ending =
            switch ending {
            case .close: .close
            case .reset: .reset
            case .halfClose: .halfClose
            case .silentClose: .silentClose
            case .silentHalfClose: .silentHalfClose
            case .notice: .notice
            }
        return try TLSEndings.shared.get().client(of: port, ending: kind, inOnePiece: inOnePiece)
    }

    private func path(_ name: String) -> String { (row.isEncrypted ? "/" : "/p/") + name }

    private func get(_ name: String) -> String { "GET \(path(name)) HTTP/1.1\r\nHost: localhost\r\n\r\n" }

    private func end(_ client: RawClient) throws {
        if row.isEncrypted { return try client.shutdownWrite() }
        switch row.ending {
        case .close: client.close()
        case .reset: client.reset()
        default: try client.shutdownWrite()
        }
    }

    func play() throws {
        var older: [RawClient] = []
        if row.company == .olderConnections {
            for _ in 0..<2 { older.append(try connect(ending: .close)) }
            for client in older { try exchange("older", on: client) }
        }
        let isInOnePiece = row.moment.isInOnePiece
        let client = try connect(ending: row.ending, inOnePiece: isInOnePiece)
        if isInOnePiece, !row.isEncrypted { try client.holdLastBytes() }
        if row.moment.isWithinRequest {
            try playWithinRequest(client)
        } else {
            try playRequest(client)
        }
        try proxy.expectNothingInFlight()
        for client in older { try exchange("older", on: client) }
        try exchange("last", on: try connect(ending: .close))
    }

    /// A request of another client; nothing else reaches the provider before it.
    private func exchange(_ name: String, on client: RawClient) throws {
        try client.send(get(name))
        let exchange = try upstream.expectRequest()
        #expect(exchange.request.target == "/\(name)")
        try exchange.respond(.ok())
        #expect(try client.readResponse().status == 200)
    }

    private func playWithinRequest(_ client: RawClient) throws {
        let start = "POST \(path("x")) HTTP/1.1\r\nHost: localhost\r\n"
        switch row.moment {
        case .inHead: try client.send(start)
        case .inShortBody: try client.send(start + "Content-Length: 10\r\n\r\nhello")
        case .inLongBody:
            try client.send(start + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            let exchange = try upstream.expectRequestHead()
            try end(client)
            #expect(try !exchange.readBody().isComplete)
        default: break
        }
        if row.moment != .inLongBody { try end(client) }
        if row.ending.reads { try client.expectClosed() }
    }

    private func playRequest(_ client: RawClient) throws {
        var first: (client: RawClient, exchange: UpstreamExchange)?
        if row.moment.isQueued {
            let client = try connect(ending: .close)
            try client.send(get("first"))
            first = (client, try upstream.expectRequest())
        }
        let isUpload = row.moment == .withUpload || row.moment == .withQueuedUpload
        let request =
            isUpload
            ? "POST \(path("x")) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            : get("x")
        try client.send(request + (row.company == .pipelined ? get("second") : ""))
        var exchange: UpstreamExchange?
        switch row.moment {
        case .whileQueued:
            try eventually("the request to wait") {
                try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1
            }
        case .whileSent: exchange = try upstream.expectRequest()
        case .whileAnswered:
            exchange = try upstream.expectRequest()
            try exchange?.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            if row.ending.reads || !row.isEncrypted { try expectHello(client) }
        case .afterAnswer:
            try upstream.expectRequest().respond(.ok("whole"))
            try proxy.expectNothingInFlight()
        default: break
        }
        try end(client)
        if row.ending.reads {
            try expectAnswer(client, exchange, first)
        } else {
            try expectNothing(exchange, first)
        }
    }

    private func expectHello(_ client: RawClient) throws {
        #expect(try client.readHead().status == 200)
        #expect(try client.readBytes(atMost: 5) == Array("hello".utf8))
    }

    /// The client still reads.
    private func expectAnswer(
        _ client: RawClient, _ sent: UpstreamExchange?,
        _ first: (client: RawClient, exchange: UpstreamExchange)?
    ) throws {
        if let first {
            try first.exchange.respond(.ok())
            #expect(try first.client.readResponse().status == 200)
        }
        switch row.moment {
        case .afterAnswer: #expect(try client.readResponse().text == "whole")
        case .whileAnswered:
            try sent?.send("world")
            var rest: [UInt8] = []
            while rest.count < 5 { rest += try client.readBytes(atMost: 5 - rest.count) }
            #expect(rest == Array("world".utf8))
            sent?.finish()
        case .whileQueued:
            // One that waits too long after its end may have been given up: then nothing was sent.
            guard let exchange = try? upstream.expectRequest(within: .promptly) else {
                try client.expectClosed()
                return
            }
            try answer(exchange, client, "x")
        default: try answer(try sent ?? upstream.expectRequest(), client, "x")
        }
        if row.company == .pipelined { try answer(try upstream.expectRequest(), client, "second") }
        try client.expectClosed()
    }

    private func answer(_ exchange: UpstreamExchange, _ client: RawClient, _ name: String) throws {
        #expect(exchange.request.target == "/\(name)")
        try exchange.respond(.ok("\"\(name)\""))
        let response = try client.readResponse()
        #expect(response.status == 200 && response.text == "\"\(name)\"" && response.isComplete)
    }

    /// The client has left: what was sent for it ends, what waited is never sent.
    private func expectNothing(
        _ sent: UpstreamExchange?, _ first: (client: RawClient, exchange: UpstreamExchange)?
    ) throws {
        if let sent { try sent.expectClosed() }
        guard let first else {
            // One that was sent before its client's end was known is cancelled.
            if row.moment.isInOnePiece, let sent = try? upstream.expectRequest(within: .milliseconds(50)) {
                try sent.expectClosed()
            }
            return
        }
        try eventually("the queue to be empty") {
            try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 0
        }
        try first.exchange.respond(.ok())
        #expect(try first.client.readResponse().status == 200)
    }
}
