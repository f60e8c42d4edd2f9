import Downstream
import Locking
import Loop
import Synchronization
import TestSupport
import Wire

/// A daemon on a thread of its own; what it does with a request, the request's target says.
final class EchoServer: Sendable {
    let port: UInt16
    private let mustEnd = Atomic(false)

    private struct Handover: @unchecked Sendable {
        let socket: ListenSocket
    }

    private let thread: Lock<Background<Void>?>

    init(idleSeconds: Int = 10) throws {
        let handover = Handover(socket: try ListenSocket(host: "127.0.0.1", port: 0, isShared: false))
        port = handover.socket.port
        thread = Lock(nil)
        let running = Background { [self] in
            let delegate = EchoDelegate()
            let limits = HTTPDaemon.Limits(
                connectionMemory: 16 << 10, connections: 16, idleSeconds: idleSeconds,
                request: RequestScanner.Limits(
                    target: 8 << 10, fieldBytes: 12 << 10, fieldCount: 100, head: 15 << 10,
                    fieldOverhead: 64, body: .max))
            let loop = try EventLoop()
            let daemon = try HTTPDaemon(
                listener: handover.socket, limits: limits, loop: loop, delegate: delegate)
            while !mustEnd.load(ordering: .relaxed) {
                _ = daemon.accept()
                daemon.run()
                delegate.resumeAll()
                loop.wait(atMost: 0)
                pauseThread(for: .microseconds(200))
            }
            daemon.run()
            daemon.stop()
        }
        thread.withLock { $0 = running }
    }

    /// Ends the daemon, and waits for that.
    func stop() throws {
        mustEnd.store(true, ordering: .relaxed)
        try thread.withLock { $0 }?.join()
    }
}

private final class EchoDelegate: HTTPDaemonDelegate {
    private var sleeping: [EchoRequest] = []

    func daemon(_ daemon: HTTPDaemon, beginsRequestFor target: Span<UInt8>) -> IncomingRequest {
        let request = EchoRequest(target: target.string)
        request.sleep = { [unowned self, unowned request] in sleeping.append(request) }
        return request
    }

    func daemonIsReady(_ daemon: HTTPDaemon) {}
    func daemon(_ daemon: HTTPDaemon, clientEnds socket: Int32, isBroken: Bool) {}
    func daemon(_ daemon: HTTPDaemon, closes socket: Int32) {}
    func daemon(
        _ daemon: HTTPDaemon, refuses fault: RequestFault, of request: IncomingRequest?
    ) -> ClosingAnswer {
        var fields = FieldBlock()
        fields.append("X-Fault", "\(fault)")
        return ClosingAnswer(status: 400, fields: fields, body: "refused".utf8.span, isHead: false)
    }
    func daemon(_ daemon: HTTPDaemon, logs message: String) {}

    func resumeAll() {
        let woken = sleeping
        sleeping = []
        for request in woken { request.resume() }
    }
}

/// Answers with what it was asked: `/stream…` piece by piece, `/broken…` in part, `/abandon…` not at all, all else in one piece.
private final class EchoRequest: IncomingRequest {
    let target: String
    var sleep: () -> Void = {}
    private var received: [UInt8] = []
    private var visits = 0
    private var answer = ByteQueue()
    private var pieces = 0

    init(target: String) {
        self.target = target
        super.init()
    }

    override func bodyReceived(_ bytes: Span<UInt8>) -> Int {
        // Half of what comes is left for later, so that nothing may be lost.
        let taken = bytes.count > 1 ? bytes.count / 2 : bytes.count
        for index in 0..<taken { received.append(bytes[index]) }
        if taken < bytes.count { sleep() }
        return taken
    }

    override func awaitAnswer() -> Wait {
        visits += 1
        if target.hasPrefix("/abandon") { return .abandon }
        if visits == 1 {
            sleep()
            return .suspend
        }
        if visits < 4 { return .poll }
        var text = head.withMethod { $0.string } + " \(target)\n"
        head.forEachField { name, value in text += "\(name.string)=\(value.string)\n" }
        text += "\(head.isHTTP10) \(head.fieldCount) \(received.count)\n"
        answer.append(Array(text.utf8))
        var fields = FieldBlock()
        fields.append("X-Answer", "yes")
        fields.append("X-Empty", "")
        if !target.hasPrefix("/undated") { fields.append("Date", "today") }
        fields.append("X-Answer", "again")
        if target == "/twice" { fields.append("date", "tomorrow") }
        if target == "/line-end" { fields.append("X-Bad", "1\r\nX-Injected: 2") }
        if target.hasSuffix("/nul") { fields.append("X-Bad", "1\0 and more") }
        fields.append("X-Last", "last")
        let isStreamed = target.hasPrefix("/stream") || target.hasPrefix("/broken")
        let isAnswered =
            isStreamed
            ? respond(status: 200, fields: fields, body: .streamed(length: nil))
            : unsafe respond(
                status: 200, fields: fields,
                body: .memory(UnsafeRawBufferPointer(start: answer.address, count: answer.count)))
        return isAnswered ? .answered : .abandon
    }

    override func readBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead {
        pieces += 1
        if pieces % 2 == 0 {
            sleep()
            return .suspend
        }
        if target.hasPrefix("/broken"), pieces > 2 { return .abort }
        let few = unsafe UnsafeMutableRawBufferPointer(rebasing: room.prefix(7))
        let count = unsafe answer.read(into: few)
        return count > 0 ? .wrote(count) : .end
    }
}
