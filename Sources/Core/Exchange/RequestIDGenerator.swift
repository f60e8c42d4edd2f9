public import Wire

/// Makes request ids: 26 characters of Crockford's base 32, first the time, then chance, so that they sort by time (a ULID).
///
/// They need to be different, not secret: the chance is a SplitMix64 sequence, which costs no system call.
public struct RequestIDGenerator: Sendable {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    private var state: UInt64

    /// A generator whose sequence starts at `seed`.
    public init(seed: UInt64) { state = seed }

    /// A new id.
    ///
    /// - Parameter milliseconds: since 1970; 48 bits are used.
    public mutating func next(milliseconds: UInt64) -> [UInt8] {
        var id: [UInt8] = []
        appendNext(milliseconds: milliseconds, to: &id)
        return id
    }

    /// Writes a new id behind what is in `id`.
    ///
    /// - Parameter milliseconds: since 1970; 48 bits are used.
    public mutating func appendNext(milliseconds: UInt64, to id: inout [UInt8]) {
        let alphabet = Self.alphabet.span
        var letters = InlineArray<26, UInt8>(repeating: 0)
        for index in 0..<10 { letters[index] = alphabet[Int(milliseconds >> UInt64(45 - 5 * index) & 31)] }
        let bits = (random(), random())
        for index in 0..<8 {
            letters[10 + index] = alphabet[Int(bits.0 >> UInt64(5 * index) & 31)]
            letters[18 + index] = alphabet[Int(bits.1 >> UInt64(5 * index) & 31)]
        }
        id.append(letters.span)
    }

    private mutating func random() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The value of `Server-Timing`: where the time went, in milliseconds with one microsecond's resolution.
public enum ServerTiming {
    /// Writes `queue;dur=…, upstream;dur=…, proxy;dur=…`.
    ///
    /// All arguments are nanoseconds; a negative one counts as 0.
    public static func append(
        queue: Int64, upstream: Int64, proxy: Int64, to output: inout some ByteSink & ~Copyable
    ) {
        output.append(literal: "queue;dur=")
        appendMilliseconds(queue, to: &output)
        output.append(literal: ", upstream;dur=")
        appendMilliseconds(upstream, to: &output)
        output.append(literal: ", proxy;dur=")
        appendMilliseconds(proxy, to: &output)
    }

    private static func appendMilliseconds(_ nanoseconds: Int64, to output: inout some ByteSink & ~Copyable) {
        let microseconds = Int(max(0, nanoseconds) / 1000)
        JSONWriter.integer(microseconds / 1000, into: &output)
        let fraction = microseconds % 1000
        guard fraction > 0 else { return }
        output.append(0x2E)
        output.append(0x30 + UInt8(fraction / 100))
        output.append(0x30 + UInt8(fraction / 10 % 10))
        output.append(0x30 + UInt8(fraction % 10))
    }
}
