import Core
import Testing

struct RouteTableTests {
    private func table(_ mounts: [String]) throws -> RouteTable {
        RouteTable(try mounts.enumerated().map { (try MountPath(parsing: $1), $0) })
    }

    /// The mount's index and the rest that goes on, as text.
    private func route(_ path: String, _ table: RouteTable) -> String? {
        let bytes = Array(path.utf8)
        guard let route = table.route(bytes.span) else { return nil }
        return "\(route.provider) \(String(decoding: bytes[route.restOffset...], as: UTF8.self))"
    }

    @Test("a mount matches itself and paths below it, only at a segment's end")
    func segments() throws {
        let table = try table(["/lemlist"])
        #expect(route("/lemlist", table) == "0 ")
        #expect(route("/lemlist/", table) == "0 /")
        #expect(route("/lemlist/x", table) == "0 /x")
        #expect(route("/lemlist?x=1", table) == "0 ?x=1")
        #expect(route("/lemlist//a/../b?c/d", table) == "0 //a/../b?c/d")
        for path in [
            "", "/", "*", "lemlist", "/lemlis", "/lemlistx", "/lemlistx/y", "/Lemlist", "/%6Cemlist",
            "/lemlist%2Fx",
            "//lemlist", "/x/lemlist", "/?/lemlist", "?/lemlist", "/lemlist#x", "/lemlist;x",
        ] {
            #expect(route(path, table) == nil, "\(path)")
        }
    }

    @Test("the longest mount wins")
    func longest() throws {
        let table = try table(["/a", "/a/b", "/a/bc/d", "/a-b"])
        #expect(route("/a/b/c", table) == "1 /c")
        #expect(route("/a/bc", table) == "0 /bc")
        #expect(route("/a/bc/d?e", table) == "2 ?e")
        #expect(route("/a/bc/de", table) == "0 /bc/de")
        #expect(route("/a-b/c", table) == "3 /c")
        #expect(route("/a-/c", table) == nil)
        #expect(route("/a?/b", table) == "0 ?/b")
    }

    @Test("the mount / matches everything that no other mount matches, and keeps the whole path")
    func root() throws {
        let table = try table(["/", "/a"])
        #expect(route("/", table) == "0 /")
        #expect(route("/x?y", table) == "0 /x?y")
        #expect(route("/?y", table) == "0 /?y")
        #expect(route("/a/x", table) == "1 /x")
        #expect(route("/ab", table) == "0 /ab")
        #expect(route("?y", table) == nil)
        #expect(route("*", table) == nil)
    }

    @Test("a path without a mount has no route")
    func empty() throws { #expect(route("/x", try table([])) == nil) }

    @Test("a table agrees with a search through all mounts, whatever the path")
    func agreesWithSearch() throws {
        let segments = ["a", "b", "ab", "-", "a.b"]
        var mounts: [String] = []
        for one in segments {
            mounts.append("/\(one)")
            for two in segments where two != one { mounts.append("/\(one)/\(two)") }
        }
        mounts.removeAll { $0.utf8.count % 5 == 0 }
        let table = try table(mounts)
        let pieces = ["/", "a", "b", "ab", "-", ".", "?", ""]
        var generator = SeededGenerator(state: 42)
        for _ in 0..<2000 {
            let path = (0..<6).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let expected = mounts.enumerated()
                .filter { _, mount in
                    path == mount || path.hasPrefix(mount + "/") || path.hasPrefix(mount + "?")
                }
                .max { $0.element.utf8.count < $1.element.utf8.count }
            let text = expected.map { "\($0.offset) \(path.dropFirst($0.element.count))" }
            #expect(route(path, table) == text, "\(path)")
        }
    }
}

/// Xorshift: the same numbers in each run.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
