import Locking
import TestSupport
import Testing

/// A collector that decodes what it is sent.
final class TraceCollector: Sendable {
    let upstream: ScriptedUpstream
    private let book: Book

    /// What has come, and what is answered next.
    private final class Book: Sendable {
        let spans = Lock<[ReceivedSpan]>([])
        let responses: Lock<[ScriptedResponse]>

        init(_ responses: [ScriptedResponse]) { self.responses = Lock(responses) }
    }

    /// A collector that accepts all, after these responses.
    init(first: [ScriptedResponse] = []) throws {
        let book = Book(first)
        self.book = book
        upstream = try ScriptedUpstream { exchange in
            let next = book.responses.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let next { return try exchange.respond(next) }
            let spans = try ReceivedSpan.read(exchange.request.body?.bytes ?? [])
            book.spans.withLock { $0 += spans }
            try exchange.respond(.status(200, fields: [("Content-Type", "application/x-protobuf")], body: ""))
        }
    }

    /// The spans of all requests.
    var spans: [ReceivedSpan] { book.spans.withLock { $0 } }

    /// Waits for this many spans.
    func spans(_ count: Int) throws -> [ReceivedSpan] {
        try eventually("\(count) spans") { spans.count >= count }
        #expect(spans.count == count)
        return spans
    }

    /// The configuration's keys.
    func settings(sample: String = "100%", _ more: String = "") -> String {
        "tracing: { endpoint: '\(upstream.url)', sample: \(sample)\(more) }"
    }
}

extension [ReceivedSpan] {
    /// The span of the exchange with this path.
    func exchange(_ path: String) throws -> ReceivedSpan {
        try #require(first { $0.kind == 2 && $0.attributes["url.path"] == path })
    }

    /// The spans below `span`.
    func children(of span: ReceivedSpan) -> [ReceivedSpan] { filter { $0.parentID == span.spanID } }
}
