/// The start line and fields of a message.
public struct MessageHead: Sendable, Equatable {
    /// The request line or status line, without its line end.
    public let startLine: [UInt8]
    /// The fields in order.
    public let fields: RawFields

    /// The start line as text.
    public var line: String { String(decoding: startLine, as: UTF8.self) }

    /// The parts of the start line between its first two spaces, for example version, status and reason.
    var parts: [String] {
        line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    }

    /// The status code of an HTTP/1.0 or HTTP/1.1 response; nil if the start line is no status line.
    public var status: Int? {
        guard ["HTTP/1.0", "HTTP/1.1"].contains(parts[0]), parts.count > 1, parts[1].count == 3 else {
            return nil
        }
        return Int(parts[1])
    }

    /// How the fields alone say the body is delimited; nil if they say nothing (RFC 9112 §6.3).
    var framing: BodyFraming? {
        if let coding = fields["Transfer-Encoding"] {
            return coding.lowercased().hasSuffix("chunked") ? .chunked : .untilClose
        }
        return fields["Content-Length"].flatMap { Int($0) }.map { .length(max(0, $0)) }
    }
}

/// How the end of a body is found (RFC 9112 §6).
public enum BodyFraming: Sendable, Equatable {
    /// There is no body.
    case none
    /// `Content-Length`, in bytes.
    case length(Int)
    /// `Transfer-Encoding: chunked`.
    case chunked
    /// The connection's end.
    case untilClose
}

/// A body as it was read.
public struct MessageBody: Sendable, Equatable {
    /// How a body ended.
    public enum Ending: Sendable, Equatable {
        /// As its framing promised.
        case complete
        /// By an orderly close before the promised end.
        case closed
        /// By a reset.
        case reset
        /// By bytes that break the chunked coding.
        case malformed(String)
    }

    /// How the end was found.
    public let framing: BodyFraming
    /// How the body ended.
    public internal(set) var ending: Ending = .complete
    /// The decoded bytes; empty if the reader was told to count only.
    public internal(set) var bytes: [UInt8] = []
    /// The number of decoded bytes, kept or not.
    public internal(set) var count = 0
    /// The sizes of the chunks as sent.
    public internal(set) var chunkSizes: [Int] = []
    /// The trailer fields of a chunked body.
    public internal(set) var trailers = RawFields()

    private let isKept: Bool

    init(framing: BodyFraming, isKept: Bool) {
        self.framing = framing
        self.isKept = isKept
    }

    /// Whether the body ended as its framing promised.
    public var isComplete: Bool { ending == .complete }

    /// The bytes as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    mutating func append(_ part: [UInt8]) {
        count += part.count
        if isKept { bytes += part }
    }
}
