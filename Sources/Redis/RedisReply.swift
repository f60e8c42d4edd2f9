/// A reply of a Redis server (the RESP2 protocol).
public enum RedisReply: Hashable, Sendable {
    /// An integer.
    case integer(Int64)
    /// A string of any bytes, or a status such as `OK`.
    case bytes([UInt8])
    /// Null.
    case null
    /// An error: a code in capitals and a message.
    case error(String)
    /// An array, which may contain null elements.
    case array([RedisReply])

    /// The number, if it is one.
    public var integer: Int64? { if case .integer(let number) = self { number } else { nil } }

    /// The elements, if it is an array.
    public var elements: [RedisReply]? { if case .array(let elements) = self { elements } else { nil } }

    /// The text, if it is one.
    public var text: String? {
        if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
}
