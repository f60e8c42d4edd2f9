import Loop
import TestSupport
import Testing
import Upstream
import Wire

@Suite("the connections to a provider", .blocking)
struct HTTP1PoolTests {
    /// A pool on a loop and a clock of the test's own.
    private final class Driver: SocketWatcher, ReadinessHandler, HTTP1PoolOwner, TransferDelegate {
        private let loop: EventLoop
        private var multi: CurlMulti?
        private var pool: HTTP1Pool?
        private var isOver = false
        /// The body of the last response.
        private(set) var body: [UInt8] = []
        var seconds: Int64 = 1000
        var nowNanoseconds: Int64 { seconds * 1_000_000_000 }

        init(_ upstream: ScriptedUpstream) throws {
            loop = try EventLoop()
            let options = UpstreamOptions(
                origin: upstream.url, connectTimeoutMilliseconds: 20_000, allowsAddress: { _ in true })
            let multi = CurlMulti(options: options, watcher: self)
            self.multi = multi
            pool = HTTP1Pool(multi: multi, loop: loop, authority: "h", room: ReceiveRoom(), owner: self)
        }

        /// Performs a request, to its end.
        func perform() throws {
            let transfer = try #require(pool?.makeTransfer())
            isOver = false
            body = []
            transfer.beginRequest(method: Array("GET".utf8).span, target: Array("/".utf8).span)
            transfer.endRequest(body: .none)
            transfer.start(for: self)
            let deadline = Deadline.after(.patience)
            while !isOver {
                try #require(!deadline.hasPassed)
                multi?.run(nowMilliseconds: SystemClock.monotonicNanoseconds / 1_000_000)
                multi?.reportFinished()
                pool?.reportFinished()
                if !isOver { loop.wait(atMost: 5) }
            }
            #expect(transfer.outcome.isComplete)
            transfer.discard()
        }

        func close() {
            pool?.close()
            (pool, multi) = (nil, nil)
        }

        func watch(_ socket: Int32, readable: Bool, writable: Bool) {
            var interest: Readiness = []
            if readable { interest.insert(.readable) }
            if writable { interest.insert(.writable) }
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

        func poolHasFinishedTransfers(_ pool: HTTP1Pool) {}
        func transferDidReceiveInterim(_ transfer: any UpstreamTransfer) {}
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

    /// How many connections a request each after these pauses, in seconds, makes.
    private func connections(_ upstream: ScriptedUpstream, pauses: [Int64]) throws -> [Int] {
        let driver = try Driver(upstream)
        defer { driver.close() }
        return try ([0] + pauses).map { pause in
            driver.seconds += pause
            try driver.perform()
            return upstream.connectionCount
        }
    }

    @Test("a connection that was idle for 50 seconds is not used again: most servers close it after 60")
    func idle() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        #expect(try connections(upstream, pauses: [49, 49, 51, 1]) == [1, 1, 1, 2, 2])
        try eventually("all connections to be closed") { upstream.openConnectionCount == 0 }
    }

    @Test("a provider that says for how long it keeps a connection is believed, less a second")
    func keepAlive() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=9\r\nContent-Length: 2\r\n\r\n{}")
        }
        #expect(try connections(upstream, pauses: [3, 3, 5, 3]) == [1, 1, 1, 2, 2])
    }

    @Test("a connection that is always busy is left after ten minutes, so that a name that moves is followed")
    func lifetime() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let used = try connections(upstream, pauses: Array(repeating: 40, count: 31))
        #expect(used.firstIndex(of: 2) == 15)
        #expect(used.last == 3)
    }

    @Test(
        "after bytes that no request asked for, each request has a connection of its own for a minute",
        arguments: ["H", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray"])
    func unrequestedBytes(_ unrequested: String) throws {
        let upstream = try ScriptedUpstream { exchange in
            let rest = exchange.request.connection == 0 ? unrequested : ""
            try exchange.respond(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(exchange.request.connection)\(rest)")
        }
        let driver = try Driver(upstream)
        defer { driver.close() }
        var connections: [Int] = []
        for pause: Int64 in [0, 0, 0, 58, 3, 0] {
            driver.seconds += pause
            try driver.perform()
            connections.append(Int(String(decoding: driver.body, as: UTF8.self)) ?? -1)
        }
        #expect(connections == [0, 1, 2, 3, 4, 4])
    }
}
