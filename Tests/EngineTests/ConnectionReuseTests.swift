import TestSupport
import Testing

/// When a connection to a provider serves another request, and when it must not.
@Suite(.blocking) struct ConnectionReuseTests {
    /// What a provider says that forbids another request on the connection, though it leaves it open.
    static let forbidding: [(String, String)] = [
        ("Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        ("Keep-Alive: timeout=1", "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\n{}"),
        ("bytes behind the answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 500 Bad\r\n\r\n"),
        (
            "a length beside chunks",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        ),
        ("a body where none may be", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}"),
    ]

    @Test("a response that leaves the connection in doubt is the last one on it", arguments: forbidding)
    func lastOnConnection(name: String, answer: String) throws {
        let upstream = try ScriptedUpstream { exchange in try exchange.respond(answer) }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for _ in 0..<3 {
                let response = try client.exchange("GET", "/p/x")
                #expect(response.status == 200 || response.status == 204)
                #expect(response.text == (response.status == 204 ? "" : "{}"))
            }
            #expect(upstream.connectionCount == 3)
        }
    }

    static let allowing: [(String, String)] = [
        (
            "HTTP/1.0 with keep-alive",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}"
        ),
        (
            "Keep-Alive: timeout=60",
            "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: 2\r\n\r\n{}"
        ),
        (
            "chunks with trailers",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n"
        ),
    ]

    @Test("a response that says where it ends leaves the connection to the next", arguments: allowing)
    func usedAgain(name: String, answer: String) throws {
        let upstream = try ScriptedUpstream { exchange in try exchange.respond(answer) }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for _ in 0..<3 { #expect(try client.exchange("GET", "/p/x").text == "{}") }
            #expect(upstream.connectionCount == 1)
        }
    }
}
