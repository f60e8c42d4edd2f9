import Testing
import Upstream
import Wire

@Suite("the head of a response")
struct ResponseHeadTests {
    /// Reads the lines, and says what stopped it: `complete`, `more` or the fault.
    private func read(_ lines: [String], into head: ResponseHead) -> String {
        for line in lines {
            switch head.take(Array((line + "\r\n").utf8).span) {
            case .more: continue
            case .interim: return "interim"
            case .complete: return "complete"
            case .invalid(let fault): return "\(fault)"
            }
        }
        return "more"
    }

    private func outcome(_ lines: String...) -> String {
        let head = ResponseHead()
        return read(lines, into: head)
    }

    @Test("status, fields and length are read; repeated fields stay apart")
    func plain() {
        let head = ResponseHead()
        let lines = [
            "HTTP/1.1 201 Created", "Content-Length: 12", "Set-Cookie: a", "set-cookie:b\t", "X-Empty:", "",
        ]
        #expect(read(lines, into: head) == "complete")
        #expect(head.status == 201)
        #expect(head.bodyLength == 12)
        #expect(head.fields.count == 4)
        var cookies: [String] = []
        head.fields.forEach { name, value in
            if name.equalsIgnoringCase("set-cookie") { cookies.append(value.string) }
        }
        #expect(cookies == ["a", "b"])
    }

    @Test(
        "an interim response is told with its fields, and forgotten; 100 and those of HTTP/1.0 are not told")
    func interim() {
        let head = ResponseHead()
        #expect(
            read(["HTTP/1.1 103 Early Hints", "Link: x", "Content-Length: 7", ""], into: head) == "interim")
        #expect(head.status == 103 && !head.isComplete)
        #expect(head.fields.count == 2 && head.fields.first("Link") == "x")
        head.endInterim()
        #expect(head.status == 0 && head.fields.count == 0 && head.contentLength == nil)
        #expect(read(["HTTP/2 199 ", ""], into: head) == "interim")
        #expect(head.status == 199)
        head.endInterim()
        let lines = ["HTTP/1.1 100 Continue", "A: 1", "", "HTTP/1.0 103 Early", "A: 1", ""]
        #expect(read(lines + ["HTTP/2 204", "A: b", ""], into: head) == "complete")
        #expect(head.status == 204)
        #expect(head.fields.count == 1)
    }

    @Test("a transfer coding overrides a length, and a folded line goes on")
    func framing() {
        let head = ResponseHead()
        let lines = ["HTTP/1.1 200", "Content-Length: 5", "Transfer-Encoding: chunked", "A: b", " c", ""]
        #expect(read(lines, into: head) == "complete")
        #expect(head.bodyLength == nil)
        #expect(head.fields.first("A") == "b c")
    }

    @Test("trailers change nothing")
    func trailers() {
        let head = ResponseHead()
        #expect(read(["HTTP/1.1 200 OK", ""], into: head) == "complete")
        #expect(read(["Content-Length: 7", "nonsense"], into: head) == "more")
        #expect(head.contentLength == nil && head.fields.count == 0)
    }

    @Test("what is not HTTP is a fault")
    func faults() {
        #expect(outcome("HTTP/1.1 2 OK") == "badHead")
        #expect(outcome("HTTP/1.1 2000 OK") == "badHead")
        #expect(outcome("HTTP/3.1 200 OK") == "notHTTP")
        #expect(outcome("HTTP/1.1 101 Switching Protocols", "") == "switchedProtocols")
        #expect(outcome("SSH-2.0-OpenSSH") == "notHTTP")
        #expect(outcome("", "HTTP/1.1 200 OK", "") == "notHTTP")
        #expect(outcome("HTTP/1.1 200 OK", "HTTP/1.1 200 OK") == "badHead")
        #expect(outcome("HTTP/1.1 200 OK", "Content-Length: 5", " 0") == "badHead")
        #expect(outcome("HTTP/1.1 200 OK", "A: b", " c\u{1}") == "badHead")
        #expect(outcome("HTTP/1.1 099 OK") == "badHead")
        #expect(outcome("HTTP/1.1 abc") == "badHead")
        #expect(outcome("HTTP/1.1 200 OK", "no colon") == "badHead")
        #expect(outcome("HTTP/1.1 200 OK", ": x") == "badHead")
        #expect(outcome("HTTP/1.1 200 OK", "bad name: x") == "badHead")
        #expect(outcome("HTTP/1.1 200 OK", "A: b\u{0}c") == "badHead")
        #expect(outcome("HTTP/1.1 200 OK", "Content-Length: x") == "badLength")
        #expect(outcome("HTTP/1.1 200 OK", "Content-Length: -1") == "badLength")
        #expect(outcome("HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 2") == "badLength")
        #expect(outcome("HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 1", "") == "complete")
        #expect(
            outcome("HTTP/1.1 200 OK", "Content-Length: " + String(repeating: " ", count: 70_000) + "5")
                == "badHead")
        #expect(
            outcome("HTTP/1.1 200 OK", "A: " + String(repeating: "x", count: 1_100_000)) == "headTooLarge")
        #expect(outcome("HTTP/1.1 200 " + String(repeating: "x", count: 70_000)) == "headTooLarge")
    }

    @Test(
        "whether the connection lives on is what version and fields say",
        arguments: [
            (["HTTP/1.1 200"], true), (["HTTP/1.1 200", "Connection: close"], false),
            (["HTTP/1.1 200", "Connection: x, Close"], false), (["HTTP/1.0 200"], false),
            (["HTTP/1.0 200", "Connection: Keep-Alive"], true),
            (["HTTP/1.0 200", "Connection: keep-alive, close"], false),
        ] as [([String], Bool)])
    func persistence(lines: [String], lives: Bool) {
        let head = ResponseHead()
        #expect(read(lines + [""], into: head) == "complete")
        #expect(head.keepsConnection == lives)
    }

    @Test("for how long the provider keeps an idle connection is read")
    func keepAlive() {
        let head = ResponseHead()
        _ = read(["HTTP/1.1 200", "Keep-Alive: max=100, timeout=5", ""], into: head)
        #expect(head.keepAliveSeconds == 5)
    }

    /// The names of the fields that are kept of these, in order.
    private func kept(limit: Int, _ lines: [String]) -> (names: [String], dropped: Int) {
        let head = ResponseHead()
        head.limit = limit
        #expect(read(["HTTP/1.1 201 Created"] + lines + [""], into: head) == "complete")
        var names: [String] = []
        head.fields.forEach { name, _ in names.append(name.string) }
        #expect(head.fields.byteCount + 4 * head.fields.count <= limit)
        return (names, head.droppedFields)
    }

    @Test("all fields are kept up to the limit, to the byte")
    func limit() {
        let value = String(repeating: "x", count: 93)
        let lines = (1...10).map { "X-\($0 % 10): \(value)" }
        #expect(kept(limit: 1000, lines).names.count == 10)
        #expect(
            kept(limit: 999, lines) == (["X-1", "X-2", "X-3", "X-4", "X-5", "X-6", "X-7", "X-8", "X-9"], 1))
    }

    @Test(
        "a field that a response is another one without makes room for itself",
        arguments: [
            "WWW-Authenticate", "Allow", "Retry-After", "Location", "Content-Type", "Content-Encoding",
            "Content-Range", "Content-Language", "Content-Location", "Content-Disposition", "Cache-Control",
            "X-Request-Id", "Request-Id", "Date", "Vary", "ETag", "Last-Modified", "Expires", "Age",
            "Connection",
            "RateLimit", "RateLimit-Policy", "X-RateLimit-Remaining",
        ])
    func essential(_ name: String) {
        let long = (1...20).map { "Set-Cookie: \($0)=\(String(repeating: "x", count: 80))" }
        for position in [0, 10, 20] {
            var lines = long
            lines.insert("\(name): abc", at: position)
            let result = kept(limit: 1000, lines)
            #expect(result.names.contains(name), "at \(position)")
            #expect(result.names.first == (position == 0 ? name : "Set-Cookie"))
            #expect(result.dropped == lines.count - result.names.count && result.names.count > 5)
        }
    }

    @Test("a field that is longer than the limit is dropped with the lines that it is folded into")
    func longField() {
        let long = String(repeating: "x", count: 2000)
        #expect(kept(limit: 1000, ["A: \(long)", " more", "B: b"]) == (["B"], 1))
        #expect(kept(limit: 1000, ["A: a", " \(long)", " more", "B: b"]) == (["B"], 1))
        #expect(kept(limit: 1000, ["Location: \(long)", "B: b"]) == (["B"], 1))
        #expect(kept(limit: 100, ["A: a", " \(String(repeating: "x", count: 95))", "B: b"]) == (["B"], 1))
    }

    @Test("a connection is not kept whose Connection was too long to be read")
    func longConnection() {
        let head = ResponseHead()
        let lines = ["HTTP/1.1 200 OK", "Connection: x" + String(repeating: ",x", count: 40_000), ""]
        #expect(read(lines, into: head) == "complete")
        #expect(!head.keepsConnection)
    }

    @Test("thousands of fields that must stay cost little")
    func manyEssential() {
        let lines = (1...10_000).map { _ in "Set-Cookie: a" } + (1...20_000).map { "Allow: A\($0)" }
        let start = ContinuousClock.now
        #expect(kept(limit: 65_536, lines).names.allSatisfy { $0 == "Allow" })
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
