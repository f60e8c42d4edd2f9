import Testing
import Upstream
import Wire

@testable import Upstream

@Suite("reading a response")
struct ResponseParserTests {
    /// What came of an answer.
    private struct Reading: Equatable, CustomStringConvertible {
        var status = 0
        /// The interim answers: status and a field `A`.
        var interim = ""
        var body = ""
        /// `complete`, `more`, or the fault.
        var end = ""
        /// What stands behind the answer.
        var rest = ""

        var description: String { "\(status) “\(body)” \(end) rest “\(rest)”" }
    }

    /// Reads `text` in pieces of `size` bytes.
    private func read(_ text: String, piece size: Int, isHead: Bool = false) -> Reading {
        var parser = ResponseParser()
        parser.begin(isHead: isHead)
        let head = ResponseHead()
        var (reading, body) = (Reading(end: "more"), [UInt8]())
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count, reading.end == "more" {
            let piece = Array(bytes[start..<min(bytes.count, start + size)])
            var position = 0
            loop: while true {
                switch parser.next(in: piece.span, at: &position, into: head) {
                case .needsMore: break loop
                case .interim:
                    reading.interim += "\(head.status) \(head.fields.first("A") ?? "-");"
                    head.endInterim()
                case .head: reading.status = head.status
                case .body(let range): body += piece[range]
                case .complete:
                    reading.end = "complete"
                    reading.rest = String(decoding: bytes[(start + position)...], as: UTF8.self)
                    break loop
                case .invalid(let fault):
                    reading.end = "\(fault)"
                    break loop
                }
            }
            start += size
        }
        reading.body = String(decoding: body, as: UTF8.self)
        return reading
    }

    /// Reads `text` in pieces of every size, which must make no difference.
    private func read(_ text: String, isHead: Bool = false) -> Reading {
        let whole = read(text, piece: text.utf8.count, isHead: isHead)
        for size in 1..<max(2, min(text.utf8.count, 40)) {
            let pieces = read(text, piece: size, isHead: isHead)
            #expect(pieces == whole, "in pieces of \(size)")
        }
        return whole
    }

    private func answer(_ fields: String, _ body: String) -> String {
        "HTTP/1.1 200 OK\r\n" + fields + "\r\n" + body
    }

    @Test("a body with a length ends where the length says, in pieces of any size")
    func length() {
        let reading = read(answer("Content-Length: 5\r\n", "hello") + "HTTP/1.1")
        #expect(reading == Reading(status: 200, body: "hello", end: "complete", rest: "HTTP/1.1"))
        #expect(read(answer("Content-Length: 0\r\n", "")).end == "complete")
        #expect(read(answer("Content-Length: 6\r\n", "hello")).end == "more")
    }

    @Test("chunks, with extensions and trailers, are one body")
    func chunks() {
        let chunks =
            "5;name=\"va\\lue\"\r\nhello\r\n1 ; x\r\n,\r\n00A\r\n0123456789\r\n0\r\nETag: \"x\"\r\n\r\n"
        let reading = read(answer("Transfer-Encoding: chunked\r\n", chunks) + "rest")
        #expect(reading == Reading(status: 200, body: "hello,0123456789", end: "complete", rest: "rest"))
    }

    @Test("a bare line feed ends a line as well")
    func lineFeeds() {
        let text = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n"
        #expect(read(text) == Reading(status: 200, body: "abc", end: "complete", rest: ""))
    }

    @Test(
        "chunks that are none are a fault",
        arguments: [
            "\r\n", "x\r\n", "-1\r\n", "0x1\r\na\r\n", " 1\r\na\r\n", "1\r\nab\r\n", "1\r\na\rb", "1\ra",
            "fffffffffffffffff\r\n", "1;\u{1}\r\na\r\n", "1,\r\na\r\n", "3\r\nabcd\r\n",
        ])
    func badChunks(chunks: String) {
        #expect(read(answer("Transfer-Encoding: chunked\r\n", chunks)).end == "badChunk")
    }

    @Test("extensions and trailers have a limit")
    func chunkLimits() {
        let long = String(repeating: "x", count: 20_000)
        #expect(
            read(answer("Transfer-Encoding: chunked\r\n", "1;\(long)\r\na\r\n"), piece: 4096).end
                == "badChunk")
        let trailers = "0\r\n" + String(repeating: "A: \(long)\r\n", count: 60) + "\r\n"
        #expect(read(answer("Transfer-Encoding: chunked\r\n", trailers), piece: 4096).end == "badChunk")
    }

    @Test("without length and chunks, the body ends with the connection")
    func untilEnd() {
        var parser = ResponseParser()
        parser.begin(isHead: false)
        let head = ResponseHead()
        let bytes = Array(answer("", "abc").utf8)
        var position = 0
        #expect(parser.next(in: bytes.span, at: &position, into: head) == .head)
        #expect(!parser.endsWithConnection)
        #expect(parser.next(in: bytes.span, at: &position, into: head) == .body(19..<22))
        #expect(parser.endsWithConnection)
    }

    @Test("what cannot have a body has none, whatever its fields say")
    func bodiless() {
        #expect(read(answer("Content-Length: 5\r\n", "HTTP"), isHead: true).rest == "HTTP")
        for status in [204, 304] {
            let reading = read("HTTP/1.1 \(status) X\r\nTransfer-Encoding: chunked\r\n\r\nHTTP")
            #expect(reading == Reading(status: status, body: "", end: "complete", rest: "HTTP"))
        }
    }

    @Test("a coding that was not asked for is a fault, and a length beside chunks is not used")
    func codings() {
        #expect(read(answer("Transfer-Encoding: gzip, chunked\r\n", "")).end == "badTransferCoding")
        #expect(read(answer("Transfer-Encoding: gzip\r\n", "")).end == "badTransferCoding")
        let twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
        #expect(read(answer(twice, "")).end == "badTransferCoding")
        #expect(
            read(answer("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "2\r\nab\r\n0\r\n\r\n")).body
                == "ab")
    }

    @Test("interim responses come one by one before the response, whatever their fields say of a body")
    func interim() {
        let text =
            "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 100 Continue\r\nA: c\r\n\r\n"
            + "HTTP/1.1 102 \r\nContent-Length: 3\r\nA: d\r\n e\r\n\r\n"
            + "HTTP/1.1 199 Odd\nTransfer-Encoding: chunked\n\n"
        let reading = read(text + answer("Content-Length: 2\r\n", "ok"))
        let interim = "103 b;102 d e;199 -;"
        #expect(reading == Reading(status: 200, interim: interim, body: "ok", end: "complete", rest: ""))
        #expect(read(text) == Reading(interim: interim, end: "more"))
        #expect(read("HTTP/1.1 103 Early Hints\r\nA: b\r\nHTTP/1.1 200 OK\r\n\r\n").end == "badHead")
        #expect(read("HTTP/1.1 103 Early Hints\r\n\r\nA: b\r\n\r\n").end == "notHTTP")
        #expect(read("HTTP/1.1 103 X\r\n\r\nHTTP/1.1 101 X\r\n\r\n").end == "switchedProtocols")
    }

    @Test("what does not begin like HTTP is known at once; a head without end is cut off")
    func garbage() {
        #expect(read("220 smtp.example.com ESMTP", piece: 3).end == "notHTTP")
        #expect(read("\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").end == "notHTTP")
        #expect(read("HTTP/2 200 OK\r\n\r\n").end == "notHTTP")
        #expect(
            read("HTTP/1.1 200 " + String(repeating: "x", count: 100_000), piece: 1000).end == "headTooLarge")
        let interim = String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", count: 2000)
        #expect(read(interim, piece: 1000).end == "headTooLarge")
        #expect(
            read("HTTP/1.1 200 OK\r\nA: " + String(repeating: "x", count: 1 << 20), piece: 1000).end
                == "headTooLarge")
    }

    @Test(
        "a field that is too long to be kept is passed over, whatever pieces it comes in",
        arguments: [100, 999, 70_000])
    func longField(size: Int) {
        let long = "A: " + String(repeating: "x", count: 200_000) + "\r\n more\r\n"
        let text = answer(long + "Content-Length: 2\r\n" + long, "ok")
        #expect(read(text, piece: size) == Reading(status: 200, body: "ok", end: "complete", rest: ""))
    }

    @Test("trailers that are too long to be kept are passed over", arguments: [100, 70_000])
    func longTrailers(size: Int) {
        let trailer = "A: " + String(repeating: "x", count: 50_000) + "\r\n"
        let text = answer(
            "Transfer-Encoding: chunked\r\n", "2\r\nok\r\n0\r\n\(trailer)\(trailer)B: b\r\n\r\n")
        #expect(read(text, piece: size) == Reading(status: 200, body: "ok", end: "complete", rest: ""))
    }
}
