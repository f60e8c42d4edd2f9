import Core
import TestSupport
import Testing

@Suite("JSON writer")
struct JSONWriterTests {
    private func written(_ write: (inout [UInt8]) -> Void) -> String {
        var bytes: [UInt8] = []
        write(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("quotes, backslashes and control characters are escaped, the rest stays")
    func escapes() {
        let text = written { JSONWriter.string("a\"\\\n\u{1}\u{7F}é/", into: &$0) }
        #expect(text == #""a\"\\\n\u0001\u007fé/""#)
    }

    @Test("ill-formed UTF-8 becomes U+FFFD")
    func repairs() {
        let broken: [[UInt8]] = [
            [0x61, 0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80],
            [0xC3, 0x28],
        ]
        for bytes in broken {
            let text = written { JSONWriter.string(Text(bytes), into: &$0) }
            #expect(text.contains("\u{FFFD}"))
            #expect(JSONSchema.parse(Array(text.utf8)) != nil)
        }
        #expect(written { JSONWriter.string(Text("é😀"), into: &$0) } == "\"é😀\"")
    }

    @Test(
        "seconds are whole, or rounded up to the millisecond",
        arguments: [
            (2, "2"), (0, "0"), (1.187, "1.187"), (0.3, "0.3"), (1.0001, "1.001"), (0.0004, "0.001"),
            (59.9999, "60"),
            (-1, "0"), (.infinity, "1000000000000"), (.nan, "0"), (1.5, "1.5"), (0.05, "0.05"),
        ] as [(Double, String)])
    func writesSeconds(value: Double, text: String) {
        #expect(written { JSONWriter.seconds(value, into: &$0) } == text)
    }

    @Test("integers are written in full", arguments: [0, 7, 10, -42, 1_234_567_890, Int.max, Int.min])
    func writesIntegers(value: Int) {
        #expect(written { JSONWriter.integer(value, into: &$0) } == String(value))
    }
}
