internal import CHiredis

/// A reply of a Redis server (the RESP2 protocol).
public enum RedisReply: Hashable, Sendable {
    /// A number.
    case integer(Int64)
    /// A string of any bytes, or a status such as `OK`.
    case bytes([UInt8])
    /// Nothing.
    case null
    /// A failure, as the server says it: a code in capitals, then words.
    case error(String)
    /// Several replies; null elements included.
    case array([RedisReply])

    /// How deep arrays may be in each other; what is deeper counts as nothing.
    private static let maximumDepth = 8

    /// Copies what hiredis has read.
    init(_ reply: UnsafePointer<redisReply>, depth: Int = 0) {
        let value = unsafe reply.pointee
        switch unsafe value.type {
        case REDIS_REPLY_INTEGER: self = unsafe .integer(value.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: self = unsafe .bytes(Self.bytes(of: value))
        case REDIS_REPLY_ERROR: self = unsafe .error(String(decoding: Self.bytes(of: value), as: UTF8.self))
        case REDIS_REPLY_ARRAY where depth < Self.maximumDepth:
            var elements: [RedisReply] = []
            for index in unsafe 0..<value.elements {
                guard let element = unsafe value.element[index] else { continue }
                unsafe elements.append(RedisReply(element, depth: depth + 1))
            }
            self = .array(elements)
        default: self = .null
        }
    }

    private static func bytes(of reply: redisReply) -> [UInt8] {
        guard let start = unsafe reply.str else { return [] }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: reply.len))
    }

    /// The number, if it is one.
    public var integer: Int64? { if case .integer(let number) = self { number } else { nil } }

    /// The elements, if it is an array.
    public var elements: [RedisReply]? { if case .array(let elements) = self { elements } else { nil } }

    /// The text, if it is one.
    public var text: String? {
        if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
    }
}
