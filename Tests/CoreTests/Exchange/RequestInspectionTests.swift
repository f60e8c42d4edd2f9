import Core
import Testing

@Suite("the inspection of a request's head")
struct RequestInspectionTests {
    @Test("a sound head has no fault")
    func sound() {
        #expect(InspectedHead().fault == nil)
        #expect(InspectedHead(only: [], isHTTP10: true).fault == nil)
        #expect(InspectedHead(("Content-Length", "0")).fault == nil)
        #expect(InspectedHead(("X-Odd", "caf\u{E9}\ttab")).fault == nil)
    }

    @Test(
        "what two parsers could read differently is refused",
        arguments: [
            [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
            [("Content-Length", "5"), ("Content-Length", "6")],
            [("Content-Length", "+5")], [("Content-Length", "")], [("Content-Length", "5, 5")],
            [("Content-Length", "99999999999999999999")],
            [("Transfer-Encoding", "gzip, chunked")], [("Transfer-Encoding", "identity")],
            [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
            [("Host", "other.test")],
        ])
    func ambiguous(_ fields: [(String, String)]) {
        var head = InspectedHead()
        head.fields += fields
        #expect(head.fault == "bad_client_request 400")
    }

    @Test("a length given twice alike is one length")
    func sameLength() {
        let head = InspectedHead(("Content-Length", "5"), ("content-length", "5"))
        #expect(head.fault == nil)
        #expect(head.inspection.framing == .length(5))
    }

    @Test("a request without Host is refused, unless it is HTTP/1.0")
    func host() {
        #expect(InspectedHead(only: []).fault == "bad_client_request 400")
        #expect(InspectedHead(only: [], isHTTP10: true).fault == nil)
    }

    @Test("HTTP/1.0 knows no chunks")
    func chunksOfOldClients() {
        let fields = [("Transfer-Encoding", "chunked")]
        #expect(InspectedHead(only: fields, isHTTP10: true).fault == "bad_client_request 400")
    }

    @Test("CONNECT and TRACE are not implemented", arguments: ["CONNECT", "TRACE"])
    func refusedMethods(_ method: String) {
        var head = InspectedHead()
        head.method = method
        #expect(head.fault == "bad_client_request 501")
    }

    @Test("a method that is no token is refused", arguments: ["G T", ""])
    func malformedMethods(_ method: String) {
        var head = InspectedHead()
        head.method = method
        #expect(head.fault == "bad_client_request 400")
    }

    @Test("methods are told apart by case", arguments: ["trace", "QUERY", "M-SEARCH"])
    func otherMethods(_ method: String) {
        var head = InspectedHead()
        head.method = method
        #expect(head.fault == nil)
    }

    @Test("a HEAD with a body is refused, one with an empty body is not")
    func bodyOfHead() {
        var head = InspectedHead(("Content-Length", "1"))
        head.method = "HEAD"
        #expect(head.fault == "bad_client_request 400")
        head.fields[1].1 = "0"
        #expect(head.fault == nil)
    }

    @Test("each limit allows what it names, and one more is too much")
    func limits() {
        var head = InspectedHead(("Content-Length", "1000"))
        #expect(head.fault == nil)
        head.fields[1].1 = "1001"
        #expect(head.fault == "request_too_large 413")

        head = InspectedHead()
        head.target = "/" + String(repeating: "a", count: 99)
        #expect(head.fault == nil)
        head.target += "a"
        #expect(head.fault == "uri_too_long 414")

        head = InspectedHead()
        for index in 1..<10 { head.fields.append(("X-\(index)", "v")) }
        #expect(head.fault == nil)
        head.fields.append(("X-10", "v"))
        #expect(head.fault == "headers_too_large 431")

        head = InspectedHead(("X", String(repeating: "v", count: 500 - 14)))
        #expect(head.fault == nil)
        head.fields[1].1 += "v"
        #expect(head.fault == "headers_too_large 431")
    }

    @Test("the only expectation that can be met is 100-continue")
    func expectations() {
        #expect(InspectedHead(("Expect", "100-Continue")).inspection.expectsContinue)
        #expect(InspectedHead(("Expect", "the-unexpected")).fault == "bad_client_request 417")
    }

    @Test(
        "Prefer names the longest wait among other preferences",
        arguments: [
            ("wait=5", 5), ("respond-async, wait=10", 10), ("Wait=0; foo=bar", 0), ("wait=", nil),
            ("wait=-1", nil), ("wait=soon", nil), ("await=3", nil), ("wait=9223372036854775807", .max),
            ("wait=92233720368547758080", nil),
        ] as [(String, Int64?)])
    func preferredWait(_ value: String, _ expected: Int64?) {
        #expect(InspectedHead(("Prefer", value)).inspection.preferredWait == expected)
    }

    @Test("a client's request id is kept if it is 1 to 128 visible characters")
    func requestIDs() {
        func id(_ value: String) -> String? {
            InspectedHead(("X-Request-Id", value)).inspection.requestID?.string
        }
        let longest = String(repeating: "i", count: 128)
        #expect(id("abc-1/2") == "abc-1/2")
        #expect(id(longest) == longest)
        #expect(id(longest + "i") == nil)
        #expect(id("") == nil)
        #expect(id("a b") == nil)
        #expect(id("a\u{E9}") == nil)
    }

    @Test("raw errors are asked for by one word, in any case")
    func rawErrors() {
        for (value, form) in [
            ("RAW", .raw), ("problem", .problem), ("Merged", .merged), ("other", nil), ("", nil),
        ] as [(String, ProviderConfiguration.ErrorForm?)] {
            #expect(InspectedHead(("X-Error-Format", value)).inspection.errorForm == form)
        }
    }

    @Test("only Connection values that name fields are looked at again")
    func connectionFields() {
        #expect(InspectedHead(("Connection", "Keep-Alive, close")).inspection.connectionFields.isEmpty)
        #expect(!InspectedHead(("Connection", "close, X-Hop")).inspection.connectionFields.isEmpty)
    }

    @Test("a request that went in a circle is refused by this proxy's own name in Via")
    func loops() {
        #expect(InspectedHead(("Via", "1.1 weir-1")).fault == "bad_client_request 400")
        #expect(InspectedHead(("Via", "1.1 edge, HTTP/1.1  Weir-1")).fault == "bad_client_request 400")
        #expect(InspectedHead(("Via", "1.1 weir-10, 1.1 other")).fault == nil)
    }

    @Test("the first fault is the one that is told")
    func firstFault() {
        var head = InspectedHead(("Content-Length", "many"))
        head.target = "/" + String(repeating: "a", count: 200)
        #expect(head.fault == "bad_client_request 400")
        #expect(head.inspection.fault?.detail == "Content-Length is not a number.")
    }
}
