import ContentCoding
import TestSupport
import Testing

@Suite("Content decoder")
struct ContentDecoderTests {
    private static let coded: [(coding: String, body: [UInt8])] = [
        ("gzip", CodedSamples.gzip), ("x-gzip", CodedSamples.gzip), (" GZIP ", CodedSamples.gzip),
        ("deflate", CodedSamples.zlib), ("deflate", CodedSamples.rawDeflate), ("br", CodedSamples.brotli),
        ("identity, gzip", CodedSamples.gzip), ("gzip,\tidentity", CodedSamples.gzip),
        ("zstd", CodedSamples.zstandard), ("ZSTD", CodedSamples.zstandard),
    ]

    @Test("identity and no coding leave the body alone", arguments: ["", "identity", " Identity ", ","])
    func leavesAlone(coding: String) {
        let decoded = ContentDecoder.decode(CodedSamples.text, coding: coding, limit: 1000)
        #expect(decoded == DecodedBody(bytes: CodedSamples.text, isTruncated: false, isIntact: true))
    }

    @Test("every coding is taken off", arguments: coded)
    func decodes(coding: String, body: [UInt8]) {
        let decoded = ContentDecoder.decode(body, coding: coding, limit: 1000)
        #expect(decoded == DecodedBody(bytes: CodedSamples.text, isTruncated: false, isIntact: true))
    }

    @Test("the members of a gzip file are joined")
    func joinsMembers() {
        let decoded = ContentDecoder.decode(
            CodedSamples.gzip + CodedSamples.gzip, coding: "gzip", limit: 1000)
        #expect(decoded.bytes == CodedSamples.text + CodedSamples.text && decoded.isIntact)
    }

    @Test("the result is cut at the limit", arguments: coded)
    func cuts(coding: String, body: [UInt8]) {
        let decoded = ContentDecoder.decode(body, coding: coding, limit: 7)
        #expect(
            decoded == DecodedBody(bytes: Array(CodedSamples.text[..<7]), isTruncated: true, isIntact: true))
        #expect(
            ContentDecoder.decode(body, coding: coding, limit: CodedSamples.text.count).isTruncated == false)
        #expect(ContentDecoder.decode(body, coding: coding, limit: -1).bytes == [])
    }

    @Test("a bomb is cut at the limit, also one within another")
    func bombs() {
        let brotli = ContentDecoder.decode(CodedSamples.brotliBomb, coding: "br", limit: 65_536)
        #expect(brotli.bytes.count == 65_536 && brotli.isTruncated)
        let zstandard = ContentDecoder.decode(CodedSamples.zstandardBomb, coding: "zstd", limit: 65_536)
        #expect(zstandard.bytes.count == 65_536 && zstandard.isTruncated)
        let nested = ContentDecoder.decode(CodedSamples.gzipGzipBomb, coding: "gzip, gzip", limit: 65_536)
        #expect(nested.bytes.count == 65_536 && nested.isTruncated)
    }

    @Test("a body that broke off yields what had come", arguments: coded)
    func brokenOff(coding: String, body: [UInt8]) {
        for length in 0..<body.count {
            let decoded = ContentDecoder.decode(Array(body[..<length]), coding: coding, limit: 1000)
            #expect(CodedSamples.text.starts(with: decoded.bytes) || decoded.bytes == Array(body[..<length]))
            #expect(length == 0 || decoded.bytes == CodedSamples.text || !decoded.isIntact)
        }
    }

    @Test(
        "an unknown coding, and one that lies, hand the bytes back, marked",
        arguments: [
            "zstd", "gzip", "br", "deflate", "gzip, zstd", "gzip, gzip, gzip, gzip, gzip", "x", "gzip, x",
        ])
    func marks(coding: String) {
        let decoded = ContentDecoder.decode(CodedSamples.text, coding: coding, limit: 1000)
        #expect(decoded == DecodedBody(bytes: CodedSamples.text, isTruncated: false, isIntact: false))
        let cut = ContentDecoder.decode(CodedSamples.text, coding: coding, limit: 5)
        #expect(cut == DecodedBody(bytes: Array(CodedSamples.text[..<5]), isTruncated: true, isIntact: false))
    }
}
