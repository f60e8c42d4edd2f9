internal import Core
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
    private var isHead = false
    /// Whether the part of an aborted body is written.
    private var hasSentHalf = false

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
        let isNew = self.response == nil
        self.response = response
        if let delay = response.delay, isNew {
            isHeldBack = true
            server.hold(self, for: delay)
            return .suspend
        }
        release()
        switch response.abort {
        case .head: return .abandon
        case .reset:
            resetConnection()
            return .abandon
        case .body:
            // A response without a body has nothing to break off in.
            let hasBody = !isHead && response.status != 204 && response.status != 304
            let length = Int64(max(response.body.count, 2))
            let isTaken =
                hasBody
                && respond(
                    status: response.status, fields: response.fields, body: .streamed(length: length))
            return isTaken ? .answered : .abandon
        case nil: break
        }
        sentBody.append(response.body)
        let bytes = unsafe UnsafeRawBufferPointer(
            start: sentBody.address.map { UnsafeRawPointer($0) }, count: sentBody.count)
        let isTaken = respond(
            status: response.status, fields: response.fields, body: unsafe .memory(bytes))
        return isTaken ? .answered : .abandon
    }

    override func readBody(into room: UnsafeMutableRawBufferPointer) -> BodyRead {
        guard let response, !hasSentHalf, room.count > 0 else { return .abort }
        hasSentHalf = true
        let half = response.body.isEmpty ? [UInt8(ascii: " ")] : response.body
        let count = min(room.count, max(1, half.count / 2))
        unsafe room.copyBytes(from: half[..<count])
        return .wrote(count)
    }

    override func completed(isWhole: Bool) {
        release()
        server.ended()
    }

    /// Frees the slots that the response occupies.
    private func release() {
        guard let slots = response?.slots, !slots.isEmpty else { return }
        response?.slots = []
        server.release(slots, of: target)
    }

    /// The delay of the response is over.
    func isDue() {
        isHeldBack = false
        resume()
    }

    private func decide() -> ImitationResponse {
        var fields = FieldBlock()
        head.forEachField { name, value in fields.append(name: name, value: value) }
        let method = head.withMethod { $0.string }
        isHead = method == "HEAD"
        return server.answer(
            method: method, target: target, fields: fields, body: body,
            isTooLarge: isTooLarge)
    }
}
