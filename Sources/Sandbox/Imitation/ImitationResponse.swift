internal import Wire

/// An answer of an imitation.
struct ImitationResponse: Sendable {
    /// The status code.
    var status: Int
    /// The fields; without `Content-Type` if the provider sends none.
    var fields = FieldBlock()
    /// The body.
    var body: [UInt8]
    /// How long to wait before it is sent.
    var delay: Duration?
    /// Whether it refuses a request that came too early for the rate limit.
    var isRefusal = false

    /// An answer with a body of that type; `nil` leaves the type out.
    init(_ status: Int, type: String?, body: [UInt8]) {
        self.status = status
        self.body = body
        if let type { fields.append("Content-Type", type) }
    }

    /// A JSON answer.
    static func json(_ status: Int, _ value: JSONValue) -> ImitationResponse {
        ImitationResponse(status, type: "application/json", body: value.bytes)
    }

    /// A sentence, without any content type.
    static func bareText(_ status: Int, _ text: String) -> ImitationResponse {
        ImitationResponse(status, type: nil, body: Array(text.utf8))
    }

    /// A page.
    static func html(_ status: Int, _ text: String) -> ImitationResponse {
        ImitationResponse(status, type: "text/html; charset=utf-8", body: Array(text.utf8))
    }

    /// An answer without a body.
    static func empty(_ status: Int) -> ImitationResponse {
        ImitationResponse(status, type: nil, body: [])
    }

    /// The same answer with one more field.
    func with(_ name: String, _ value: String) -> ImitationResponse {
        var copy = self
        copy.fields.append(name, value)
        return copy
    }

    /// The same answer, some time later.
    func after(_ delay: Duration?) -> ImitationResponse {
        var copy = self
        copy.delay = delay
        return copy
    }
}
