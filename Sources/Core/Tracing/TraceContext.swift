public import Wire

/// The id of a trace: 16 bytes, not all 0 (W3C Trace Context 3.2.2.3).
public struct TraceID: Hashable, Sendable {
    /// The first and the last eight bytes.
    public let high, low: UInt64

    /// The id with these bytes; `nil` if all are 0.
    public init?(high: UInt64, low: UInt64) {
        guard high | low != 0 else { return nil }
        (self.high, self.low) = (high, low)
    }

    /// The bytes.
    var bytes: [UInt8] { Hexadecimal.bytes(high) + Hexadecimal.bytes(low) }

    /// Writes 32 lower-case digits.
    public func append(to output: inout some ByteSink & ~Copyable) {
        Hexadecimal.append(high, to: &output)
        Hexadecimal.append(low, to: &output)
    }
}

extension TraceID: CustomStringConvertible {
    /// 32 lower-case digits.
    public var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}

/// The id of a span: 8 bytes, not all 0.
public struct SpanID: Hashable, Sendable {
    /// The bytes.
    public let bits: UInt64

    /// The id with these bytes; `nil` if all are 0.
    public init?(bits: UInt64) {
        guard bits != 0 else { return nil }
        self.bits = bits
    }

    var bytes: [UInt8] { Hexadecimal.bytes(bits) }

    /// Writes 16 lower-case digits.
    public func append(to output: inout some ByteSink & ~Copyable) { Hexadecimal.append(bits, to: &output) }
}

/// The trace that a request belongs to.
public struct TraceContext: Hashable, Sendable {
    /// The trace.
    public var trace: TraceID
    /// The caller's span; `nil` for a trace that began in Weir.
    public var parent: SpanID?
    /// Whether its spans are recorded.
    public var isSampled: Bool

    /// A trace.
    public init(trace: TraceID, parent: SpanID?, isSampled: Bool) {
        (self.trace, self.parent, self.isSampled) = (trace, parent, isSampled)
    }

    /// Reads `traceparent` (W3C Trace Context 3.2): `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits, all in lower case.
    ///
    /// A later version may have more behind a further `-`. `nil` for anything else: the trace begins anew.
    public init?(traceparent text: Span<UInt8>) {
        guard text.count >= 55, text[2] == 0x2D, text[35] == 0x2D, text[52] == 0x2D,
            let version = Hexadecimal.number(text.extracting(0..<2)), version != 0xFF,
            version == 0 ? text.count == 55 : text.count == 55 || text[55] == 0x2D,
            let high = Hexadecimal.number(text.extracting(3..<19)),
            let low = Hexadecimal.number(text.extracting(19..<35)),
            let trace = TraceID(high: high, low: low),
            let parent = Hexadecimal.number(text.extracting(36..<52)).flatMap(SpanID.init(bits:)),
            let flags = Hexadecimal.number(text.extracting(53..<55))
        else { return nil }
        self.init(trace: trace, parent: parent, isSampled: flags & 1 != 0)
    }

    /// Writes `traceparent` for a request that `span` sends.
    public func appendTraceparent(span: SpanID, to output: inout some ByteSink & ~Copyable) {
        output.append(literal: "00-")
        trace.append(to: &output)
        output.append(0x2D)
        span.append(to: &output)
        output.append(literal: isSampled ? "-01" : "-00")
    }
}

/// Makes ids, and decides which traces that begin here are recorded.
///
/// They need to be different, not secret: a SplitMix64 sequence, which costs no system call.
public struct TraceIDGenerator: Sendable {
    private var state: UInt64

    /// A generator whose sequence starts at `seed`.
    public init(seed: UInt64) { state = seed }

    /// An id of a span.
    public mutating func span() -> SpanID {
        while true { if let id = SpanID(bits: random()) { return id } }
    }

    /// A trace that begins here.
    public mutating func root(_ rate: SamplingRate) -> TraceContext {
        while true {
            guard let trace = TraceID(high: random(), low: random()) else { continue }
            return TraceContext(trace: trace, parent: nil, isSampled: rate.contains(trace))
        }
    }

    private mutating func random() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The share of the traces that begin here which are recorded.
public struct SamplingRate: Hashable, Sendable {
    /// In millionths, 0 to 1,000,000.
    public let millionths: Int

    /// One in ten.
    public static let tenPercent = SamplingRate(millionths: 100_000)

    /// A share in millionths.
    public init(millionths: Int) { self.millionths = min(max(millionths, 0), 1_000_000) }

    /// Reads `10%`, `0.5%` or `100%`, with up to four digits behind the point.
    ///
    /// - Throws: `InvalidSetting` for anything else, and for more than 100%.
    public init(parsing text: String) throws(InvalidSetting) {
        let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        let isNumber = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(\.isASCIIDigit) }
        guard text.hasSuffix("%"), (1...2).contains(parts.count), isNumber, parts[0].utf8.count <= 3,
            parts.count == 1 || parts[1].utf8.count <= 4, let whole = Int(parts[0]),
            let fraction = parts.count == 1
                ? 0 : Int(parts[1] + String(repeating: "0", count: 4 - parts[1].utf8.count)),
            whole * 10_000 + fraction <= 1_000_000
        else { throw InvalidSetting("must be a share from 0% to 100%, such as 10% or 0.5%") }
        self.init(millionths: whole * 10_000 + fraction)
    }

    /// Whether a trace is recorded; the same for every program that decides by the last 56 bits of the id.
    public func contains(_ trace: TraceID) -> Bool {
        guard millionths < 1_000_000 else { return true }
        let threshold = UInt64(millionths) * ((1 << 56) / 1_000_000)
        return trace.low & ((1 << 56) - 1) < threshold
    }
}

/// Numbers in hexadecimal digits.
enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    static func bytes(_ number: UInt64) -> [UInt8] {
        stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt64($0)) }
    }

    static func append(_ number: UInt64, to output: inout some ByteSink & ~Copyable) {
        for shift in stride(from: 60, through: 0, by: -4) {
            output.append(digits[Int(number >> UInt64(shift) & 15)])
        }
    }

    /// The number that at most 16 lower-case digits stand for.
    static func number(_ text: Span<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for index in 0..<text.count {
            let byte = text[index]
            switch byte {
            case 0x30...0x39: number = number << 4 | UInt64(byte - 0x30)
            case 0x61...0x66: number = number << 4 | UInt64(byte - 0x61 + 10)
            default: return nil
            }
        }
        return number
    }
}
