internal import CZlib

/// The formats of DEFLATE (RFC 1950, 1951, 1952), through zlib.
enum Inflate {
    /// How the compressed data is wrapped, as `inflateInit2` wants it: the window's bits, plus 16 for gzip,
    /// negative for none.
    enum Wrapper: Int32 {
        case gzip = 31
        case zlib = 15
        case raw = -15
    }

    private static let bufferSize = 16 * 1024

    /// Decodes as much as there is, up to `limit` bytes.
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
