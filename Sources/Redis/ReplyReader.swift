/// Reads replies from the bytes of a server, however they are split.
///
/// The input is not trusted: each length and number is checked before it is used, and a reply that is too large is an
/// error before its bytes arrive. Weir's scripts return a few numbers, and its messages are one line long.
public struct ReplyReader {
    /// The bytes are not a reply, or a reply that is too large.
    public struct Malformed: Error, Hashable {
        /// What is wrong.
        public var reason: String
    }

    /// The longest string or line, in bytes.
    public static let longestString = 16 << 10
    /// The most elements of an array.
    public static let mostElements = 256
    /// The maximum nesting depth of arrays.
    public static let deepest = 8
    /// The largest reply, in bytes.
    public static let largestReply = 32 << 10

    private var buffer: [UInt8] = []
    private var start = 0

    /// A reader without input.
    public init() {}

    /// Adds what was received.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0, start == buffer.count || start > Self.longestString {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next reply; `nil` until it is complete.
    public mutating func next() throws(Malformed) -> RedisReply? {
        var position = start
        let reply = try Self.reply(in: buffer, at: &position, depth: 0)
        // Whether its bytes arrive together or one by one.
        guard (reply == nil ? buffer.count : position) - start <= Self.largestReply else {
            throw Malformed(reason: "a reply is larger than \(Self.largestReply) bytes")
        }
        if reply != nil { start = position }
        return reply
    }

    private static func reply(
        in bytes: [UInt8], at position: inout Int, depth: Int
    ) throws(Malformed) -> RedisReply? {
        guard let line = try line(in: bytes, at: &position) else { return nil }
        guard let kind = line.first else { throw Malformed(reason: "an empty line is no reply") }
        let rest = line.dropFirst()
        switch kind {
        case UInt8(ascii: "+"): return .bytes(Array(rest))
        case UInt8(ascii: "-"): return .error(String(decoding: rest, as: UTF8.self))
        case UInt8(ascii: ":"): return .integer(try number(rest))
        case UInt8(ascii: "$"):
            guard let length = try count(rest, atMost: longestString) else { return .null }
            // The string, and the end of its line.
            guard bytes.count - position >= length + 2 else { return nil }
            let string = Array(bytes[position..<position + length])
            position += length
            guard bytes[position] == 0x0D, bytes[position + 1] == 0x0A else {
                throw Malformed(reason: "a string is longer than its length")
            }
            position += 2
            return .bytes(string)
        case UInt8(ascii: "*"):
            guard let count = try count(rest, atMost: mostElements) else { return .null }
            guard depth < deepest else { throw Malformed(reason: "arrays are more than \(deepest) deep") }
            var elements: [RedisReply] = []
            for _ in 0..<count {
                guard let element = try reply(in: bytes, at: &position, depth: depth + 1) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        default: throw Malformed(reason: "a reply is of no known kind")
        }
    }

    /// The line at `position` without its end; `nil` until it is complete.
    private static func line(in bytes: [UInt8], at position: inout Int) throws(Malformed) -> ArraySlice<
        UInt8
    >? {
        let rest = bytes[position...].prefix(longestString)
        guard let end = rest.firstIndex(of: 0x0A) else {
            if rest.count == longestString { throw Malformed(reason: "a line has no end") }
            return nil
        }
        guard end > position, bytes[end - 1] == 0x0D else {
            throw Malformed(reason: "a line does not end with CR and LF")
        }
        let line = bytes[position..<end - 1]
        position = end + 1
        return line
    }

    /// An integer: digits with an optional sign.
    private static func number(_ text: ArraySlice<UInt8>) throws(Malformed) -> Int64 {
        guard text.count <= 20, let number = Int64(String(decoding: text, as: UTF8.self)) else {
            throw Malformed(reason: "a number is none, or out of range")
        }
        return number
    }

    /// A length or number of elements; `nil` for -1, which means null.
    private static func count(_ text: ArraySlice<UInt8>, atMost most: Int) throws(Malformed) -> Int? {
        let count = try number(text)
        if count == -1 { return nil }
        guard count >= 0, count <= Int64(most) else {
            throw Malformed(reason: "a length is out of range (at most \(most))")
        }
        return Int(count)
    }
}
