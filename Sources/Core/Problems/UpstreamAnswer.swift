internal import Wire

/// What the provider answered, for those who want to see it.
///
/// Immutable, and an object, because it has many parts and goes through many hands.
public final class UpstreamAnswer: Sendable {
    /// The provider's status.
    public let status: Int
    /// The provider's own error code.
    public let code: Text?
    /// The provider's own message.
    public let message: Text?
    /// The provider's id of the request.
    public let requestID: Text?
    /// The `Content-Type`.
    public let contentType: Text?
    /// The members of a body that was a problem already (RFC 9457): `type`, `title`, `detail`, `instance`.
    public let problem: [KeptMember]
    /// The body, cut and redacted, if the configuration wants it.
    public let body: Text?

    /// An answer.
    public init(
        status: Int, code: Text? = nil, message: Text? = nil, requestID: Text? = nil,
        contentType: Text? = nil,
        problem: [KeptMember] = [], body: Text? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.requestID = requestID
        self.contentType = contentType
        self.problem = problem
        self.body = body
    }

    /// Writes the object, absent members left out.
    func encode(into output: inout some ByteSink & ~Copyable) {
        output.append(literal: #"{"status":"#)
        JSONWriter.integer(status, into: &output)
        Self.member(#","code":"#, code, into: &output)
        Self.member(#","message":"#, message, into: &output)
        Self.member(#","request_id":"#, requestID, into: &output)
        Self.member(#","content_type":"#, contentType, into: &output)
        for member in problem { member.encode(into: &output) }
        Self.member(#","body":"#, body, into: &output)
        output.append(0x7D)
    }

    private static func member(
        _ name: StaticString, _ value: Text?, into output: inout some ByteSink & ~Copyable
    ) {
        guard let value, !value.isEmpty else { return }
        output.append(literal: name)
        JSONWriter.string(value, into: &output)
    }
}
