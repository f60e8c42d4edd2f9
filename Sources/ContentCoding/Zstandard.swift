internal import CZstd

/// Zstandard (RFC 8878), through libzstd.
enum Zstandard {
    private static let bufferSize = 16 * 1024
    /// The largest window that a receiver must support (RFC 9659), 8 MiB: more memory is not given to a provider's error.
    private static let windowLog: Int32 = 23

    /// Decodes as much as there is, up to `limit` bytes; a body may have several frames.
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
                // 0 is the end of a frame: behind it there may be another one.
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
