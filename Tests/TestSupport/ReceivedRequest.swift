/// A request as an upstream received it.
public struct ReceivedRequest: Sendable, Equatable {
    /// The request line and the fields.
    public let head: MessageHead
    /// The body; nil until it was read.
    public internal(set) var body: MessageBody?
    /// All bytes of the request as received, head and framing included; without the body if that was only counted.
    public internal(set) var rawBytes: [UInt8]
    /// The connection on which it arrived: 0 for the first that the upstream accepted.
    public let connection: Int

    /// The method.
    public var method: String { head.parts.first ?? "" }
    /// The request target, byte for byte.
    public var target: String { head.parts.count > 1 ? head.parts[1] : "" }
    /// The request line as received.
    public var requestLine: String { head.line }
    /// The fields in order.
    public var fields: RawFields { head.fields }
    /// The body as text; empty until it was read.
    public var text: String { body?.text ?? "" }
}
