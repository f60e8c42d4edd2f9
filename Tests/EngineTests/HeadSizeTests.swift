import TestSupport
import Testing

/// Heads around the size of the library's memory, made larger in every way there is.
@Suite("a request's head of any size", .blocking)
struct HeadSizeTests {
    /// A part that a head is made larger by: what stands before and behind what is repeated.
    struct Growth: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let before: String
        let part: String
        let behind: String

        init(_ name: String, _ before: String, _ part: String, _ behind: String) {
            (testDescription, self.before, self.part, self.behind) = (name, before, part, behind)
        }

        func lines(_ size: Int) -> String {
            before + String(repeating: part, count: max(0, size / part.utf8.count)) + behind
        }
    }

    static let growths = [
        Growth("a value", "X-A: ", "a", "\r\n"), Growth("blanks before a value", "X-A:", " ", "a\r\n"),
        Growth("blanks behind a value", "X-A: a", " ", "\r\n"), Growth("a name", "X", "a", ": a\r\n"),
        Growth("fields", "", "A:\r\n", ""), Growth("cookies", "", "Cookie: a=b\r\n", ""),
        Growth("one cookie", "Cookie: a=", "b", "\r\n"), Growth("digits", "Content-Length: ", "0", "\r\n"),
        Growth("blanks before a length", "Content-Length:", " ", "0\r\n"),
        Growth("blanks behind a length", "Content-Length: 0", " ", "\r\n"),
        Growth("lengths", "", "Content-Length: 00000000000000000000000000000000000000000\r\n", ""),
        Growth("blanks before a coding", "Transfer-Encoding:", " ", "chunked\r\n"),
        Growth("blanks behind a coding", "Transfer-Encoding: chunked", " ", "\r\n"),
    ]

    @Test(
        "a request is forwarded, or refused with a problem, whatever its head is made of", arguments: growths)
    func sizes(_ growth: Growth) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, limits: "request_head: 14KiB, uri: 14KiB, header_count: 150") {
            proxy throws in
            for target in ["/p/a", "/p/" + String(repeating: "a", count: 8000)] {
                for size in stride(from: 1000, through: 17_000, by: 800) {
                    let client = try proxy.client()
                    let end = growth.testDescription.hasSuffix("coding") ? "0\r\n\r\n" : ""
                    try client.send("POST \(target) HTTP/1.1\r\nHost: h\r\n\(growth.lines(size))\r\n\(end)")
                    let response = try client.readResponse()
                    // More zeros than a number has digits are no length that others would take.
                    let isOdd = growth.part.contains("0") && response.code == "bad_client_request"
                    #expect(
                        response.status == 200 || response.code == "headers_too_large" || isOdd, "\(size)")
                    client.close()
                }
            }
        }
    }

    @Test("a head that never ends is refused after a few bytes", arguments: growths)
    func endless(_ growth: Growth) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("POST /p/a HTTP/1.1\r\nHost: h\r\n" + growth.before)
            // Less than the sockets hold: the refusal must come while the client still sends.
            try client.send(String(repeating: growth.part, count: 20_000 / growth.part.utf8.count))
            let response = try client.readResponse()
            #expect(response.status == 431 && response.code == "headers_too_large")
            #expect(upstream.requestCount == 0)
        }
    }
}
