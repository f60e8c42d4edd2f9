import Testing
import Wire

@testable import Core

@Suite("the request target")
struct RequestTargetTests {
    private func offset(_ target: [UInt8]) -> Int? {
        var inspection = InspectedHead().inspection
        let offset = RequestTarget.pathOffset(in: target.span, &inspection) {
            $0.equalsIgnoringCase("weir.test")
        }
        #expect((offset == nil) == (inspection.fault != nil))
        return offset
    }

    @Test(
        "the path of the origin form begins at once, that of the absolute form behind this server's name",
        arguments: [
            ("/", 0), ("/a/../b//c?x=%2F&y=?", 0), ("//evil.test/a", 0), ("/caf\u{E9}", 0),
            ("http://weir.test/a", 16), ("HTTPS://WEIR.TEST/a?b", 17),
        ])
    func found(_ target: String, _ expected: Int) {
        #expect(offset(Array(target.utf8)) == expected)
    }

    private func hasDotSegments(_ target: String) -> Bool {
        RequestTarget.hasDotSegments(Array(target.utf8).span)
    }

    @Test(
        "a dot segment is found in every spelling that a provider may undo",
        arguments: [
            "/..", "/.", "/../a", "/a/..", "/a/./b", "/a/../../b", "/%2e%2e/a", "/%2E%2e", "/.%2e/a",
            "/%2e./a",
            "/%2E", "/a/%2e/b", "/%252e%252e/a", "/%25252e%25252e/", "/..%2fadmin", "/a/..%2F..%2Fb",
            "/..\\admin",
            "/a\\..\\b", "/..%5cadmin", "/a%5C..%5cb", "/..;/a", "/..;x=1/a", "/a/.;/b", "/..%3b/a",
            "/..%00/a", "/..%3Fx", "/..%20/a", "/..%23",
            "/a/..?x=1", "/..?", "/%c0%ae%c0%ae/a", "/.%c0%ae/", "/..%c0%afadmin", "/%u002e/../a", "//..//a",
        ])
    func dotSegments(_ target: String) {
        #expect(hasDotSegments(target))
    }

    @Test(
        "dots that make no segment of their own are no dot segments",
        arguments: [
            "", "/", "/a", "/v1.0/b", "/.well-known/x", "/a..b", "/...", "/a/.../b", "/..a", "/a..", "/a.",
            "/.a/b",
            "/a?x=/../", "/a?../..", "?..", "/%2e%2e%2e/a", "/a%2eb", "/a%2e%2e", "/%", "/%2", "/%zz/..a",
            "/caf%C3%A9",
        ])
    func otherDots(_ target: String) {
        #expect(!hasDotSegments(target))
    }

    @Test("a path that is encoded thousands of times over is looked at once")
    func deepEscapes() {
        let deep = "/%" + String(repeating: "25", count: 4000) + "2e/a"
        #expect(hasDotSegments(deep))
    }

    @Test(
        "a target that is no path of this server is refused",
        arguments: [
            "", "*", "weir.test:443", "http://other.test/a", "http://weir.test", "http://weir.test?a",
            "http:///a", "http://user@weir.test/a", "http://weir.test:80/a", "ftp://weir.test/a", "a/b",
            "/a b", "/a#b", "/a\u{0}", "/a\u{7F}", "/a\tb",
        ])
    func refused(_ target: String) {
        #expect(offset(Array(target.utf8)) == nil)
    }

    @Test(
        "OPTIONS for an asterisk, or for this server's name alone, is for the server itself",
        arguments: [
            ("OPTIONS", "*", true), ("OPTIONS", "http://weir.test", true),
            ("OPTIONS", "HTTPS://WEIR.test", true),
            ("OPTIONS", "http://weir.test?a", false), ("OPTIONS", "http://other.test", false),
            ("OPTIONS", "**", false), ("OPTIONS", "*?a", false), ("OPTIONS", "", false),
            ("GET", "*", false), ("options", "*", false), ("GET", "http://weir.test", false),
        ])
    func server(_ method: String, _ target: String, _ isForServer: Bool) {
        var head = InspectedHead()
        head.method = method
        var inspection = head.inspection
        let offset = RequestTarget.pathOffset(in: Array(target.utf8).span, &inspection) {
            $0.equalsIgnoringCase("weir.test")
        }
        #expect(offset == nil && inspection.isForServer == isForServer)
        #expect((inspection.fault == nil) == isForServer)
    }
}
