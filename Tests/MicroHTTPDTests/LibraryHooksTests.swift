import CReceive
import EventLoop
import HTTPWire
import TestSupport
import Testing

@testable import MicroHTTPD

@Suite("the functions that libmicrohttpd is given in place of others", .blocking)
struct LibraryHooksTests {
    @Test("the library that runs calls them, with and without TLS")
    func called() {
        #expect(LibraryHooks.plainFault == nil && LibraryHooks.fault == nil)
    }

    @Test("a library that does not call them is found out", arguments: [false, true])
    func notCalled(usesTLS: Bool) {
        #expect(LibraryHooks.isCalled(usingTLS: usesTLS))
        #expect(!LibraryHooks.isCalled(usingTLS: usesTLS, isSet: false))
    }

    @Test(
        "a request that the library reads past the scanner is never begun, and its connection ends",
        arguments: 1...5)
    func unscanned(round: Int) throws {
        let socket = try ListenSocket(host: "127.0.0.1", port: 0, isShared: false)
        let clients = try (0..<2).map { _ in try RawClient(port: socket.port) }
        for client in clients { try client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n") }
        let delegate = DeafDelegate()
        let loop = try EventLoop()
        let daemon = try HTTPDaemon(
            listener: socket,
            limits: HTTPDaemon.Limits(
                connectionMemory: 16 << 10, connections: 16, idleSeconds: 10,
                request: RequestScanner.Limits(
                    target: 8 << 10, fieldBytes: 12 << 10, fieldCount: 100, head: 15 << 10, fieldOverhead: 64,
                    body: .max)), loop: loop, delegate: delegate)
        let deadline = ContinuousClock.now + .patience
        while delegate.completed < 2, ContinuousClock.now < deadline {
            _ = daemon.accept()
            daemon.run()
            loop.wait(atMost: 1)
        }
        #expect(delegate.begun == 2 && delegate.completed == 2)
        #expect(delegate.heads == 1, "the one that was scanned")
        daemon.stop()
        let responses = clients.map { try? $0.readResponse() }
        #expect(responses.compactMap { $0?.status } == [200])
        #expect(delegate.log.contains { $0.contains("past the scanner") })
    }
}

/// Has the library's calls looked at until the first request begins, and no more in that run.
private final class DeafDelegate: HTTPDaemonDelegate {
    var (begun, heads, completed) = (0, 0, 0)
    var log: [String] = []

    func daemon(_ daemon: HTTPDaemon, beginsRequestFor target: Span<UInt8>) -> IncomingRequest {
        begun += 1
        creceive_end()
        return CountedRequest(self)
    }

    func daemonIsReady(_ daemon: HTTPDaemon) {}
    func daemon(_ daemon: HTTPDaemon, clientEnds socket: Int32, isBroken: Bool) {}
    func daemon(_ daemon: HTTPDaemon, closes socket: Int32) {}
    func daemon(
        _ daemon: HTTPDaemon, refuses fault: RequestFault, of request: IncomingRequest?
    ) -> ClosingAnswer {
        ClosingAnswer(status: 400, fields: FieldBlock(), body: Span(), isHead: false)
    }
    func daemon(_ daemon: HTTPDaemon, logs message: String) { log.append(message) }
}

private final class CountedRequest: IncomingRequest {
    private let delegate: DeafDelegate

    init(_ delegate: DeafDelegate) {
        self.delegate = delegate
        super.init()
    }

    override func headReceived() -> Bool {
        delegate.heads += 1
        return true
    }

    override func awaitAnswer() -> Wait {
        unsafe respond(
            status: 200, fields: FieldBlock(), body: .memory(UnsafeRawBufferPointer(start: nil, count: 0)))
            ? .answered : .abandon
    }

    override func completed(isWhole: Bool) { delegate.completed += 1 }
}
