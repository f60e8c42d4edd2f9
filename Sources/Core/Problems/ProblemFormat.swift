internal import Wire

/// How problems are written: the constant parts of each code, made once.
public struct ProblemFormat: Sendable {
    /// The names of the problem's own members: a profile can keep none of them.
    public static let memberNames: [String] = [
        "type", "title", "status", "detail", "instance", "code", "origin", "provider", "retryable",
        "retry_after",
        "effect", "fields", "limit", "upstream", "attempts", "waited", "request_id", "trace_id", "mapped",
    ]

    /// `{"type":…,"title":…,"status":` of each code.
    let heads: [[UInt8]]
    /// `","code":…,"origin":…` of each code, behind the instance.
    let kinds: [[UInt8]]
    /// The code's own detail, as a JSON string.
    let details: [[UInt8]]

    /// A format whose types are `<typeBase>/<code>`.
    ///
    /// - Parameter typeBase: a URI or an absolute path; a slash at its end does not count.
    public init(typeBase: String = "/-/errors") {
        var base = typeBase
        while base.hasSuffix("/") { base.removeLast() }
        var heads: [[UInt8]] = []
        var kinds: [[UInt8]] = []
        var details: [[UInt8]] = []
        for code in ProblemCode.allCases {
            var head = Array(#"{"type":"#.utf8)
            JSONWriter.string("\(base)/\(code.name)", into: &head)
            head += Array(#","title":"#.utf8)
            JSONWriter.string(code.title, into: &head)
            head += Array(#","status":"#.utf8)
            heads.append(head)
            kinds.append(Array(#"","code":"\#(code.name)","origin":"\#(code.origin.rawValue)""#.utf8))
            var detail: [UInt8] = []
            JSONWriter.string(code.detail, into: &detail)
            details.append(detail)
        }
        self.heads = heads
        self.kinds = kinds
        self.details = details
    }
}

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
