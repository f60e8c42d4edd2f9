/// A response as received by a client.
public struct RawResponse: Sendable, Equatable {
    /// The status line and the fields.
    public let head: MessageHead
    /// The body, and how it ended.
    public let body: MessageBody
    /// The 1xx heads that came before.
    public let informational: [MessageHead]

    /// The status code.
    public var status: Int { head.status ?? 0 }
    /// The reason phrase.
    public var reason: String { head.parts.count > 2 ? head.parts[2] : "" }
    /// The status line as sent.
    public var statusLine: String { head.line }
    /// The fields in order.
    public var fields: RawFields { head.fields }
    /// The trailer fields of a chunked body.
    public var trailers: RawFields { body.trailers }
    /// The body as text.
    public var text: String { body.text }
    /// Whether the body ended as its framing promised.
    public var isComplete: Bool { body.isComplete }
}
