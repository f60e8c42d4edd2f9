/// What the provider answered, for those who want to see it.
public struct UpstreamAnswer: Sendable, Hashable {
    /// The provider's status.
    public var status: Int
    /// The provider's own error code.
    public var code: Text?
    /// The provider's own message.
    public var message: Text?
    /// The provider's id of the request.
    public var requestID: Text?
    /// The `Content-Type`.
    public var contentType: Text?
    /// The members of a body that was a problem already (RFC 9457): `type`, `title`, `detail`, `instance`.
    public var problem: [KeptMember] = []
    /// The body, cut and redacted, if the configuration wants it.
    public var body: Text?

    /// An answer of which only the status is known.
    public init(status: Int) { self.status = status }

    /// Writes the object, absent members left out.
    func encode(into output: inout [UInt8]) {
        output.append(contentsOf: #"{"status":"#.utf8)
        JSONWriter.integer(status, into: &output)
        Self.member(#","code":"#, code, into: &output)
        Self.member(#","message":"#, message, into: &output)
        Self.member(#","request_id":"#, requestID, into: &output)
        Self.member(#","content_type":"#, contentType, into: &output)
        for member in problem {
            output.append(0x2C)
            JSONWriter.string(member.name, into: &output)
            output.append(0x3A)
            output.append(contentsOf: member.value.bytes)
        }
        Self.member(#","body":"#, body, into: &output)
        output.append(0x7D)
    }

    private static func member(_ name: String, _ value: Text?, into output: inout [UInt8]) {
        guard let value, !value.isEmpty else { return }
        output.append(contentsOf: name.utf8)
        JSONWriter.string(value, into: &output)
    }
}
