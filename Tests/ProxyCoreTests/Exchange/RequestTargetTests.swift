import HTTPWire
import Testing

@testable import ProxyCore

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
}
