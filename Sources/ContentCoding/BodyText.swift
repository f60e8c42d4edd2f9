/// Extracts the text of a provider's error: decodes its content codings and converts it to UTF-8.
public enum BodyText {
    /// How many bytes of a page are searched for its character set.
    private static let declarationLimit = 1024

    /// The body as UTF-8; empty if it could not be decoded.
    ///
    /// A body that is already text is kept, whatever coding is declared: a wrong declaration is more common than
    /// compressed data that looks like text.
    ///
    /// - Parameters:
    ///   - coding: all values of `Content-Encoding` as one list; `nil` if there is none.
    ///   - contentType: the value of `Content-Type`; evaluated only if needed.
    ///   - limit: the maximum size of the result in bytes.
    public static func decode(
        _ body: [UInt8], coding: String?, contentType: @autoclosure () -> String?, limit: Int
    ) -> DecodedBody {
        var result = DecodedBody(bytes: body, isTruncated: false, isIntact: true)
        if let coding {
            result = ContentDecoder.decode(body, coding: coding, limit: limit)
            if !result.isIntact, result.bytes.elementsEqual(body.prefix(limit)),
                !isText(result.bytes, coding: coding)
            {
                return DecodedBody(bytes: [], isTruncated: result.isTruncated, isIntact: false)
            }
        }
        guard !BinaryContent.hasSignature(result.bytes) else { return binary(result) }
        let reading = Reading(result.bytes, contentType: contentType())
        if reading.isPlain { return result }
        if let charset = reading.charset {
            // Such bytes are text only if nothing indicates otherwise.
            let isGuess = !reading.isDeclared
            if isGuess,
                BinaryContent.isControl(in: result.bytes) || BinaryContent.isBinary(type: contentType())
            {
                return binary(result)
            }
            if let text = charset.decode(result.bytes[reading.start...], limit: limit) {
                result.bytes = text.bytes
                result.isConverted = true
                result.isTruncated = result.isTruncated || text.isTruncated
            }
        }
        return BinaryContent.isBinary(result.bytes, type: contentType(), isUTF8: reading.isUTF8)
            ? binary(result) : result
    }

    /// Binary content is never shown.
    private static func binary(_ body: DecodedBody) -> DecodedBody {
        DecodedBody(bytes: [], isTruncated: body.isTruncated, isIntact: false)
    }

    // MARK: Codings

    /// Whether bytes that could not be decoded are text anyway.
    private static func isText(_ bytes: [UInt8], coding: String) -> Bool {
        let isControl = bytes.contains { $0 < 0x20 && !(0x09...0x0D).contains($0) || $0 == 0x7F }
        guard !isControl, String(validating: bytes, as: UTF8.self) != nil else { return false }
        if ContentDecoder.isKnown(coding) { return true }
        // For an unknown coding it is not even known whether it yields text, so only unambiguous text counts.
        let content = bytes.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let last = bytes.last { $0 != 0x20 && !(0x09...0x0D).contains($0) }
        switch content.first {
        case 0x7B: return last == 0x7D
        case 0x5B: return last == 0x5D
        case 0x3C: return last == 0x3E
        default: return false
        }
    }

    // MARK: Character sets

    /// The encoding of a text.
    private struct Reading {
        /// `nil` for UTF-8.
        var charset: Charset?
        /// Where the text begins.
        var start = 0
        /// Whether the encoding is declared by the response or the text, or evident from its first bytes; otherwise
        /// it is the guess that browsers make.
        var isDeclared = true
        /// Whether it is ASCII without control characters.
        var isPlain = false
        /// Whether it is well-formed UTF-8.
        var isUTF8 = false

        init(_ bytes: [UInt8], contentType: @autoclosure () -> String?) {
            if let (charset, start) = mark(of: bytes) {
                (self.charset, self.start) = (charset, start)
                return
            }
            if let name = zeros(in: bytes) {
                charset = Charset(name: name)
                return
            }
            // ASCII is the same in nearly all encodings.
            guard !bytes.span.isPlainText else {
                isPlain = true
                return
            }
            let form = UTF8Form(bytes)
            isUTF8 = form == .valid
            if let contentType = contentType(), let label = parameter("charset", of: Array(contentType.utf8))
            {
                // JSON is UTF-8 (RFC 8259 8.1), whatever charset a server declares by default.
                if isJSON(contentType), form == .valid, !BinaryContent.isControl(in: bytes) { return }
                if Charset.isUTF8(label: label) { return }
                if let declared = Charset(label: label) {
                    if declared.isWide, form == .valid, !BinaryContent.isControl(in: bytes) { return }
                    charset = declared.name == "UTF-16" ? Charset(name: byteOrder(of: bytes)) : declared
                    return
                }
            } else if let label = declared(in: bytes) {
                if Charset.isUTF8(label: label) { return }
                // A declaration that can be read as ASCII is not in UTF-16.
                if let declared = Charset(label: label), !declared.isWide {
                    charset = declared
                    return
                }
            }
            // The default of browsers without a known label (WHATWG Encoding, HTML 13.2.3.2).
            guard form == .other else { return }
            charset = Charset(name: "CP1252")
            isDeclared = false
        }
    }

    /// The byte order of UTF-16 without a mark and without zeros: the high bytes of most letters are small; otherwise
    /// the default of browsers.
    private static func byteOrder(of bytes: [UInt8]) -> String {
        var even = 0
        var odd = 0
        for (index, byte) in bytes.prefix(1024).enumerated() where byte < 0x09 {
            if index % 2 == 0 { even += 1 } else { odd += 1 }
        }
        return even > odd ? "UTF-16BE" : "UTF-16LE"
    }

    /// The byte order mark; without a character set for UTF-8.
    private static func mark(of bytes: [UInt8]) -> (Charset?, start: Int)? {
        switch bytes.first {
        case 0xEF: return bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? (nil, 3) : nil
        case 0xFF where bytes.starts(with: [0xFF, 0xFE, 0, 0]): return (Charset(name: "UTF-32LE"), 4)
        case 0xFF where bytes.starts(with: [0xFF, 0xFE]): return (Charset(name: "UTF-16LE"), 2)
        case 0xFE where bytes.starts(with: [0xFE, 0xFF]): return (Charset(name: "UTF-16BE"), 2)
        case 0 where bytes.starts(with: [0, 0, 0xFE, 0xFF]): return (Charset(name: "UTF-32BE"), 4)
        default: return nil
        }
    }

    /// The encoding indicated by zeros among the first bytes (RFC 4627 3): the first characters of JSON and of markup
    /// are ASCII.
    private static func zeros(in bytes: [UInt8]) -> String? {
        guard bytes.count >= 2, bytes[0] == 0 || bytes[1] == 0 else { return nil }
        if bytes.count >= 4 {
            if bytes[0] == 0, bytes[1] == 0 { return bytes[2] == 0 && bytes[3] != 0 ? "UTF-32BE" : nil }
            if bytes[1] == 0, bytes[2] == 0 { return bytes[3] == 0 ? "UTF-32LE" : nil }
        }
        if bytes[0] != 0 { return "UTF-16LE" }
        return bytes[1] == 0 ? nil : "UTF-16BE"
    }

    private static func isJSON(_ contentType: String) -> Bool {
        let type = contentType.prefix { $0 != ";" }.lowercased()
        return type.contains("/json") || type.contains("+json")
    }

    /// The encoding that a page or an XML document declares: `<meta charset=…>`, `<?xml … encoding="…"?>`.
    private static func declared(in bytes: [UInt8]) -> [UInt8]? {
        let head = Array(bytes.prefix(declarationLimit).map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 })
        let start = head.first { $0 != 0x20 && !(0x09...0x0D).contains($0) }
        guard start == 0x3C else { return nil }
        if let declaration = find("<?xml", in: head, from: 0),
            let end = find("?>", in: head, from: declaration)
        {
            return parameter("encoding", of: Array(head[declaration..<end]))
        }
        var index = 0
        while let meta = find("<meta", in: head, from: index) {
            let end = head[meta...].firstIndex(of: 0x3E) ?? head.endIndex
            if let label = parameter("charset", of: Array(head[meta..<end])) { return label }
            index = end
        }
        return nil
    }

    private static func find(_ text: String, in bytes: [UInt8], from start: Int) -> Int? {
        let text = Array(text.utf8)
        guard start >= 0, bytes.count - start >= text.count else { return nil }
        return (start...bytes.count - text.count).first { bytes[$0...].starts(with: text) }
    }

    /// The value after `name=`, with or without quotes.
    private static func parameter(_ name: String, of text: [UInt8]) -> [UInt8]? {
        let lowered = text.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        var start = 0
        while let place = find(name, in: lowered, from: start) {
            start = place + name.utf8.count
            // This is part of another name.
            if place > 0, lowered[place - 1] &- 0x61 < 26 || lowered[place - 1] == 0x2D { continue }
            var rest = lowered[start...].drop { $0 == 0x20 || $0 == 0x09 }
            guard rest.popFirst() == 0x3D else { continue }
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
            if let quote = rest.first, quote == 0x22 || quote == 0x27 { rest = rest.dropFirst() }
            let value = rest.prefix {
                $0 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2D || $0 == 0x5F || $0 == 0x3A || $0 == 0x2E
            }
            return value.isEmpty ? nil : Array(value)
        }
        return nil
    }
}

extension Span where Element == UInt8 {
    /// Whether all bytes are printable ASCII, tabs and line ends, which are the same in every common encoding of
    /// text.
    var isPlainText: Bool {
        unsafe withUnsafeBytes { bytes in
            func isPlain(_ range: Range<Int>) -> Bool {
                for index in range {
                    let byte = unsafe bytes[index]
                    guard byte &- 0x20 < 0x5F || byte &- 0x09 < 5 else { return false }
                }
                return true
            }
            var index = 0
            while index &+ 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                // The highest bit of each byte: set already, borrowed by a byte below a space, or carried into by
                // DEL.
                let marks = (word | word &- 0x2020_2020_2020_2020 | word &+ 0x0101_0101_0101_0101)
                if marks & 0x8080_8080_8080_8080 != 0, !isPlain(index..<index &+ 8) { return false }
                index &+= 8
            }
            return isPlain(index..<bytes.count)
        }
    }
}
