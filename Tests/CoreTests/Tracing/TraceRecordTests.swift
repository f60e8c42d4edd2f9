import Core
import TestSupport
import Testing

@Suite("the spans of an exchange")
struct TraceRecordTests {
    private static let trace = TraceID(high: 1, low: 2)
    private static let export = TraceExport(version: "1.2", instance: "weir-0")

    private func time(_ nanoseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: nanoseconds) }

    private func span(_ bits: UInt64) throws -> SpanID { try #require(SpanID(bits: bits)) }

    private func record(parent: UInt64? = nil) throws -> TraceRecord {
        let context = TraceContext(
            trace: try #require(Self.trace), parent: parent.flatMap { SpanID(bits: $0) }, isSampled: true)
        return TraceRecord(context, id: try span(0xA))
    }

    private func read(_ record: TraceRecord, _ ending: TraceRecord.Ending) throws -> [ReceivedSpan] {
        let (bytes, count) = record.encode(ending, from: time(100), to: time(900), wallOffset: 1_000_000)
        let spans = try ReceivedSpan.read(Self.export.body(spans: bytes))
        #expect(spans.count == count)
        return spans
    }

    @Test("an exchange has one span, each wait and each attempt one below it, with times of the wall clock")
    func spans() throws {
        var record = try record(parent: 0xF)
        record.waitBegan(try span(0xB), at: time(200))
        record.waitBegan(try span(0xE), at: time(250))
        record.waitEnded(at: time(300))
        record.waitEnded(at: time(350))
        record.attemptBegan(try span(0xC), at: time(400))
        record.attemptEnded(status: 503, code: .providerUnavailable, at: time(500))
        record.attemptEnded(status: 200, code: nil, at: time(550))
        record.attemptBegan(try span(0xD), at: time(600))
        #expect(record.attempt?.bits == 0xD)
        record.attemptEnded(status: 200, code: nil, at: time(700))
        var ending = TraceRecord.Ending(method: "GET", path: "/p/a", requestID: "r")
        (ending.route, ending.provider, ending.status) = ("/p", "p", 200)
        ending.upstream = try UpstreamURL(parsing: "https://api.example.com/v1")
        ending.upstreamPath = "/v1/a"
        let spans = try read(record, ending)
        #expect(spans.map(\.name) == ["GET /p", "queue", "GET", "GET"] && spans.map(\.kind) == [2, 1, 3, 3])
        #expect(spans.map { Int64($0.start) - 1_000_000 } == [100, 200, 400, 600])
        #expect(spans.map { Int64($0.end) - 1_000_000 } == [900, 300, 500, 700])
        #expect(Set(spans.map(\.traceID)) == ["00000000000000010000000000000002"])
        #expect(spans.map(\.spanID) == ["a", "b", "c", "d"].map { "000000000000000\($0)" })
        #expect(spans.map(\.parentID) == ["f", "a", "a", "a"].map { "000000000000000\($0)" })
        #expect(spans.map(\.flags) == [0x301, 0x101, 0x101, 0x101] && spans.map(\.status) == [0, 0, 2, 0])
        #expect(spans[0].attributes["weir.attempts"] == "2" && spans[0].attributes["http.route"] == "/p")
        #expect(spans[2].attributes["error.type"] == "provider_unavailable")
        #expect(spans[2].attributes["http.response.status_code"] == "503")
        #expect(spans[2].attributes["http.request.resend_count"] == nil)
        #expect(spans[3].attributes["http.request.resend_count"] == "1")
        #expect(spans[3].attributes["url.full"] == "https://api.example.com/v1/a")
        #expect(
            spans[3].attributes["server.address"] == "api.example.com"
                && spans[3].attributes["server.port"] == "443")
        #expect(
            spans[0].resource == [
                "service.name": "weir", "service.version": "1.2", "service.instance.id": "weir-0",
            ])
    }

    @Test(
        "an error is an attribute and an event; a server's span is failed from 500 on, a client's from 400 on"
    )
    func errors() throws {
        for (status, code, failed) in [(404, ProblemCode.notFound, false), (502, .connectionLost, true)] {
            var record = try record()
            record.attemptBegan(try span(0xC), at: time(400))
            record.attemptEnded(status: status == 404 ? 404 : 0, code: code, at: time(500))
            var ending = TraceRecord.Ending(method: "POST", path: "/p/a", requestID: "r")
            (ending.status, ending.code) = (status, code)
            let spans = try read(record, ending)
            #expect(spans[0].status == (failed ? 2 : 0) && spans[1].status == 2)
            for span in spans {
                #expect(span.attributes["error.type"] == code.name)
                #expect(span.events.map(\.name) == ["exception"])
                #expect(
                    span.events.first?.attributes == [
                        "exception.type": code.name, "exception.message": code.title,
                    ])
            }
            #expect(spans[0].parentID.isEmpty && spans[0].flags == 0x101)
        }
    }

    @Test("a method that the conventions do not know is _OTHER, and no part of a span's name")
    func methods() throws {
        var ending = TraceRecord.Ending(method: "PURGE", path: "/p", requestID: "r")
        ending.route = "/p"
        let span = try #require(try read(try record(), ending).first)
        #expect(span.name == "HTTP /p" && span.attributes["http.request.method"] == "_OTHER")
        #expect(span.attributes["http.request.method_original"] == "PURGE")
        #expect(span.attributes["http.response.status_code"] == nil)
        #expect(span.attributes["http.request.body.size"] == "0")
    }

    @Test("however often a request waits and is sent, its spans are bounded, and long numbers are whole")
    func bounds() throws {
        var record = try record()
        for index in 1...100 {
            record.waitBegan(try span(UInt64(index)), at: time(200))
            record.waitEnded(at: time(300))
            record.attemptBegan(try span(UInt64(index)), at: time(200))
        }
        var ending = TraceRecord.Ending(
            method: "GET", path: String(repeating: "x", count: 20_000), requestID: "r")
        ending.requestBytes = .max
        let spans = try read(record, ending)
        #expect(spans.count == 33 && spans[0].attributes["http.request.body.size"] == "\(Int.max)")
        #expect(spans[0].attributes["url.path"]?.count == 20_000)
    }

    @Test("a collector's response names how many spans it rejected")
    func rejected() {
        #expect(TraceExport.rejectedSpans(in: []) == 0)
        #expect(TraceExport.rejectedSpans(in: [0x0A, 0x03, 0x08, 0xAC, 0x02]) == 300)
        #expect(TraceExport.rejectedSpans(in: [0x0A, 0x05, 0x12, 0x01, 0x78, 0x08, 0x02]) == 2)
        // Other fields, a field that ends too early, and garbage.
        #expect(
            TraceExport.rejectedSpans(in: [
                0x15, 1, 2, 3, 4, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x0A, 0x02, 0x08, 0x07,
            ]) == 7)
        for garbage in [
            [0x0A, 0xFF], [0x0A, 0x02, 0x08], [0xFF], [0x0B],
            [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ] as [[UInt8]] {
            #expect(TraceExport.rejectedSpans(in: garbage) == 0)
        }
    }
}
