internal import Downstream
internal import Wire

/// A request to the sandbox: collects the body, asks for the answer, and gives it when its time has come.
final class SandboxRequest: IncomingRequest {
    private unowned let server: SandboxServer
    private let target: String
    private var body: [UInt8] = []
    private var isTooLarge = false
    private var response: ImitationResponse?
    /// The answer's body, where it stays until it is sent.
    private var sentBody = ByteQueue()
    private var isHeldBack = false

    /// A request whose target has come.
    init(server: SandboxServer, target: String) {
        self.server = server
        self.target = target
        super.init()
    }

    override func bodyReceived(_ bytes: Span<UInt8>) -> Int {
        // The rest is read all the same: a client learns of a refusal only when it has been heard to the end.
        isTooLarge = isTooLarge || body.count + bytes.count > SandboxServer.bodyLimit
        if isTooLarge {
            body = []
        } else {
            unsafe bytes.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
        }
        return bytes.count
    }

    override func awaitAnswer() -> Wait {
        if isHeldBack { return .suspend }
        let response = self.response ?? decide()
        if let delay = response.delay, self.response == nil {
            self.response = response
            isHeldBack = true
            server.hold(self, for: delay)
            return .suspend
        }
        sentBody.append(response.body)
        let bytes = unsafe UnsafeRawBufferPointer(
            start: sentBody.address.map { UnsafeRawPointer($0) }, count: sentBody.count)
        let isTaken = respond(
            status: response.status, fields: response.fields, body: unsafe .memory(bytes))
        return isTaken ? .answered : .abandon
    }

    override func completed(isWhole: Bool) { server.ended() }

    /// The time of an answer that was held back has come.
    func isDue() {
        isHeldBack = false
        resume()
    }

    private func decide() -> ImitationResponse {
        var fields = FieldBlock()
        head.forEachField { name, value in fields.append(name: name, value: value) }
        return server.answer(
            method: head.withMethod { $0.string }, target: target, fields: fields, body: body,
            isTooLarge: isTooLarge)
    }
}
