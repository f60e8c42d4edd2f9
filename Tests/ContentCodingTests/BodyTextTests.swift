import ContentCoding
import TestSupport
import Testing

@Suite("Text of a body")
struct BodyTextTests {
    private func text(_ body: [UInt8], _ type: String? = nil, coding: String? = nil, limit: Int = 1000)
        -> String
    {
        String(
            decoding: BodyText.decode(body, coding: coding, contentType: type, limit: limit).bytes,
            as: UTF8.self)
    }

    private static func utf16(_ text: String, isBigEndian: Bool) -> [UInt8] {
        text.utf16.flatMap { unit in
            let bytes = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
            return isBigEndian ? bytes : bytes.reversed()
        }
    }

    private static func utf32(_ text: String, isBigEndian: Bool) -> [UInt8] {
        text.unicodeScalars.flatMap { scalar in
            let bytes = (0..<4).map { UInt8(truncatingIfNeeded: scalar.value >> (24 - 8 * UInt32($0))) }
            return isBigEndian ? bytes : bytes.reversed()
        }
    }

    @Test(
        "a declared character set is converted to UTF-8",
        arguments: [
            ("text/plain; charset=ISO-8859-1", [0x4B, 0xE4, 0x73, 0x65], "Käse"),
            ("text/plain;charset=\"iso-8859-1\"", [0x4B, 0xE4, 0x73, 0x65], "Käse"),
            ("text/plain; Charset = latin1; x=y", [0x4B, 0xE4, 0x73, 0x65], "Käse"),
            ("application/json; charset=ISO-8859-1", [0x22, 0xE4, 0x22], "\"ä\""),
            ("text/plain; charset=windows-1252", [0x80, 0x20, 0x93, 0x61, 0x94], "€ “a”"),
            ("text/plain; charset=ISO-8859-15", [0xA4], "€"),
            ("text/plain; charset=windows-1251", [0xC4, 0xE0], "Да"),
            ("text/plain; charset=koi8-r", [0xE4, 0xC1], "Да"),
            ("text/plain; charset=Shift_JIS", [0x93, 0xFA, 0x96, 0x7B], "日本"),
            ("text/plain; charset=EUC-JP", [0xC6, 0xFC, 0xCB, 0xDC], "日本"),
            (
                "text/plain; charset=iso-2022-jp",
                [0x1B, 0x24, 0x42, 0x46, 0x7C, 0x4B, 0x5C, 0x1B, 0x28, 0x42], "日本"
            ),
            ("text/plain; charset=gb2312", [0xD6, 0xD0], "中"),
            ("text/plain; charset=GBK", [0xD6, 0xD0], "中"),
            ("text/plain; charset=big5", [0xA4, 0xA4], "中"),
            ("text/plain; charset=euc-kr", [0xC7, 0xD1], "한"),
            ("text/plain; charset=utf-16le", [0x4B, 0x00, 0xE4, 0x00], "Kä"),
            ("text/plain; charset=UTF-16", [0x00, 0x4B, 0x00, 0xE4], "Kä"),
        ] as [(String, [UInt8], String)])
    func declared(type: String, body: [UInt8], expected: String) { #expect(text(body, type) == expected) }

    @Test(
        "UTF-16 and UTF-32 are recognised by their mark, or by the zeros of their first characters",
        arguments: [true, false])
    func wide(isBigEndian: Bool) {
        let json = #"{"message":"Käse 😀"}"#
        for body in [Self.utf16(json, isBigEndian: isBigEndian), Self.utf32(json, isBigEndian: isBigEndian)] {
            #expect(text(body, "application/json") == json)
            #expect(text(body) == json)
        }
        for body in [
            Self.utf16("\u{FEFF}" + json, isBigEndian: isBigEndian),
            Self.utf32("\u{FEFF}" + json, isBigEndian: isBigEndian),
        ] {
            #expect(text(body, "application/json; charset=utf-8") == json)
        }
        #expect(text(Self.utf16("7", isBigEndian: isBigEndian)) == "7")
    }

    @Test(
        "a page and an XML document may declare their own character set",
        arguments: [
            "<html><meta charset=iso-8859-1><title>K\u{E4}se</title>",
            "<html><META CHARSET='ISO-8859-1' /><title>K\u{E4}se</title>",
            "<!doctype html><meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-1\"><title>K\u{E4}se</title>",
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><e>K\u{E4}se</e>",
            "<?xml encoding='windows-1252'?><e>K\u{E4}se</e>",
        ])
    func declaredWithin(document: String) {
        let body = document.unicodeScalars.map { UInt8($0.value) }
        #expect(text(body, "text/html") == document)
        // What the response says counts more.
        #expect(text(body, "text/html; charset=windows-1251").contains("Kдse"))
    }

    @Test(
        "UTF-8, and what nobody knows, stay as they are",
        arguments: [
            nil, "text/plain", "text/plain; charset=utf-8", "text/plain; charset=x-unknown",
            "text/plain; charset=",
            "text/plain; charset=../../etc/passwd", "text/plain; charset=us-ascii",
            "text/plain; xcharset=latin1",
            "application/json; charset=ISO-8859-1", "application/problem+json; charset=windows-1251",
        ])
    func unchanged(type: String?) {
        #expect(text(Array("Käse".utf8), type) == "Käse")
        #expect(
            BodyText.decode([0x4B, 0xFF], coding: nil, contentType: "text/plain", limit: 9).bytes == [
                0x4B, 0xFF,
            ])
    }

    @Test("what is no character becomes a replacement, half a character at the end is dropped")
    func malformed() {
        #expect(text([0x93, 0xFA, 0xFF, 0x41], "text/plain; charset=shift_jis") == "日\u{FFFD}A")
        #expect(text([0x93, 0xFA, 0x96], "text/plain; charset=shift_jis") == "日")
        #expect(
            text([0x41, 0x00, 0x00, 0xD8, 0x42, 0x00, 0x43], "text/plain; charset=utf-16le") == "A\u{FFFD}B")
        #expect(text([0x81, 0x41], "text/plain; charset=latin1") == "\u{FFFD}A")
    }

    @Test("the result is bounded, and says so")
    func bounded() {
        let body = [UInt8](repeating: 0xE4, count: 1000)
        for limit in [0, 1, 7, 100, 1999, 2000, 5000] {
            let decoded = BodyText.decode(
                body, coding: nil, contentType: "text/plain; charset=latin1", limit: limit)
            #expect(decoded.bytes.count <= limit)
            #expect(decoded.isTruncated == (limit < 2000))
            #expect(String(decoding: decoded.bytes, as: UTF8.self).allSatisfy { $0 == "ä" })
        }
    }

    @Test("codings and character sets are both taken off")
    func both() {
        #expect(text(CodedSamples.zstandard, "application/json", coding: "zstd").contains("Not found."))
        #expect(text(CodedSamples.gzipZstandard, coding: "gzip, zstd").contains("Not found."))
    }

    @Test(
        "undecoded bytes are never shown",
        arguments: [
            "x", "compress", "zstd", "gzip", "br", "deflate", "gzip, x", "x, gzip",
            "gzip, gzip, gzip, gzip, gzip",
        ])
    func undecoded(coding: String) {
        for body: [UInt8] in [
            [0x28, 0xB5, 0x2F, 0xFD, 0xFF, 0xFF], [0, 1, 2, 3], Array("a\u{1}b".utf8), [0xC3, 0x28],
        ] {
            let decoded = BodyText.decode(body, coding: coding, contentType: nil, limit: 1000)
            #expect(decoded.bytes == [] && !decoded.isIntact)
        }
    }

    @Test("text whose coding lies is kept; of an unknown coding only what is whole JSON or markup")
    func lies() {
        for coding in ["gzip", "zstd", "br", "deflate"] {
            #expect(text(Array("Too many".utf8), coding: coding) == "Too many")
        }
        #expect(text(Array(#" {"a":"ä"} "#.utf8), coding: "utf-8") == #" {"a":"ä"} "#)
        #expect(text(Array("aGVsbG8gd29ybGQ=".utf8), coding: "base64") == "")
    }
}
