import ContentCoding
import Testing

@Suite("Content decoder")
struct ContentDecoderTests {
    static let text = Array(#"{"message":"Not found.","error_code":"not_found"}"#.utf8)

    @Test("identity and no coding leave the body alone", arguments: ["", "identity", " Identity "])
    func leavesAlone(coding: String) {
        let decoded = ContentDecoder.decode(Self.text, coding: coding, limit: 1000)
        #expect(decoded == DecodedBody(bytes: Self.text, isTruncated: false, isIntact: true))
    }

    @Test("an unknown coding hands the bytes back, marked")
    func marksUnknown() {
        let decoded = ContentDecoder.decode(Self.text, coding: "zstd", limit: 1000)
        #expect(decoded == DecodedBody(bytes: Self.text, isTruncated: false, isIntact: false))
    }
}
