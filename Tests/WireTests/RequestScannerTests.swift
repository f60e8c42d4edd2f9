import Testing
import Wire

@Suite("the scanner of a client's bytes")
struct RequestScannerTests {
    static let limits = RequestScanner.Limits(
        target: 40, fieldBytes: 120, fieldCount: 5, head: 600, fieldOverhead: 20, body: 1000)

    /// What passes of `text`, given in pieces of `size` bytes, and the fault.
    private func scan(_ text: String, pieces size: Int = .max) -> (
        passed: String, fault: RequestFault?, requests: Int
    ) {
        var scanner = RequestScanner(limits: Self.limits)
        let bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        var passed: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + min(size, bytes.count))
            var piece = Array(bytes[start..<end])
            var span = piece.mutableSpan
            let count = scanner.scan(&span)
            passed += piece[..<count]
            start = end
        }
        return (
            String(String.UnicodeScalarView(passed.map { Unicode.Scalar($0) })), scanner.fault,
            scanner.completeRequests
        )
    }

    @Test(
        "the scanner of one request stops behind its end, and leaves what follows as it was",
        arguments: passing, [1, 7, .max])
    func oneRequest(row: (text: String, passed: String, requests: Int), size: Int) {
        var scanner = RequestScanner(limits: Self.limits)
        var rest = row.text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }[...]
        var passed: [UInt8] = []
        while !rest.isEmpty {
            let before = scanner.completeRequests
            var piece = Array(rest.prefix(size))
            var span = piece.mutableSpan
            let (count, scanned) = scanner.scanRequest(&span)
            passed += piece[..<count]
            #expect(piece[scanned...] == rest.prefix(size).dropFirst(scanned))
            #expect(scanner.completeRequests <= before + 1 && scanned > 0)
            if scanned < min(size, rest.count) { #expect(scanner.completeRequests == before + 1) }
            rest = rest.dropFirst(scanned)
        }
        #expect(String(String.UnicodeScalarView(passed.map { Unicode.Scalar($0) })) == row.passed)
        #expect(scanner.completeRequests == row.requests)
    }

    static let get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
    static let chunked = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// Sound bytes, what passes of them, and how many requests they are.
    static let passing: [(String, String, Int)] = [
        (get, get, 1), (get + get + "\r\n" + get, get + get + "\r\n" + get, 3),
        ("\r\n\r\n\(get)", "\r\n\r\n\(get)", 1),
        (
            "PUT /a HTTP/1.0\r\ncontent-length: \t5 \t \r\nX:\r\n\r\nhello\(get)",
            "PUT /a HTTP/1.0\r\ncontent-length: \t5\r\nX:\r\n\r\nhello\(get)", 2
        ),
        (
            "PUT /a HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 05\r\n\r\nGET /",
            "PUT /a HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 05\r\n\r\nGET /", 1
        ),
        (
            "PUT /a HTTP/1.1\r\nTransfer-Encoding: CHUNKED \r\n\r\n5;a=\"b;\r\n".replacing(
                "b;\r\n", with: "b;\"\r\n")
                + "hello\r\nA;x\r\n0123456789\r\n000;y\r\nX-T: 1\r\nX-U:\r\n\r\n\(get)",
            "PUT /a HTTP/1.1\r\nTransfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n000\r\n\r\n\(get)",
            2
        ),
        (
            "G /a HTTP/1.1\r\nContent-Lengths: x\r\nContent-Lengt: y\r\nTransfer: z\r\n\r\n",
            "G /a HTTP/1.1\r\nContent-Lengths: x\r\nContent-Lengt: y\r\nTransfer: z\r\n\r\n", 1
        ),
        ("G /\u{E9} HTTP/1.1\r\nX: \u{E9}\tb\r\n\r\n", "G /\u{E9} HTTP/1.1\r\nX: \u{E9}\tb\r\n\r\n", 1),
    ]

    @Test(
        "what is sound passes in whatever pieces it comes; extensions, trailers and blanks stay behind",
        arguments: passing)
    func sound(_ text: String, _ expected: String, _ requests: Int) {
        for size in 1...text.count + 1 {
            let result = scan(text, pieces: size)
            #expect(result.fault == nil, "in pieces of \(size)")
            #expect(result.passed == expected, "in pieces of \(size)")
            #expect(result.requests == requests)
        }
    }

    private static func fields(_ lines: String) -> String { "GET /a HTTP/1.1\r\n\(lines)\r\n\r\n" }

    static let refused: [(String, RequestFault)] = [
        (" GET /a HTTP/1.1\r\n", .requestLine), ("G(T /a HTTP/1.1\r\n", .requestLine),
        ("GET  /a HTTP/1.1\r\n", .requestLine), ("GET /a  HTTP/1.1\r\n", .requestLine),
        ("GET /a HTTP/1.1 \r\n", .requestLine), ("GET /a\r\n", .requestLine),
        ("GET /a HTTP/1.\r\n", .requestLine),
        ("GET /a HTTP/1.11\r\n", .requestLine), ("GET /a http/1.1\r\n", .requestLine),
        ("GET /a HTTP/2.0\r\n", .version), ("GET /a HTTP/1.2\r\n", .version),
        ("GET /a HTTP/1.1\n", .requestLine), ("GET /a HTTP/1.1\rX", .lineEnd), ("\n", .requestLine),
        ("\r\r\n", .lineEnd), (String(repeating: "\r\n", count: 9), .lineEnd),
        ("GET /\(String(repeating: "a", count: 40)) HTTP/1.1\r\n", .targetTooLong),
        (fields("X"), .fieldName), (fields("X : a"), .fieldName), (fields(": a"), .fieldName),
        (fields("X(: a"), .fieldName), (fields("X\u{0}: a"), .fieldName), (fields("X\n: a"), .lineEnd),
        (fields("X: a\nY: b"), .lineEnd), (fields("X: a\u{0}"), .fieldValue), (fields("X: a\rb"), .lineEnd),
        (fields("X: \u{7F}"), .fieldValue), (fields("X: a\r\n b"), .folding), (fields(" X: a"), .folding),
        (fields("A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:"), .fieldsTooLarge),
        (fields("X: \(String(repeating: "a", count: 120))"), .fieldsTooLarge),
        (fields("X: \(String(repeating: " ", count: 600))"), .fieldsTooLarge),
        (fields("Content-Length:"), .length), (fields("Content-Length: +5"), .length),
        (fields("Content-Length: 5,5"), .length), (fields("Content-Length: 5 5"), .length),
        (fields("Content-Length: 0x5"), .length), (fields("Content-Length: \u{B2}"), .length),
        (fields("Content-Length: 9223372036854775808"), .lengthTooLarge),
        (fields("Content-Length: 5\r\nContent-Length: 6"), .lengths),
        (fields("Transfer-Encoding: gzip, chunked"), .coding),
        (fields("Transfer-Encoding: chunked, chunked"), .coding),
        (fields("Transfer-Encoding: chunked;q=1"), .coding), (fields("Transfer-Encoding: chunke"), .coding),
        (fields("Transfer-Encoding:"), .coding), (fields("Transfer-Encoding: \u{B}chunked"), .coding),
        (fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), .coding),
        (fields("Content-Length: 5\r\nTransfer-Encoding: chunked"), .lengthAndCoding),
        ("GET /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .codingInHTTP10),
        (chunked + "\r\n", .chunkSize), (chunked + "x", .chunkSize), (chunked + "5 \r\n", .chunkSize),
        (chunked + "5\n", .chunkSize), (chunked + "5\rx", .chunkSize), (chunked + "0x5\r\n", .chunkSize),
        (chunked + "00000000000000005\r\n", .chunkSize), (chunked + "FFFFFFFFFFFFFFFF\r\n", .chunkSize),
        (chunked + "3E9\r\n", .chunkTooLarge), (chunked + "5;a\nb", .chunkExtension),
        (chunked + "5;\(String(repeating: "a", count: 1025))", .chunkExtension),
        (chunked + "5\r\nhelloX", .chunkEnd), (chunked + "5\r\nhello\n", .chunkEnd),
        (chunked + "0\r\nX\r\n", .fieldName), (chunked + "0\r\nX: a\n", .lineEnd),
        (chunked + "0\r\n\n", .lineEnd),
        (chunked + "0\r\n\r\r", .lineEnd),
        (chunked + "0\r\nX: \(String(repeating: "a", count: 120))\r\n", .fieldsTooLarge),
    ]

    @Test(
        "what is not sound is refused in whatever pieces it comes, and what came before passes",
        arguments: refused)
    func faulty(_ text: String, _ fault: RequestFault) {
        for size in 1...text.count + 1 {
            let result = scan(text + Self.get, pieces: size)
            #expect(result.fault == fault, "in pieces of \(size)")
            #expect(result.requests == 0)
        }
        let behind = scan(Self.get + text + Self.get)
        #expect(behind.fault == fault)
        #expect(behind.passed == Self.get, "nothing of a faulty request that came at once")
    }

    @Test("limits allow what they name")
    func limits() {
        #expect(scan("GET /\(String(repeating: "a", count: 39)) HTTP/1.1\r\n\r\n").requests == 1)
        #expect(scan(Self.fields("X: \(String(repeating: "a", count: 119))")).requests == 1)
        #expect(scan(Self.fields("A:\r\nB:\r\nC:\r\nD:\r\nE:")).requests == 1)
        #expect(scan(Self.chunked + "3E8\r\n").fault == nil)
        #expect(scan(Self.chunked + "5;\(String(repeating: "a", count: 1023))\r\n").fault == nil)
        #expect(scan(Self.fields("Content-Length: 9223372036854775807")).fault == nil)
        #expect(scan(String(repeating: "\r\n", count: 8) + Self.get).requests == 1)
    }

    /// What grows in a head: a beginning, what is repeated, and an end.
    static let growth: [(String, String, String)] = [
        ("G", "G", " / HTTP/1.1\r\n\r\n"), ("GET /", "a", " HTTP/1.1\r\n\r\n"),
        ("", "\r\n", get), ("GET / HTTP/1.1\r\n", "X:\r\n", "\r\n"), ("GET / HTTP/1.1\r\n", "X", ":\r\n\r\n"),
        ("GET / HTTP/1.1\r\nX:", " ", "a\r\n\r\n"), ("GET / HTTP/1.1\r\nX: a", " ", "\r\n\r\n"),
        ("GET / HTTP/1.1\r\nX: ", "a", "\r\n\r\n"), ("GET / HTTP/1.1\r\nContent-Length:", " ", "0\r\n\r\n"),
        ("GET / HTTP/1.1\r\nContent-Length: ", "0", "\r\n\r\n"),
        ("GET / HTTP/1.1\r\nContent-Length: 0", "\t", "\r\n\r\n"),
        ("GET / HTTP/1.1\r\n", "Content-Length: 0     \r\n", "\r\n"),
        ("GET / HTTP/1.1\r\nTransfer-Encoding:", " ", "chunked\r\n\r\n0\r\n\r\n"),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked", " ", "\r\n\r\n0\r\n\r\n"),
        (chunked + "0\r\nX:", " ", "a\r\n\r\n"), (chunked + "0\r\nX: a", " ", "\r\n\r\n"),
        (chunked + "0\r\n", "X:\r\n", "\r\n"), (chunked + "0\r\nContent-Length: ", "0", "\r\n\r\n"),
        (chunked, "1;aaaaaaaaaa\r\nx\r\n", "0\r\n\r\n"), (chunked + "0;", "a", "\r\n\r\n"),
    ]

    @Test("whatever grows in a head, in trailers or between chunks is refused at a limit", arguments: growth)
    func growing(_ start: String, _ part: String, _ end: String) {
        #expect(scan(start + part + end).fault == nil)
        for count in [3000, 100_000] {
            let text = start + String(repeating: part, count: count) + end
            let whole = scan(text)
            #expect(whole.fault != nil)
            for size in [1, 7, 1000] { #expect(scan(text, pieces: size).fault == whole.fault) }
            #expect(whole.passed.utf8.count <= start.utf8.count)
        }
    }

    @Test("a head has as many bytes as its limit says, each one and each field counted once")
    func headLimit() {
        // 600 bytes, and 20 for each field, its colon and line end included.
        func head(_ blanks: Int) -> String {
            "GET /\(String(repeating: "a", count: 39)) HTTP/1.1\r\nX:\(String(repeating: " ", count: blanks))a\r\n"
                + "Content-Length:  00\(String(repeating: " ", count: 20))\r\n\r\n"
        }
        let left = 600 - 2 * (20 - 3) - head(0).utf8.count
        for size in [1, 5, 1000] {
            #expect(scan(head(left), pieces: size).requests == 1)
            #expect(scan(head(left + 1), pieces: size).fault == .fieldsTooLarge)
            #expect(scan(head(left + 1), pieces: size).requests == 0)
        }
    }

    @Test("extensions are allowed for as the body grows, and not without one")
    func extensions() {
        func body(_ size: Int, _ extent: Int, chunks: Int) -> String {
            String(
                repeating:
                    "\(String(size, radix: 16));\(String(repeating: "a", count: extent))\r\n"
                    + String(repeating: "x", count: size) + "\r\n", count: chunks)
        }
        #expect(scan(Self.chunked + body(500, 1000, chunks: 1000)).fault == nil)
        #expect(scan(Self.chunked + body(1, 1000, chunks: 15)).fault == nil)
        #expect(scan(Self.chunked + body(1, 1000, chunks: 17)).fault == .chunkExtension)
        let two = Self.chunked + body(1, 1000, chunks: 15) + "0\r\n\r\n"
        #expect(scan(two + two).requests == 2)
    }

    @Test("heads are counted when they are complete, those of trailers are not")
    func heads() {
        var scanner = RequestScanner(limits: Self.limits)
        for (text, heads) in [
            ("GET /a HTTP/1.1\r\nHost: h\r\n\r", 0), ("\n", 1), (Self.chunked, 2),
            ("1\r\nx\r\n0\r\nX: a\r\n\r\n", 2),
            (Self.get, 3),
        ] {
            var piece = Array(text.utf8)
            var span = piece.mutableSpan
            _ = scanner.scan(&span)
            #expect(scanner.completeHeads == heads)
        }
    }

    @Test("each request of a connection may be as large as the first", arguments: [1, 7, .max])
    func equalSizes(size: Int) throws {
        func request(blanks: Int) -> String {
            "GET /a HTTP/1.1\r\nHost: h\r\nX:" + String(repeating: " ", count: blanks) + "a\r\n\r\n"
        }
        let blanks = try #require((0..<600).last { scan(request(blanks: $0), pieces: size).fault == nil })
        #expect(blanks > 400)
        let largest = request(blanks: blanks)
        #expect(scan(largest + largest + largest, pieces: size).requests == 3)
        let larger = scan(largest + request(blanks: blanks + 1), pieces: size)
        #expect(larger.requests == 1)
        #expect(larger.fault == .fieldsTooLarge)
    }

    @Test(
        "a head that is too large is refused for its size, whatever is wrong behind", arguments: [1, 7, .max])
    func sizeBeforeForm(size: Int) {
        for wrong in ["\u{0}", "\n", "\r\r", "\r\n bad", "\r\n: x", "\r\nContent-Length: x"] {
            let head = "GET /a HTTP/1.1\r\nX:" + String(repeating: " ", count: 600) + "a" + wrong
            #expect(scan(head, pieces: size).fault == .fieldsTooLarge, "\(wrong.debugDescription)")
        }
    }

    @Test("no bytes trap it, and what passes is never more than what came")
    func noise() {
        var random = SystemRandomNumberGenerator()
        let letters = Array("GET /a HTTP/1.1\r\n: 0;5fContent-Length chunked\u{0}\t".utf8)
        for _ in 0..<2000 {
            var scanner = RequestScanner(limits: Self.limits)
            for _ in 0..<4 {
                var piece = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                    letters[Int.random(in: 0..<letters.count, using: &random)]
                }
                let size = piece.count
                var span = piece.mutableSpan
                #expect(scanner.scan(&span) <= size)
            }
        }
    }

    @Test(
        "a scanner that hides queries replaces each ? of a target, and nothing else",
        arguments: [1, 7, 1000],
        [true, false])
    func hiddenQuery(size: Int, hides: Bool) {
        var scanner = RequestScanner(limits: Self.limits, hidesQuery: hides)
        let text = "GET /a?b=c?d HTTP/1.1\r\nHost: h?\r\nContent-Length: 2\r\n\r\n??GET ? HTTP/1.1\r\n\r\n"
        var rest = Array(text.utf8)[...]
        var passed: [UInt8] = []
        while !rest.isEmpty {
            var piece = Array(rest.prefix(size))
            var span = piece.mutableSpan
            let count = scanner.scan(&span)
            passed += piece[..<count]
            rest = rest.dropFirst(size)
        }
        let mark = hides ? "\u{1}" : "?"
        #expect(
            String(decoding: passed, as: UTF8.self)
                == "GET /a\(mark)b=c\(mark)d HTTP/1.1\r\nHost: h?\r\nContent-Length: 2\r\n\r\n??GET \(mark) HTTP/1.1\r\n\r\n"
        )
        #expect(scanner.fault == nil && scanner.completeRequests == 2)
    }
}
