internal import Wire

/// A body of names and values as forms send them, such as `error=invalid_grant&error_description=It+has+expired.` (OAuth 2 before RFC 6749).
enum FormBody {
    /// The most pairs, and the names of which one must be there: a text with an equals sign is no form.
    private static let limit = 64
    private static let wanted: NameList = [
        "error", "error_code", "error_description", "error_message", "error_reason", "errorCode",
        "errorMessage",
    ]

    /// The pairs as an object of strings; `nil` if the text is no form of an error.
    static func json(of text: ArraySlice<UInt8>) -> JSONDocument? {
        guard text.contains(0x3D), text.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>{}".utf8.contains($0) })
        else { return nil }
        let pairs = text.split(separator: 0x26, maxSplits: limit, omittingEmptySubsequences: false)
        guard pairs.count <= limit else { return nil }
        var json: [UInt8] = [0x7B]
        var isError = false
        for pair in pairs {
            guard let mark = pair.firstIndex(of: 0x3D), mark > pair.startIndex else { return nil }
            let (name, value) = (decoded(pair[..<mark]), decoded(pair[(mark + 1)...]))
            if wanted.contains(name), !value.isEmpty { isError = true }
            if json.count > 1 { json.append(0x2C) }
            JSONWriter.string(name, into: &json)
            json.append(0x3A)
            JSONWriter.string(value, into: &json)
        }
        guard isError else { return nil }
        json.append(0x7D)
        return JSONDocument(json)
    }

    private static func decoded(_ part: ArraySlice<UInt8>) -> Text {
        var bytes: [UInt8] = []
        var rest = part
        while let byte = rest.popFirst() {
            if byte == 0x25, rest.count >= 2, let high = PercentEncoding.hexValue(rest[rest.startIndex]),
                let low = PercentEncoding.hexValue(rest[rest.startIndex + 1])
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == 0x2B ? 0x20 : byte)
            }
        }
        return Text(bytes)
    }
}

/// A body, recognised by what it is rather than by what its `Content-Type` says.
struct ProviderBody {
    /// What it is.
    let kind: BodyKind
    /// The whole redacted body.
    let bytes: [UInt8]
    /// The bytes without a byte order mark and surrounding whitespace.
    let content: ArraySlice<UInt8>
    /// The parsed body, if it is JSON; that of a form, as an object of strings.
    let json: JSONDocument?

    /// - Parameter isCut: whether the body is truncated: complete parts of JSON count.
    init(_ bytes: [UInt8], isCut: Bool = false) {
        var range = Self.trimmed(bytes)
        if isCut { range = range.lowerBound..<UTF8Repair.endOfWhole(bytes[range]) }
        let content = bytes[range]
        guard let first = content.first else {
            self.init(.empty, bytes, content)
            return
        }
        if Self.isMarkup(content) {
            self.init(.html, bytes, content)
            return
        }
        if Self.mayBeginJSON(first), let json = JSONDocument(bytes, in: range, isCut: isCut) {
            guard json.hasForeignBytes, !UTF8Repair.isValid(content) else {
                self.init(.json, bytes, content, json)
                return
            }
            let repaired = Array(UTF8Repair.repaired(content))
            self.init(.json, repaired, repaired[...], JSONDocument(repaired, isCut: isCut))
            return
        }
        self.init(.text, bytes, content, isCut ? nil : FormBody.json(of: content))
    }

    private init(
        _ kind: BodyKind, _ bytes: [UInt8], _ content: ArraySlice<UInt8>, _ json: JSONDocument? = nil
    ) {
        self.kind = kind
        self.bytes = bytes
        self.content = content
        self.json = json
    }

    /// Whether it is truncated JSON.
    var isCutJSON: Bool { json.map { $0.isCut($0.root) } ?? false }

    /// The message of a body that is not JSON: the first line of a text, the title of a page.
    func plainMessage(isTruncated: Bool) -> Text? {
        switch kind {
        case .json, .empty: return nil
        case .html: return title.flatMap(MessageText.cleanSentence)
        case .text:
            guard let first = content.first else { return nil }
            if first == 0x3C {
                return (element("<message") ?? element("<faultstring") ?? element("<error_description"))
                    .flatMap(MessageText.cleanSentence)
            }
            // A fragment of JSON is useless for people.
            if isTruncated, first == 0x7B || first == 0x5B { return nil }
            return MessageText.cleanSentence(text(content.prefix { $0 != 0x0A && $0 != 0x0D }))
        }
    }

    /// The provider's code in XML (AWS, SOAP gateways); empty if it is the status.
    func markupCode(status: Int) -> Text? {
        guard kind == .text, content.first == 0x3C,
            let code = (element("<code") ?? element("<errorcode")).flatMap(MessageText.clean),
            !FieldName.hasBlank(code), code != Text(String(status))
        else { return nil }
        return code
    }

    /// The text of the first XML element with this name, if it is complete.
    private func element(_ name: StaticString) -> Text? {
        let head = content.prefix(8192)
        var index = head.startIndex
        while index < head.endIndex {
            let rest = head[index...]
            if rest.first == 0x3C, rest.span.startsIgnoringCase(with: name) {
                let tail = rest.dropFirst(name.utf8CodeUnitCount)
                if let next = tail.first, next == 0x3E || Self.isBlank(next) {
                    let inner = tail.drop { $0 != 0x3E }.dropFirst()
                    if let part = Self.characterData(inner) { return text(part) }
                    let part = inner.prefix { $0 != 0x3C }
                    if !part.isEmpty, part.endIndex < inner.endIndex { return text(part) }
                }
            }
            index += 1
        }
        return nil
    }

    /// What a CDATA section holds with which the inside of an element begins; `nil` if it begins otherwise, or the section has no end.
    private static func characterData(_ inner: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let start = inner.drop(while: isBlank)
        guard start.span.startsIgnoringCase(with: "<![CDATA[") else { return nil }
        let data = start.dropFirst(9)
        var end = data.startIndex
        while end + 2 < data.endIndex {
            if data[end] == 0x5D, data[end + 1] == 0x5D, data[end + 2] == 0x3E { return data[..<end] }
            end += 1
        }
        return nil
    }

    /// A part of the body as a text.
    func text(_ part: ArraySlice<UInt8>) -> Text { Text(bytes, in: part.indices) }

    /// The text between `<title>` and the next tag.
    private var title: Text? {
        // The title is near the beginning; a page without one is not searched to its end.
        let head = content.prefix(8192)
        var index = head.startIndex
        while index < head.endIndex {
            let rest = head[index...]
            if rest.first == 0x3C, rest.span.startsIgnoringCase(with: "<title") {
                let title = rest.drop { $0 != 0x3E }.dropFirst()
                return text(title.prefix { $0 != 0x3C })
            }
            index += 1
        }
        return nil
    }

    private static func trimmed(_ bytes: [UInt8]) -> Range<Int> {
        var start = 0
        var end = bytes.count
        if end >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { start = 3 }
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func mayBeginJSON(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x7B, 0x5B, 0x22, 0x2D, 0x30...0x39, 0x74, 0x66, 0x6E: return true
        default: return false
        }
    }

    private static func isMarkup(_ content: ArraySlice<UInt8>) -> Bool {
        guard content.first == 0x3C else { return false }
        let span = content.span
        return span.startsIgnoringCase(with: "<!doctype") || span.startsIgnoringCase(with: "<html")
            || span.startsIgnoringCase(with: "<!--") || span.startsIgnoringCase(with: "<head")
            || span.startsIgnoringCase(with: "<body") || span.startsIgnoringCase(with: "<title")
    }
}
