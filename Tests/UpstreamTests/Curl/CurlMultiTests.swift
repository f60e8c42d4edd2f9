import Loop
import TestSupport
import Testing
import Upstream
import Wire

@Suite("transfers")
struct CurlMultiTests {
    /// A multi on a loop of the test's own.
    private final class Driver: SocketWatcher, ReadinessHandler {
        let loop: EventLoop
        private(set) var multi: CurlMulti?
        /// The sockets that were watched.
        private(set) var sockets: Set<Int32> = []

        init(_ options: UpstreamOptions) throws {
            loop = try EventLoop()
            multi = CurlMulti(options: options, watcher: self)
        }

        func watch(_ socket: Int32, readable: Bool, writable: Bool) {
            var interest: Readiness = []
            if readable { interest.insert(.readable) }
            if writable { interest.insert(.writable) }
            sockets.insert(socket)
            try? loop.watch(socket, for: interest, handler: self)
        }

        func unwatch(_ socket: Int32, isClosing: Bool) {
            if isClosing { loop.forget(socket) } else { loop.unwatch(socket) }
        }

        func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
            multi?.socket(
                descriptor, isReadable: readiness.contains(.readable),
                isWritable: readiness.contains(.writable), isBroken: readiness.isBroken)
        }

        /// Turns until the transfer is over, and takes it back.
        func finish(_ record: Record) throws {
            let deadline = Deadline.after(.patience)
            while !record.isOver {
                try #require(!deadline.hasPassed)
                multi?.run(nowMilliseconds: SystemClock.monotonicNanoseconds / 1_000_000)
                multi?.reportFinished()
                if !record.isOver { loop.wait(atMost: multi?.needsKick == true ? 0 : 5) }
            }
        }

        /// Reports an event of all sockets, as one of the same batch does that libcurl has dealt with already.
        func repeatEvents(isReadable: Bool, isWritable: Bool) {
            for socket in sockets {
                multi?.socket(socket, isReadable: isReadable, isWritable: isWritable, isBroken: false)
            }
        }

        func close() { multi = nil }
    }

    /// What happened to a transfer.
    private final class Record: TransferDelegate {
        var body: [UInt8] = []
        var isOver = false
        /// Statuses and links of interim answers.
        var interim: [String] = []

        func transferDidReceiveInterim(_ transfer: any UpstreamTransfer) {
            interim.append("\(transfer.response.status) \(transfer.response.fields.first("Link") ?? "")")
        }

        func transferDidReceiveHead(_ transfer: any UpstreamTransfer, _ response: ResponseHead) {}

        func transferMayBePulled(_ transfer: any UpstreamTransfer) -> PullIntent { .none }

        func transfer(_ transfer: any UpstreamTransfer, didReceiveBody bytes: Span<UInt8>) -> BodyDisposition
        {
            for index in 0..<bytes.count { body.append(bytes[index]) }
            return .taken
        }

        func transfer(_ transfer: any UpstreamTransfer, wantsBodyInto room: UnsafeMutableRawBufferPointer)
            -> UploadStep
        {
            .end
        }

        func transferDidFinish(_ transfer: any UpstreamTransfer) { isOver = true }
    }

    private func withDriver(
        _ url: String, allowsPrivate: Bool = true,
        _ body: ((_ method: String, _ target: String) throws -> (CurlTransfer, Record)) throws -> Void
    ) throws {
        let options = UpstreamOptions(
            origin: url, connectTimeoutMilliseconds: 5000, allowsAddress: { _ in allowsPrivate })
        try withDriver(options, body)
    }

    private func withDriver(
        _ options: UpstreamOptions,
        _ body: ((_ method: String, _ target: String) throws -> (CurlTransfer, Record)) throws -> Void
    ) throws {
        let driver = try Driver(options)
        defer { driver.close() }
        try body { try perform($0, $1, on: driver) }
    }

    private func perform(
        _ method: String, _ target: String, on driver: Driver
    ) throws -> (CurlTransfer, Record) {
        let multi = try #require(driver.multi)
        let transfer = multi.makeTransfer()
        let record = Record()
        transfer.beginRequest(method: Array(method.utf8).span, target: Array(target.utf8).span)
        transfer.endRequest(body: .none)
        transfer.start(for: record)
        try driver.finish(record)
        transfer.discard()
        return (transfer, record)
    }

    @Test("targets go out byte for byte, one connection serves them all, methods change")
    func reuse() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withDriver(upstream.url) { perform in
            let targets = ["/a/../b//c?x=%2f", "/", "/?", "/%", "/caf\u{E9}"]
            for target in targets {
                for method in ["GET", "DELETE", "OPTIONS"] {
                    let (transfer, record) = try perform(method, target)
                    #expect(transfer.outcome.isComplete && transfer.outcome.wasSent)
                    #expect(transfer.response.status == 200)
                    #expect(record.body == Array("{}".utf8))
                }
            }
            #expect(upstream.requests.map(\.target) == targets.flatMap { [$0, $0, $0] })
            #expect(upstream.requests.prefix(3).map(\.method) == ["GET", "DELETE", "OPTIONS"])
            #expect(upstream.connectionCount == 1)
        }
    }

    @Test(
        "an idle connection is kept after an event that brought nothing to read",
        arguments: [(true, false), (false, true), (true, true)])
    func emptyEvent(isReadable: Bool, isWritable: Bool) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let driver = try Driver(
            UpstreamOptions(
                origin: upstream.url, connectTimeoutMilliseconds: 5000, allowsAddress: { _ in true }))
        defer { driver.close() }
        for _ in 0..<3 {
            let (transfer, _) = try perform("GET", "/", on: driver)
            #expect(transfer.outcome.isComplete)
            #expect(!driver.sockets.isEmpty)
            driver.repeatEvents(isReadable: isReadable, isWritable: isWritable)
        }
        #expect(upstream.connectionCount == 1)
    }

    @Test("a request on a connection that dies is not sent a second time", arguments: ["GET", "DELETE"])
    func resend(method: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            if exchange.request.target == "/first" { try exchange.respond(.ok()) } else { exchange.close() }
        }
        try withDriver(upstream.url) { perform in
            _ = try perform("GET", "/first")
            let (transfer, _) = try perform(method, "/second")
            #expect(!transfer.outcome.isComplete)
            #expect(transfer.outcome.wasSent)
            #expect(upstream.requests.map(\.target) == ["/first", "/second"])
        }
    }

    @Test("interim responses are told one by one, before the final one, but for 100")
    func interim() throws {
        let last = ScriptedResponse.informational(102, then: .informational(100, then: .ok("{}")))
        let upstream = try ScriptedUpstream(
            answering: .informational(103, fields: [("Link", "<a>"), ("Content-Length", "9")], then: last))
        try withDriver(upstream.url) { perform in
            for method in ["GET", "HEAD"] {
                let (transfer, record) = try perform(method, "/")
                #expect(transfer.outcome.isComplete && transfer.response.status == 200)
                #expect(transfer.response.fields.first("Link") == nil)
                #expect(record.interim == ["103 <a>", "102 "])
                #expect(record.body == (method == "GET" ? Array("{}".utf8) : []))
            }
        }
    }

    @Test("a private address is not connected to unless that is allowed")
    func privateAddress() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        for url in [upstream.url, "http://[::1]:\(upstream.port)", "http://localhost:\(upstream.port)"] {
            try withDriver(url, allowsPrivate: false) { perform in
                let (transfer, _) = try perform("GET", "/")
                #expect(transfer.outcome.fault == .prohibitedAddress)
                #expect(!transfer.outcome.wasSent)
            }
        }
        #expect(upstream.connectionCount == 0)
    }

    @Test(
        "an address that is not allowed is no reason for what happens on another one",
        arguments: ["[::1],127.0.0.1", "127.0.0.1,[::1]"])
    func otherAddress(addresses: String) throws {
        let upstream = try ScriptedUpstream { $0.reset() }
        var options = UpstreamOptions(
            origin: "http://name.example:\(upstream.port)", connectTimeoutMilliseconds: 5000,
            allowsAddress: { if case .v4 = $0 { true } else { false } })
        options.firstAddresses = "name.example:\(upstream.port):\(addresses)"
        try withDriver(options) { perform in
            let (transfer, _) = try perform("POST", "/")
            #expect(transfer.outcome.fault != .prohibitedAddress)
            #expect(!transfer.outcome.isComplete)
            #expect(transfer.outcome.wasSent)
        }
        #expect(upstream.requestCount == 1)
    }

    @Test("nobody listening is known by its error, and nothing was sent")
    func refused() throws {
        let port = try FreePort.next()
        try withDriver("http://127.0.0.1:\(port)") { perform in
            let (transfer, _) = try perform("GET", "/")
            #expect(transfer.outcome.fault == .connectFailed(errno: 111))
            #expect(!transfer.outcome.wasSent)
        }
    }

    /// Notes when a connection is open.
    private final class Opening: CurlConnectionDelegate {
        var isOpen = false

        func connection(_ connection: CurlConnection, didOpen fault: TransferFault?) { isOpen = fault == nil }
    }

    @Test("a connection that was handed over stays open until its owner closes it, though its peer has ended")
    func handedOver() throws {
        let upstream = try ScriptedUpstream { $0.close() }
        let driver = try Driver(UpstreamOptions(origin: upstream.url, connectTimeoutMilliseconds: 5000))
        defer { driver.close() }
        let multi = try #require(driver.multi)
        func open() throws -> CurlConnection {
            let opening = Opening()
            let connection = multi.connect(for: opening)
            let deadline = Deadline.after(.patience)
            while !opening.isOpen {
                try #require(!deadline.hasPassed)
                multi.run(nowMilliseconds: SystemClock.monotonicNanoseconds / 1_000_000)
                multi.reportFinished()
                if !opening.isOpen { driver.loop.wait(atMost: multi.needsKick ? 0 : 5) }
            }
            return connection
        }
        func receive(_ connection: CurlConnection) -> ConnectionTransfer {
            unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
                unsafe connection.receive(into: room)
            }
        }
        let first = try open()
        let request = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
        #expect(unsafe request.withUnsafeBytes { unsafe first.send($0) } == .moved(request.count))
        try eventually("the upstream to have read") { upstream.requests.count == 1 }
        try eventually("the end to have come") { upstream.openConnectionCount == 0 }
        // Whoever makes a connection may look for dead ones; libcurl does at most once a second.
        let second = try open()
        #expect(receive(first) == .ended)
        #expect(receive(second) == .wouldBlock)
        first.close()
        second.close()
    }
}
