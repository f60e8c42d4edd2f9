internal import Core
internal import Upstream
internal import Wire

/// What is done with bytes: a request is scanned, an answer parsed, fields are chosen.
enum WireBenchmarks {
    private static let request = lines([
        "GET /api/campaigns?limit=100&offset=200 HTTP/1.1", "Host: 127.0.0.1:8080", "User-Agent: app/1.0",
        "Accept: application/json", "Accept-Encoding: gzip", "Authorization: Basic OmxlbWxpc3RfZGVtbw==",
        "Content-Type: application/json", "X-Request-Id: 01M7Y073TMX10R3NBMAWXG02YB",
        "Connection: keep-alive",
    ])
    private static let answer =
        lines([
            "HTTP/1.1 200 OK", "Date: Sat, 21 Nov 2026 02:50:54 GMT",
            "Content-Type: application/json; charset=utf-8", "Content-Length: 500", "Connection: keep-alive",
            "X-RateLimit-Limit: 20", "X-RateLimit-Remaining: 19", "Retry-After: 2",
            "Vary: Accept-Encoding", "Strict-Transport-Security: max-age=31536000", "Server: cloudflare",
            "CF-RAY: 8e5f3c2b1a0d9f8e-FRA",
        ]) + [UInt8](repeating: 0x78, count: 500)
    private static let requestNames = names(
        "Host", "User-Agent", "Accept", "Accept-Encoding", "Authorization", "Content-Type", "X-Request-Id",
        "Connection", "Traceparent", "Content-Length")
    private static let answerNames = names(
        "Date", "Content-Type", "Content-Length", "Connection", "X-RateLimit-Limit", "Retry-After", "Vary",
        "Strict-Transport-Security", "Server", "CF-RAY")

    static func run(_ measure: Measure) {
        measure.heading("bytes")
        measureScanner(measure)
        measureParser(measure)
        measure("field rules, each field of a request", each: requestNames.count) {
            for name in requestNames { keep(FieldRules.request(name.span)) }
        }
        measure("field rules, each field of an answer", each: answerNames.count) {
            for name in answerNames { keep(FieldRules.forwardsResponse(name.span)) }
        }
    }

    private static func measureScanner(_ measure: Measure) {
        var scanner = RequestScanner(
            limits: RequestScanner.Limits(
                target: 8192, fieldBytes: 12_288, fieldCount: 100, head: 1 << 14, fieldOverhead: 64,
                body: 1 << 26))
        var bytes = request
        measure("request scanner, a head of \(request.count) B with 8 fields") {
            var span = bytes.mutableSpan
            keep(scanner.scan(&span))
        }
        precondition(scanner.fault == nil && scanner.isBetweenRequests, "the request is refused")
    }

    private static func measureParser(_ measure: Measure) {
        var parser = ResponseParser()
        let head = ResponseHead()
        let bytes = answer
        measure("response parser, a head of \(bytes.count - 500) B with 11 fields, a body of 500 B") {
            parser.begin(isHead: false)
            head.reset()
            var position = 0
            while parser.next(in: bytes.span, at: &position, into: head) != .complete {}
        }
        precondition(head.status == 200, "the answer is not understood")
    }

    private static func lines(_ lines: [String]) -> [UInt8] {
        Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private static func names(_ names: String...) -> [[UInt8]] { names.map { Array($0.utf8) } }
}
