internal import ContentCoding

/// A byte for the coding, one for the content type, two for the limit, then the body.
///
/// The result is bounded and the same each time; what could not be decoded is not shown, unless it is text.
enum BodyTextProperties {
    private static let codings: [String?] = [
        nil, "gzip", "zstd", "br", "deflate", "snail", "gzip, zstd", "identity",
    ]
    private static let types: [String?] = [
        nil, "text/plain", "text/plain; charset=iso-8859-1", "application/json; charset=utf-16", "text/html",
        "application/json; charset=UTF-16LE", "text/plain; charset=\"shift_jis\"",
        "text/plain; charset=utf-7",
        "text/plain; charset=windows-1252", "text/plain; charset=utf-32", "text/plain; charset=iso-2022-jp",
        "text/plain; charset=", "text/plain; charset=none; charset=utf-8", "text/plain; charset=gb18030",
        "text/plain; charset=utf-8", "text/plain; charset=../../etc",
    ]

    static func check(_ input: [UInt8]) {
        guard input.count >= 4 else { return }
        let coding = codings[Int(input[0]) % codings.count]
        let type = types[Int(input[1]) % types.count]
        let limit = Int(input[2]) << 8 | Int(input[3])
        let body = Array(input[4...])
        let text = BodyText.decode(body, coding: coding, contentType: type, limit: limit)
        expect(
            text == BodyText.decode(body, coding: coding, contentType: type, limit: limit),
            "two results differ")
        // A body without a coding is not cut here: who collected it has done so.
        expect(text.bytes.count <= max(limit, body.count), "more than the limit")
        if coding == "snail", !text.bytes.isEmpty {
            expect(String(validating: text.bytes, as: UTF8.self) != nil, "what may be binary is shown")
        }
    }
}
