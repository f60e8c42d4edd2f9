internal import CBrotli

/// Brotli (RFC 7932), through libbrotlidec.
enum Brotli {
    private static let bufferSize = 16 * 1024

    /// Decodes as much as there is, up to `limit` bytes.
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
