internal import Downstream
internal import Wire

/// A request to the sandbox: collects the body, requests the response, and sends it when its delay is over.
final class SandboxRequest: IncomingRequest {
    private unowned let server: SandboxServer
    private let target: String
    private var body: [UInt8] = []
    private var isTooLarge = false
    private var response: ImitationResponse?
    /// The response's body, kept until it is sent.
    private var sentBody = ByteQueue()
    private var isHeldBack = false

    /// A request whose target has been received.
    init(server: SandboxServer, target: String) {
        self.server = server
        self.target = target
        super.init()
    }

    override func bodyReceived(_ bytes: Span<UInt8>) -> Int {
        // The rest is read anyway: a client sees a rejection only when its whole request has been read.
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

    /// The delay of the response is over.
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
