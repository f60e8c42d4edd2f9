internal import ContentCoding

/// A byte for the codings, two for the limit, then the body.
///
/// The result is bounded whatever the body expands to, the same each time, and the body itself where nothing could be decoded.
enum ContentCodingProperties {
    private static let codings = [
        "gzip", "deflate", "br", "identity", "gzip, gzip", "br, deflate", "gzip,gzip,gzip,gzip", "snail",
        "x-gzip", "gzip, gzip, gzip, gzip, gzip", "", " , br ,", "GZIP", "deflate, br", "br, br, br", "zstd",
    ]

    static func check(_ input: [UInt8]) {
        guard input.count >= 3 else { return }
        let coding = codings[Int(input[0]) % codings.count]
        let limit = Int(input[1]) << 8 | Int(input[2])
        let body = Array(input[3...])
        let decoded = ContentDecoder.decode(body, coding: coding, limit: limit)
        expect(decoded.bytes.count <= limit, "more than the limit")
        expect(decoded == ContentDecoder.decode(body, coding: coding, limit: limit), "two results differ")
        // Of several codings an inner one may have been cut, and the outer ones yield less.
        if decoded.isTruncated, !coding.contains(",") {
            expect(decoded.bytes.count == limit, "cut below the limit")
        }
        if ["identity", "snail", ""].contains(coding) {
            expect(decoded.bytes == Array(body.prefix(limit)), "a body without a coding was changed")
            expect(
                decoded.isIntact == (coding == "identity" || coding.isEmpty), "an unknown coding is intact")
        }
        // A larger limit only ever adds to what was there, where all of it could be decoded.
        let more = ContentDecoder.decode(body, coding: coding, limit: limit + 4096)
        if decoded.isIntact, more.isIntact, !decoded.bytes.isEmpty, !coding.contains(",") {
            expect(more.bytes.starts(with: decoded.bytes), "another limit gives another text")
        }
    }
}
