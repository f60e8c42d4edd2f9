internal import CBrotli
internal import CZlib
internal import CZstd

/// Decodes content codings (RFC 9110 8.4) of bodies that are small enough for memory.
///
/// It never fails: a body that cannot be decoded is returned unchanged and marked. A body that expands without end
/// costs at most its limit and one buffer.
public enum ContentDecoder {
    /// More codings on one body are an error or an attack.
    private static let codingLimit = 4

    /// The body without its content codings.
    ///
    /// - Parameters:
    ///   - coding: the value of `Content-Encoding`: `gzip`, `x-gzip`, `deflate` (with and without the zlib wrapper),
    ///     `br`, `zstd`, `identity`, or a list of them in the order of their application; case-insensitive.
    ///   - limit: the maximum size of the result in bytes, at least 0.
    public static func decode(_ body: [UInt8], coding: String, limit: Int) -> DecodedBody {
        let limit = min(max(limit, 0), Int.max / 2)
        let codings = names(in: coding)
        guard codings.count <= codingLimit, codings.allSatisfy({ Coding($0) != nil }) else {
            return cut(body, limit, isIntact: false)
        }
        var result = DecodedBody(bytes: body, isTruncated: false, isIntact: true)
        for coding in codings.reversed().compactMap(Coding.init) where !result.bytes.isEmpty {
            // If the outer coding was truncated, the inner decoder will report it.
            let decoded = coding.decode(result.bytes, limit: limit)
            guard !decoded.bytes.isEmpty || decoded.isIntact else {
                return cut(body, limit, isIntact: false)
            }
            result.bytes = decoded.bytes
            result.isTruncated = result.isTruncated || decoded.isTruncated
            result.isIntact = result.isIntact && decoded.isIntact
        }
        if codings.isEmpty { return cut(body, limit, isIntact: true) }
        return result
    }

    /// Whether all codings of a list are supported.
    static func isKnown(_ coding: String) -> Bool { names(in: coding).allSatisfy { Coding($0) != nil } }

    /// The codings of a list except `identity`, in lower case.
    private static func names(in list: String) -> [String] {
        list.lowercased().split(separator: ",").map { name in
            String(name.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" })
        }.filter { !$0.isEmpty && $0 != "identity" }
    }

    private static func cut(_ body: [UInt8], _ limit: Int, isIntact: Bool) -> DecodedBody {
        guard body.count > limit else {
            return DecodedBody(bytes: body, isTruncated: false, isIntact: isIntact)
        }
        return DecodedBody(bytes: Array(body[..<limit]), isTruncated: true, isIntact: isIntact)
    }
}

/// A supported coding.
private enum Coding {
    case gzip
    case deflate
    case brotli
    case zstandard

    private var rawMargin: Int { 64 * 1024 }

    init?(_ name: String) {
        switch name {
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        case "br": self = .brotli
        case "zstd": self = .zstandard
        default: return nil
        }
    }

    func decode(_ body: [UInt8], limit: Int) -> DecodedBody {
        switch self {
        case .gzip: return Inflate.decode(body, .gzip, limit: limit)
        case .brotli: return Brotli.decode(body, limit: limit)
        case .zstandard: return Zstandard.decode(body, limit: limit)
        case .deflate:
            // The name means the zlib format (RFC 9110 8.4.1.2), but many servers send raw deflate.
            let wrapped = Inflate.decode(body, .zlib, limit: limit)
            guard wrapped.bytes.isEmpty, !wrapped.isIntact else { return wrapped }
            // Raw deflate has no signature and no checksum, and almost any bytes begin like it. Only a valid end, or
            // more output than a mistake would yield, identifies it.
            var raw = Inflate.decode(body, .raw, limit: limit + rawMargin)
            guard raw.isIntact else { return DecodedBody(bytes: [], isTruncated: false, isIntact: false) }
            if raw.bytes.count > limit {
                raw.bytes.removeSubrange(limit...)
                raw.isTruncated = true
            }
            return raw
        }
    }
}

/// A body without its content coding, as far as it could be decoded.
public struct DecodedBody: Sendable, Hashable {
    /// The decoded bytes; the original ones if nothing could be decoded.
    public var bytes: [UInt8]
    /// Whether the bytes were truncated at the limit.
    public var isTruncated: Bool
    /// Whether the whole body was decoded; `false` for an unknown coding, a wrong declaration, or a truncated body.
    public var isIntact: Bool
    /// Whether the bytes are in UTF-8 and those of the body were in another character set.
    public var isConverted = false

    /// A body.
    public init(bytes: [UInt8], isTruncated: Bool, isIntact: Bool) {
        self.bytes = bytes
        self.isTruncated = isTruncated
        self.isIntact = isIntact
    }
}

/// The formats of DEFLATE (RFC 1950, 1951, 1952), through zlib.
enum Inflate {
    /// The `windowBits` of `inflateInit2`: plus 16 for gzip, negative for raw deflate.
    enum Wrapper: Int32 {
        case gzip = 31
        case zlib = 15
        case raw = -15
    }

    private static let bufferSize = 16 * 1024

    /// Decodes up to `limit` bytes.
    static func decode(_ body: [UInt8], _ wrapper: Wrapper, limit: Int) -> DecodedBody {
        var stream = unsafe z_stream()
        let size = Int32(unsafe MemoryLayout<z_stream>.size)
        guard unsafe inflateInit2_(&stream, wrapper.rawValue, ZLIB_VERSION, size) == Z_OK else {
            return DecodedBody(bytes: [], isTruncated: false, isIntact: false)
        }
        defer { _ = unsafe inflateEnd(&stream) }
        var input = body
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: bufferSize)
        return unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe stream.next_in = source.baseAddress
            unsafe stream.avail_in = UInt32(clamping: source.count)
            while true {
                let (status, produced) = unsafe step(&stream, into: &buffer)
                output += buffer[..<produced]
                if output.count > limit {
                    output.removeSubrange(limit...)
                    return DecodedBody(bytes: output, isTruncated: true, isIntact: true)
                }
                if status == Z_STREAM_END {
                    // A gzip file may have several members (RFC 1952 2.2).
                    let more = unsafe wrapper == .gzip && stream.avail_in > 0 && inflateReset(&stream) == Z_OK
                    if !more { return DecodedBody(bytes: output, isTruncated: false, isIntact: true) }
                } else if status != Z_OK || produced == 0 {
                    return DecodedBody(bytes: output, isTruncated: false, isIntact: false)
                }
            }
        }
    }

    private static func step(
        _ stream: inout z_stream, into buffer: inout [UInt8]
    ) -> (status: Int32, produced: Int) {
        unsafe buffer.withUnsafeMutableBufferPointer { target in
            unsafe stream.next_out = target.baseAddress
            unsafe stream.avail_out = UInt32(target.count)
            let status = unsafe inflate(&stream, Z_NO_FLUSH)
            return (status, unsafe target.count - Int(stream.avail_out))
        }
    }
}

/// Brotli (RFC 7932), through libbrotlidec.
enum Brotli {
    private static let bufferSize = 16 * 1024

    /// Decodes up to `limit` bytes.
    static func decode(_ body: [UInt8], limit: Int) -> DecodedBody {
        guard let state = unsafe BrotliDecoderCreateInstance(nil, nil, nil) else {
            return DecodedBody(bytes: [], isTruncated: false, isIntact: false)
        }
        defer { unsafe BrotliDecoderDestroyInstance(state) }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: bufferSize)
        return unsafe body.withUnsafeBufferPointer { source in
            var inputLeft = source.count
            var input = source.baseAddress
            while true {
                let (result, produced) = unsafe buffer.withUnsafeMutableBufferPointer { target in
                    var outputLeft = target.count
                    var next = target.baseAddress
                    let result = unsafe BrotliDecoderDecompressStream(
                        state, &inputLeft, &input, &outputLeft, &next, nil)
                    return (result, target.count - outputLeft)
                }
                output += buffer[..<produced]
                if output.count > limit {
                    output.removeSubrange(limit...)
                    return DecodedBody(bytes: output, isTruncated: true, isIntact: true)
                }
                switch result {
                case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: continue
                case BROTLI_DECODER_RESULT_SUCCESS:
                    return DecodedBody(bytes: output, isTruncated: false, isIntact: true)
                default: return DecodedBody(bytes: output, isTruncated: false, isIntact: false)
                }
            }
        }
    }
}

/// Zstandard (RFC 8878), through libzstd.
enum Zstandard {
    private static let bufferSize = 16 * 1024
    /// The largest window that a receiver must support (RFC 9659), 8 MiB: a provider's error gets no more memory.
    private static let windowLog: Int32 = 23

    /// Decodes up to `limit` bytes; a body may have several frames.
    static func decode(_ body: [UInt8], limit: Int) -> DecodedBody {
        guard let stream = unsafe ZSTD_createDStream() else {
            return DecodedBody(bytes: [], isTruncated: false, isIntact: false)
        }
        defer { _ = unsafe ZSTD_freeDStream(stream) }
        guard unsafe ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, windowLog)) == 0 else {
            return DecodedBody(bytes: [], isTruncated: false, isIntact: false)
        }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: bufferSize)
        return unsafe body.withUnsafeBytes { source in
            var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
            while true {
                let (status, produced) = unsafe step(stream, &input, into: &buffer)
                output += buffer[..<produced]
                if output.count > limit {
                    output.removeSubrange(limit...)
                    return DecodedBody(bytes: output, isTruncated: true, isIntact: true)
                }
                // 0 marks the end of a frame; another one may follow.
                if status == 0, unsafe input.pos == input.size {
                    return DecodedBody(bytes: output, isTruncated: false, isIntact: true)
                }
                let isStuck = unsafe produced < buffer.count && input.pos == input.size
                if ZSTD_isError(status) != 0 || isStuck {
                    return DecodedBody(bytes: output, isTruncated: false, isIntact: false)
                }
            }
        }
    }

    private static func step(
        _ stream: OpaquePointer, _ input: inout ZSTD_inBuffer, into buffer: inout [UInt8]
    ) -> (status: Int, produced: Int) {
        unsafe buffer.withUnsafeMutableBytes { target in
            var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
            let status = unsafe ZSTD_decompressStream(stream, &output, &input)
            return (status, unsafe output.pos)
        }
    }
}
