/// Recognises binary content, whatever its declared type.
enum BinaryContent {
    /// The signatures of formats that begin like text, or whose rest may look like it.
    private static let signatures: [[UInt8]] = [
        [0x1F, 0x8B],  // gzip
        [0x89, 0x50, 0x4E, 0x47],  // PNG
        Array("%PDF-".utf8), Array("GIF8".utf8), [0xFF, 0xD8, 0xFF],  // JPEG
        [0x50, 0x4B, 0x03, 0x04], [0x50, 0x4B, 0x05, 0x06],  // ZIP
        [0x28, 0xB5, 0x2F, 0xFD],  // zstd
        [0xFD, 0x37, 0x7A, 0x58, 0x5A], Array("BZh".utf8) + [0x39, 0x31, 0x41, 0x59],  // xz, bzip2
        [0x37, 0x7A, 0xBC, 0xAF], Array("Rar!".utf8) + [0x1A],
        [0x7F, 0x45, 0x4C, 0x46], [0xD0, 0xCF, 0x11, 0xE0], Array("OggS".utf8) + [0],
        Array("wOFF".utf8), Array("wOF2".utf8), [0x49, 0x49, 0x2A, 0x00], [0x4D, 0x4D, 0x00, 0x2A],  // TIFF
        [0x00, 0x61, 0x73, 0x6D], [0x1A, 0x45, 0xDF, 0xA3], Array("SQLite format 3".utf8),
    ]
    /// Longer names of types are ignored.
    private static let types: Set<String> = [
        "octet-stream", "pdf", "zip", "gzip", "x-gzip", "zstd", "x-tar", "x-bzip2", "x-7z-compressed",
        "protobuf", "x-protobuf", "x-google-protobuf", "vnd.google.protobuf", "grpc", "grpc+proto",
        "msgpack", "x-msgpack", "vnd.msgpack", "cbor", "wasm", "avro", "ocsp-response", "pkix-cert",
        "x-amz-cbor-1.1", "vnd.amazon.eventstream", "java-archive", "vnd.ms-excel", "msword",
    ]

    /// Whether the bytes begin with the signature of a known format.
    static func hasSignature(_ bytes: [UInt8]) -> Bool {
        switch bytes.first {
        case 0x00, 0x1A, 0x1F, 0x25, 0x28, 0x37, 0x42, 0x47, 0x49, 0x4D, 0x4F, 0x50, 0x52, 0x53, 0x77, 0x7F,
            0x89, 0xD0,
            0xFD, 0xFF:
            if signatures.contains(where: bytes.starts(with:)) { return true }
            // A container that names its content: WebP, WAVE, AVI.
            return bytes.count >= 12 && bytes.starts(with: Array("RIFF".utf8))
        default: return false
        }
    }

    /// Whether a declared type is binary.
    static func isBinary(type: String?) -> Bool {
        guard let type else { return false }
        let name = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        let parts = name.split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return false }
        switch parts[0] {
        case "image", "audio", "video", "font": return true
        case "application", "binary": return types.contains(String(parts[1]))
        default: return false
        }
    }

    /// Whether the byte cannot occur in text: a binary data byte (WHATWG MIME Sniffing 3).
    static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && !(0x09...0x0D).contains(byte) && byte != 0x1B || byte == 0x7F
    }

    /// Whether there is such a byte, apart from the zeros that some servers append to a text.
    static func isControl(in bytes: [UInt8]) -> Bool { content(bytes).contains(where: isControl) }

    /// Whether there are too many control characters for a text.
    ///
    /// - Parameter isUTF8: whether the body is well-formed UTF-8, which is rarely the case by chance.
    static func isBinary(_ bytes: [UInt8], type: @autoclosure () -> String?, isUTF8: Bool) -> Bool {
        let content = content(bytes)
        guard let first = content.firstIndex(where: isControl) else { return false }
        let controls = content[first...].count(where: isControl)
        return controls * (isUTF8 ? 8 : 32) > content.count || isBinary(type: type())
    }

    private static func content(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0 { end -= 1 }
        return bytes[..<end]
    }
}
