internal import Glibc
internal import Wire

/// A character set of providers' texts, and its conversion to UTF-8 by the C library's iconv.
struct Charset {
    /// The name that iconv knows.
    let name: String

    /// The known labels of character sets (RFC 2045's `charset`); no other label reaches iconv, whose rarer
    /// converters are not needed.
    ///
    /// The labels of the WHATWG Encoding Standard, and those of DOS and mail programs.
    private static let names: [String: String] = {
        let labels: [(name: String, labels: String)] = [
            (
                "CP1252",
                "latin1 l1 iso88591 isoir100 iso885911987 csisolatin1 windows1252 cp1252 xcp1252 cp819 ibm819 ansi "
                    + "cswindows1252"
            ),
            ("ISO-8859-2", "latin2 l2 isoir101 iso885921987 csisolatin2"),
            ("ISO-8859-3", "latin3 l3 isoir109 iso885931988 csisolatin3"),
            ("ISO-8859-4", "latin4 l4 isoir110 iso885941988 csisolatin4"),
            ("ISO-8859-5", "cyrillic isoir144 iso885951988 csisolatincyrillic"),
            (
                "ISO-8859-6",
                "arabic asmo708 ecma114 isoir127 iso885961987 csiso88596e csiso88596i iso88596e iso88596i csisolatinarabic"
            ),
            ("ISO-8859-7", "greek greek8 ecma118 elot928 isoir126 iso885971987 csisolatingreek suneugreek"),
            (
                "ISO-8859-8",
                "hebrew isoir138 iso885981988 csiso88598e csiso88598i iso88598e iso88598i csisolatinhebrew logical visual"
            ),
            ("CP1254", "iso88599 latin5 l5 isoir148 iso885991989 csisolatin5 cswindows1254"),
            ("ISO-8859-10", "latin6 l6 isoir157 csisolatin6"), ("CP874", "iso885911 tis620 dos874"),
            ("ISO-8859-13", "latin7 l7"), ("ISO-8859-14", "latin8 l8"),
            ("ISO-8859-15", "latin9 l9 csisolatin9 csiso885915"), ("ISO-8859-16", "latin10 l10 csiso885916"),
            ("KOI8-R", "koi8r koi8 koi cskoi8r"), ("KOI8-U", "koi8u koi8ru cskoi8u"),
            ("MACINTOSH", "macintosh mac xmacroman macroman csmacintosh"),
            ("MAC-CYRILLIC", "xmaccyrillic maccyrillic xmacukrainian"),
            (
                "CP932",
                "shiftjis sjis xsjis mskanji csshiftjis windows31j cswindows31j ms932 cp932 cp943c"
            ),
            ("EUC-JP", "eucjp xeucjp cseucpkdfmtjapanese ujis"),
            ("ISO-2022-JP", "iso2022jp csiso2022jp"),
            ("GBK", "gbk xgbk csgbk gb2312 csgb2312 gb231280 csiso58gb231280 isoir58 chinese cp936 euccn"),
            ("GB18030", "gb18030 csgb18030"), ("BIG5-HKSCS", "big5 csbig5 cnbig5 xxbig5 big5hkscs cp950"),
            (
                "CP949",
                "euckr cseuckr korean isoir149 ksc5601 ksc56011987 ksc56011989 csksc56011987 windows949 cp949 uhc"
            ),
            ("UTF-16", "utf16 csutf16 unicode csunicode ucs2 iso10646ucs2"),
            ("UTF-16LE", "utf16le unicodefeff csutf16le"), ("UTF-16BE", "utf16be unicodefffe csutf16be"),
            ("UTF-32BE", "utf32 utf32be ucs4 iso10646ucs4 csucs4"), ("UTF-32LE", "utf32le"),
            ("CP437", "cspc8codepage437"), ("CP850", "cspc850multilingual"), ("CP852", "cspcp852"),
            ("CP858", "ccsid00858"), ("CP866", "csibm866"),
        ]
        var names: [String: String] = [:]
        for (name, labels) in labels {
            for label in labels.split(separator: " ") { names[String(label)] = name }
        }
        for part in [2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16] { names["iso8859\(part)"] = "ISO-8859-\(part)" }
        for page in [874] + Array(1250...1258) {
            for prefix in ["windows", "cp", "xcp", "win"] { names["\(prefix)\(page)"] = "CP\(page)" }
        }
        for page in [437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869] {
            for prefix in ["cp", "ibm", "csibm", "dos", "", "oem"] { names["\(prefix)\(page)"] = "CP\(page)" }
        }
        return names
    }()

    /// Whether a label is one of UTF-8.
    static func isUTF8(label: some Sequence<UInt8>) -> Bool {
        ["utf8", "unicode11utf8", "unicode20utf8", "xunicode20utf8", "csutf8", "utf8mb4", "utf8mb3"].contains(
            key(label))
    }

    private static func key(_ label: some Sequence<UInt8>) -> String {
        var key = ""
        for byte in label.prefix(40) {
            let lowered = byte &- 0x41 < 26 ? byte | 0x20 : byte
            guard lowered &- 0x61 < 26 || lowered &- 0x30 < 10 else { continue }
            key.unicodeScalars.append(Unicode.Scalar(lowered))
        }
        return key
    }

    /// The character set with this label, whose case and separators do not matter; `nil` for UTF-8, and for an unknown one.
    init?(label: some Sequence<UInt8>) {
        guard let name = Self.names[Self.key(label)] else { return nil }
        self.name = name
    }

    init(name: String) { self.name = name }

    /// Whether each character has two or four bytes.
    var isWide: Bool { unit > 1 }

    /// The size of the smallest character in bytes.
    private var unit: Int { name.hasPrefix("UTF-16") ? 2 : name.hasPrefix("UTF-32") ? 4 : 1 }

    /// The text as UTF-8, at most `limit` bytes; invalid characters become U+FFFD, and an incomplete character at the
    /// end is dropped.
    ///
    /// - Returns: `nil` if the system has no such converter.
    func decode(_ bytes: ArraySlice<UInt8>, limit: Int) -> (bytes: [UInt8], isTruncated: Bool)? {
        guard let converter = unsafe iconv_open("UTF-8", name), Int(bitPattern: converter) != -1 else {
            return nil
        }
        defer { _ = unsafe iconv_close(converter) }
        let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
        var input = Array(bytes)
        // One byte becomes at most three bytes of UTF-8.
        let size = min(limit, 3 * input.count + 16)
        var isTruncated = false
        let output = unsafe [UInt8](unsafeUninitializedCapacity: size) { target, count in
            unsafe input.withUnsafeMutableBytes { source in
                var next = unsafe source.baseAddress?.assumingMemoryBound(to: CChar.self)
                var left = source.count
                var end = unsafe UnsafeMutableRawPointer(target.baseAddress)?.assumingMemoryBound(
                    to: CChar.self)
                var room = size
                while left > 0, unsafe iconv(converter, &next, &left, &end, &room) == -1 {
                    if errno == E2BIG { isTruncated = true }
                    guard errno == EILSEQ else { break }
                    guard room >= replacement.count else {
                        isTruncated = true
                        break
                    }
                    for byte in replacement {
                        unsafe end?.pointee = CChar(bitPattern: byte)
                        unsafe end = end?.advanced(by: 1)
                    }
                    room -= replacement.count
                    let skipped = min(unit, left)
                    unsafe next = next?.advanced(by: skipped)
                    left -= skipped
                }
                // Some converters hold back the last character to combine it with the next one.
                if !isTruncated { _ = unsafe iconv(converter, nil, nil, &end, &room) }
                count = size - room
            }
        }
        return (output, isTruncated)
    }
}

/// Whether bytes are UTF-8.
enum UTF8Form {
    /// All bytes are; an incomplete character at the end of a truncated body does not count.
    case valid
    /// Most of the non-ASCII characters are.
    case damaged
    /// No more than by chance.
    case other

    init(_ bytes: [UInt8]) {
        var characters = 0
        var errors = 0
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            index += 1
            guard lead >= 0x80 else { continue }
            guard let (length, second) = UTF8Lead.tail(of: lead) else {
                errors += 1
                continue
            }
            var count = 0
            while count < length, index + count < bytes.count,
                count == 0 ? second.contains(bytes[index]) : bytes[index + count] & 0xC0 == 0x80
            { count += 1 }
            if count == length {
                characters += 1
                index += length
            } else if index + count < bytes.count || characters == 0 {
                errors += 1
            }
        }
        self = errors == 0 ? .valid : characters > errors ? .damaged : .other
    }
}
