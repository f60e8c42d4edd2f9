import TestSupport
import Testing

@Suite("Text of errors on the wire", .blocking)
struct ErrorTextTests {
    private struct Case {
        var name: String
        var fields: [(String, String)]
        var body: [UInt8]
        var detail: String?
    }

    private static func utf16(_ text: String) -> [UInt8] {
        text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    }

    private static let cases = [
        Case(
            name: "latin1", fields: [("Content-Type", "text/plain; charset=ISO-8859-1")],
            body: [0x4B, 0xE4, 0x73, 0x65], detail: "Käse"),
        Case(
            name: "utf16", fields: [("Content-Type", "application/json")],
            body: utf16(#"{"message":"Käse"}"#), detail: "Käse"),
        Case(
            name: "title", fields: [("Content-Type", "text/html; charset=windows-1252")],
            body: Array("<html><title>K".utf8) + [0xE4] + Array("se &amp; Br&ouml;tchen</title>".utf8),
            detail: "Käse & Brötchen"),
        Case(
            name: "zstd", fields: [("Content-Encoding", "zstd")], body: CodedSamples.zstandard,
            detail: "Not found."),
        Case(
            name: "list", fields: [("Content-Encoding", "gzip"), ("Content-Encoding", "zstd")],
            body: CodedSamples.gzipZstandard,
            detail: "Not found."),
        Case(
            name: "one field", fields: [("Content-Encoding", "gzip, zstd")], body: CodedSamples.gzipZstandard,
            detail: "Not found."),
        Case(
            name: "unknown", fields: [("Content-Encoding", "snail")], body: [0x01, 0x41, 0x42, 0xFF, 0x43],
            detail: nil),
        Case(
            name: "broken", fields: [("Content-Encoding", "zstd")],
            body: [0x28, 0xB5, 0x2F, 0xFD, 0xFF, 0xFF, 0xFF, 0xFF], detail: nil),
        Case(
            name: "picture", fields: [("Content-Type", "text/plain")],
            body: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D], detail: nil),
        Case(
            name: "gzip without its coding", fields: [("Content-Type", "application/json")],
            body: [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0x4B, 0x04, 0], detail: nil),
        Case(
            name: "document", fields: [("Content-Type", "text/html")], body: Array("%PDF-1.4 a".utf8),
            detail: nil),
        Case(
            name: "octets", fields: [("Content-Type", "application/octet-stream")],
            body: [0x4B, 0xE4, 0x73, 0x65], detail: nil),
        Case(
            name: "control characters", fields: [],
            body: Array(repeating: 1, count: 9) + Array("text".utf8), detail: nil),
        Case(
            name: "no label", fields: [("Content-Type", "text/plain")], body: [0x4B, 0xE4, 0x73, 0x65],
            detail: "Käse"),
        Case(
            name: "cp437", fields: [("Content-Type", "text/plain; charset=cp437")],
            body: [0x4B, 0x84, 0x73, 0x65], detail: "Käse"),
    ]

    @Test(
        "is decoded and converted; what cannot be decoded is not shown, and raw errors stay as they are",
        arguments: cases.indices)
    func shown(index: Int) throws {
        let recorded = Self.cases[index]
        let upstream = try ScriptedUpstream { exchange in
            let fields = recorded.fields.map { "\($0.0): \($0.1)\r\n" }.joined()
            let head = "HTTP/1.1 404 Not Found\r\n\(fields)Content-Length: \(recorded.body.count)\r\n\r\n"
            try exchange.respond(.raw(Array(head.utf8) + recorded.body))
        }
        try withProxy(to: upstream) { proxy in
            let response = try proxy.exchange("GET", "/p/x")
            #expect(response.code == "not_found")
            #expect(
                response.problem["detail"] == recorded.detail ?? "The provider has nothing at this address.",
                "\(recorded.name)")
            #expect(response.fields["Content-Encoding"] == nil)
            let raw = try proxy.exchange("GET", "/p/x", fields: [("X-Error-Format", "raw")])
            #expect(raw.body.bytes == recorded.body)
            let page = try proxy.exchange("GET", "/-/unmapped")
            #expect(!page.body.bytes.contains(1) && !page.text.contains("\u{FFFD}"))
        }
    }

    @Test("a 403 that is a rate limit pauses what the key may send", arguments: [true, false])
    func refusedForLimit(hasLimits: Bool) throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.respond(
                .status(
                    403, fields: [("Content-Type", "application/json"), ("Retry-After", "60")],
                    body: #"{"message":"You have exceeded a secondary rate limit."}"#))
        }
        let limits = hasLimits ? "limits: [{ requests: 100, per: 1s, by: provider }]" : "limits: []"
        try withProxy(to: upstream, provider: "\(limits), max_wait: 0s") { proxy in
            let first = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(first.status == 403 && first.code == "rate_limited")
            #expect(first.problem["retryable"] == "true" && first.retryAfter == 60)
            let next = try proxy.exchange("POST", "/p/x", body: "{}")
            #expect(next.code == "throttled" && next.retryAfter > 50)
            #expect(upstream.requestCount == 1)
        }
    }
}
