import CEpoll
import CMicroHTTPD
import Glibc
import Loop
import TestSupport
import Testing
import Wire

@testable import Downstream

@Suite("the hooks of libmicrohttpd", .blocking)
struct LibraryHooksTests {
    @Test("the library calls every hook, with and without TLS")
    func called() {
        #expect(LibraryHooks.plainFault == nil && LibraryHooks.fault == nil)
    }

    @Test(
        "a library that calls another function than a hook is found out at the start",
        arguments: [
            (LibraryHooks.Hook.receiving, false, "recv()"), (.receiving, true, "gnutls_record_recv()"),
            (.sending, false, "send()"), (.sending, true, "gnutls_record_send()"),
            (.readiness, false, "epoll_ctl()"), (.readiness, true, "epoll_ctl()"),
            (.handshake, true, "gnutls_handshake()"),
        ])
    func notCalled(hook: LibraryHooks.Hook, usesTLS: Bool, name: String) throws {
        #expect(LibraryHooks.fault(usingTLS: usesTLS) == nil)
        let fault = try #require(LibraryHooks.fault(usingTLS: usesTLS, without: hook))
        #expect(fault.contains(name))
    }

    @Test("only the library's calls reach a hook: other epolls and sockets of the same thread are left alone")
    func others() throws {
        var hooks = unsafe cmhd_hooks()
        unsafe hooks.next_ready = { _, _, _ in 1 }
        unsafe hooks.change = { _, _, _, _ in 5 }
        try unsafe withUnsafePointer(to: &hooks) { hooks in
            let bound = epoll_create1(0)
            #expect(unsafe cmhd_bind_epoll(bound, hooks) != 0)
            defer {
                unsafe cmhd_unbind_epoll(bound, hooks)
                close(bound)
            }
            let loop = try EventLoop()
            let (near, far) = try pair()
            defer { for end in [near, far] { close(end) } }
            let handler = Readable()
            try loop.watch(near, for: .readable, handler: handler)
            var byte: UInt8 = 7
            #expect(unsafe cmhd_send(far, &byte, 1, nil, 0, 0) == 1)
            loop.wait(atMost: 1000)
            #expect(handler.count == 1)
            byte = 0
            #expect(unsafe recv(near, &byte, 1, 0) == 1 && byte == 7)
            loop.forget(near)
        }
    }

    @Test("an epoll that another thread uses is not the daemon's, although it has its number")
    func otherThread() throws {
        let hooks = UnsafeMutablePointer<cmhd_hooks>.allocate(capacity: 1)
        unsafe hooks.initialize(to: cmhd_hooks())
        unsafe hooks.pointee.change = { _, _, _, _ in 5 }
        let epoll = epoll_create1(0)
        defer {
            close(epoll)
            unsafe hooks.deallocate()
        }
        #expect(unsafe cmhd_bind_epoll(epoll, hooks) != 0)
        #expect(addNothing(to: epoll) == 5)
        let other = Background { addNothing(to: epoll) }
        #expect(try other.join() == EBADF)
        unsafe cmhd_unbind_epoll(epoll, hooks)
        #expect(addNothing(to: epoll) == EBADF)
    }

    private func pair() throws -> (Int32, Int32) {
        var (near, far): (Int32, Int32) = (-1, -1)
        try #require(unsafe cmhd_socket_pair(&near, &far) == 0)
        return (near, far)
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
        cmhd_leave()
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

/// The error of adding no descriptor to an epoll.
private func addNothing(to epoll: Int32) -> Int32 {
    var event = unsafe epoll_event()
    return unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, -1, &event) == -1 ? errno : 0
}

private final class Readable: ReadinessHandler {
    var count = 0
    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) { count += 1 }
}
