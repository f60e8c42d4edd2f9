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
    }

    @Test(
        "the labels of the Encoding Standard, and those of older programs, are known",
        arguments: [
            ("csISOLatin1", "café", [0x63, 0x61, 0x66, 0xE9]), ("latin1", "é", [0xE9]),
            ("iso_8859-1:1987", "é", [0xE9]), ("us-ascii", "é", [0xE9]), ("cp819", "é", [0xE9]),
            ("ANSI_X3.4-1968", "é", [0xE9]), ("x-cp1252", "€", [0x80]), ("Windows-1252", "€", [0x80]),
            ("cp437", "é", [0x82]), ("ibm850", "é", [0x82]), ("IBM437", "é", [0x82]), ("cp858", "€", [0xD5]),
            ("macintosh", "é", [0x8E]), ("x-mac-roman", "é", [0x8E]), ("x-mac-cyrillic", "Д", [0x84]),
            ("x-sjis", "日本", [0x93, 0xFA, 0x96, 0x7B]), ("windows-31j", "日", [0x93, 0xFA]),
            ("csEUCPkdFmtJapanese", "日", [0xC6, 0xFC]), ("csGB2312", "中", [0xD6, 0xD0]),
            ("chinese", "中", [0xD6, 0xD0]), ("cn-big5", "中", [0xA4, 0xA4]),
            ("ks_c_5601-1987", "한", [0xC7, 0xD1]), ("korean", "한", [0xC7, 0xD1]),
            ("cskoi8r", "Да", [0xE4, 0xC1]), ("cyrillic", "Д", [0xB4]), ("greek", "α", [0xE1]),
            ("ISO_8859-7:1987", "α", [0xE1]), ("logical", "א", [0xE0]), ("l2", "ł", [0xB3]),
            ("csisolatin5", "ş", [0xFE]), ("dos-874", "ก", [0xA1]), ("l9", "€", [0xA4]),
            ("unicode", "Kä", [0x4B, 0x00, 0xE4, 0x00]), ("unicodeFFFE", "Kä", [0x00, 0x4B, 0x00, 0xE4]),
        ] as [(String, String, [UInt8])])
    func labels(label: String, expected: String, body: [UInt8]) {
        for type in ["text/plain; charset=\(label)", "text/html; charset=\"\(label)\""] {
            #expect(text(body, type) == expected)
        }
    }

    @Test(
        "UTF-16 without a mark is recognised by its letters; a body that is UTF-8 stays UTF-8 under that label",
        arguments: ["utf-16", "UTF-16LE", "ucs-2", "unicode"])
    func utf16Label(label: String) {
        let type = "text/plain; charset=\(label)"
        let (russian, accented) = ("Ошибка запроса", "Die K\u{E4}se fehlt")
        #expect(text(Self.utf16(russian, isBigEndian: false), type) == russian)
        #expect(text(Self.utf16("\u{FEFF}" + russian, isBigEndian: false), type) == russian)
        #expect(text(Self.utf16("\u{FEFF}" + russian, isBigEndian: true), type) == russian)
        #expect(text(Array(accented.utf8), type) == accented)
        if label == "utf-16" { #expect(text(Self.utf16(russian, isBigEndian: true), type) == russian) }
    }

    @Test(
        "without a known label, what is not UTF-8 is read as windows-1252",
        arguments: [
            nil, "text/plain", "text/html", "application/json", "text/plain; charset=x-unknown",
            "text/plain; charset=",
            "application/problem+json; charset=none", "application/xml; charset=utf-7",
        ])
    func unlabeled(type: String?) {
        #expect(text([0x22, 0x4B, 0xE4, 0x73, 0x65, 0x20, 0x80, 0x22], type) == "\"Käse €\"")
    }

    @Test("what is mostly UTF-8, or is cut within a character, stays UTF-8")
    func damaged() {
        let body = Array("Käse, Öl und Brot".utf8)
        #expect(text(Array(body.prefix(2)), "text/plain") == "KÃ")
        #expect(text(Array(body.prefix(8)), "text/plain") == "Käse, \u{FFFD}")
        #expect(text(body + [0xFF], "text/plain") == "Käse, Öl und Brot\u{FFFD}")
        #expect(text([0x4B, 0xE4], "text/plain; charset=utf-8") == "K\u{FFFD}")
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

    private static let files: [(name: String, bytes: [UInt8])] = [
        ("gzip", [0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00]),
        ("PNG", [0x89] + Array("PNG\r\n\u{1A}\n".utf8)), ("PDF", Array("%PDF-1.4\n1 0 obj".utf8)),
        ("JPEG", [0xFF, 0xD8, 0xFF, 0xE0]), ("GIF", Array("GIF89a and text".utf8)),
        ("ZIP", [0x50, 0x4B, 0x03, 0x04, 0x41]),
        ("zstd", [0x28, 0xB5, 0x2F, 0xFD, 0x41]), ("bzip2", Array("BZh91AY&SY".utf8)),
        ("WebP", Array("RIFFabcdWEBPVP8 ".utf8)),
        ("protobuf", [0x08, 0x05, 0x12, 0x09] + Array("Not found".utf8)),
        ("raw deflate", [0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]),
        ("noise", (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }),
        ("control characters", Array(repeating: 0x01, count: 20) + Array("text".utf8)),
        ("zeros", [0x00, 0x00, 0x00, 0x00, 0x41, 0x00, 0x00]),
    ]

    @Test(
        "a file is no text, whatever its type says",
        arguments: files.map(\.name),
        [
            nil, "text/plain", "application/json", "application/octet-stream", "text/plain; charset=latin1",
            "text/html; charset=utf-8",
        ])
    func binary(name: String, type: String?) throws {
        let body = try #require(Self.files.first { $0.name == name }).bytes
        for coding in [nil, "identity", "gzip", "x"] {
            let decoded = BodyText.decode(body, coding: coding, contentType: type, limit: 1000)
            #expect(decoded.bytes == [] && !decoded.isIntact)
        }
    }

    @Test(
        "a binary type with text in it is text, with anything else it is none",
        arguments: [
            "application/octet-stream", "image/png", "application/x-protobuf", "Application/PDF; x=y",
        ])
    func binaryTypes(type: String) {
        #expect(text(Array(#"{"message":"Nö"}"#.utf8), type) == #"{"message":"Nö"}"#)
        #expect(text(Array("a long text about nothing with a \u{1} in it".utf8), type) == "")
        #expect(text([0x4B, 0xE4, 0x73, 0x65], type) == "")
    }

    @Test("a few control characters in a text, and zeros behind it, do not make it binary")
    func fewControls() {
        let text = "Access denied\u{1B}[0m, as far as \u{1} knows"
        #expect(self.text(Array(text.utf8), "text/plain") == text)
        #expect(self.text(Array("Not found\0\0".utf8), "text/plain") == "Not found\0\0")
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
