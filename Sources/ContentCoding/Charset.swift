internal import Glibc

/// A character set that providers' texts come in, and its conversion to UTF-8 by the C library's iconv.
struct Charset {
    /// The name that iconv knows.
    let name: String

    /// The character sets of RFC 2045's `charset`, by the labels in use; nothing else reaches iconv, whose rarer converters nobody needs.
    private static let names: [String: String] = {
        var names = [
            "latin1": "CP1252", "l1": "CP1252", "iso88591": "CP1252", "windows1252": "CP1252",
            "cp1252": "CP1252", "xcp1252": "CP1252", "ansi": "CP1252", "windows31j": "CP932",
            "shiftjis": "CP932", "sjis": "CP932",
            "xsjis": "CP932", "mskanji": "CP932", "eucjp": "EUC-JP", "xeucjp": "EUC-JP",
            "iso2022jp": "ISO-2022-JP", "gbk": "GBK",
            "xgbk": "GBK", "gb2312": "GBK", "cp936": "GBK", "gb18030": "GB18030", "big5": "BIG5-HKSCS",
            "big5hkscs": "BIG5-HKSCS",
            "euckr": "CP949", "ksc56011987": "CP949", "windows949": "CP949", "koi8r": "KOI8-R",
            "koi8": "KOI8-R", "koi8u": "KOI8-U",
            "ibm866": "CP866", "cp866": "CP866", "macintosh": "MACINTOSH", "xmacroman": "MACINTOSH",
            "tis620": "CP874",
            "windows874": "CP874", "iso885911": "CP874", "utf16": "UTF-16BE", "utf16be": "UTF-16BE",
            "utf16le": "UTF-16LE",
            "ucs2": "UTF-16BE", "utf32": "UTF-32BE", "utf32be": "UTF-32BE", "utf32le": "UTF-32LE",
            "latin2": "ISO-8859-2",
            "latin9": "ISO-8859-15", "iso88599": "CP1254", "latin5": "CP1254",
        ]
        for part in [2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16] { names["iso8859\(part)"] = "ISO-8859-\(part)" }
        for page in 1250...1258 { names["windows\(page)"] = "CP\(page)" }
        for page in 1250...1258 { names["cp\(page)"] = "CP\(page)" }
        return names
    }()

    /// The character set with this label, whose case and separators do not matter; `nil` for UTF-8, and for an unknown one.
    init?(label: some Sequence<UInt8>) {
        var key = ""
        for byte in label.prefix(40) {
            let lowered = byte &- 0x41 < 26 ? byte | 0x20 : byte
            guard lowered &- 0x61 < 26 || lowered &- 0x30 < 10 else { continue }
            key.unicodeScalars.append(Unicode.Scalar(lowered))
        }
        guard let name = Self.names[key] else { return nil }
        self.name = name
    }

    init(name: String) { self.name = name }

    /// How many bytes the smallest character has.
    private var unit: Int { name.hasPrefix("UTF-16") ? 2 : name.hasPrefix("UTF-32") ? 4 : 1 }

    /// The text as UTF-8, at most `limit` bytes; what is no character becomes U+FFFD, and half a character at the end is dropped.
    ///
    /// - Returns: `nil` if the system has no converter.
    func decode(_ bytes: ArraySlice<UInt8>, limit: Int) -> (bytes: [UInt8], isTruncated: Bool)? {
        guard let converter = unsafe iconv_open("UTF-8", name), Int(bitPattern: converter) != -1 else {
            return nil
        }
        defer { _ = unsafe iconv_close(converter) }
        let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
        var input = Array(bytes)
        // No character of one byte takes more than three in UTF-8.
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
                // Some converters keep the last character, to join it with what follows.
                if !isTruncated { _ = unsafe iconv(converter, nil, nil, &end, &room) }
                count = size - room
            }
        }
        return (output, isTruncated)
    }
}
