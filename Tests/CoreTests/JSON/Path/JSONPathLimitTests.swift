import Testing

@testable import Core

@Suite("limits of a JSONPath's evaluation")
struct JSONPathLimitTests {
    /// Documents of at most 1 MiB that make a path expensive.
    enum Hostile: String, CaseIterable {
        case manyObjects, deepLists, manyMembers, longStrings, escapedStrings, longNumbers, reversedMembers,
            patterns

        var text: String {
            switch self {
            case .manyObjects: return list(14_000) { #"{"x":\#($0),"y":[1,2]}"# }
            case .deepLists:
                let deep = String(repeating: "[", count: 60) + "1" + String(repeating: "]", count: 60)
                return list(1500) { _ in deep }
            case .manyMembers: return members((0..<48_000).map { ("k\($0)", "\($0)") })
            case .longStrings:
                let text = String(repeating: "a", count: 300_000)
                return members([
                    ("a", "\"\(text)b\""), ("b", "\"\(text)c\""), ("x", list(80_000) { _ in "0" }),
                ])
            case .escapedStrings:
                let text = String(repeating: "\\u00e9", count: 50_000)
                return members([
                    ("a", "\"\(text)b\""), ("b", "\"\(text)c\""), ("x", list(80_000) { _ in "0" }),
                ])
            case .longNumbers:
                let number = String(repeating: "9", count: 300_000)
                return members([("a", number + "1"), ("b", number + "2"), ("x", list(80_000) { _ in "0" })])
            case .reversedMembers:
                let names = (0..<15_000).map { ("k\($0)", "\($0)") }
                return members([
                    ("a", members(names)), ("b", members(names.reversed())), ("x", list(9000) { _ in "0" }),
                ])
            case .patterns:
                return list(15_000) { #"{"a":"aaaaaaaaaaaaaaaaaaaa!","b":"(a{0,30}){0,30}b\#($0)"}"# }
            }
        }

        private func list(_ count: Int, _ element: (Int) -> String) -> String {
            "[\((0..<count).map(element).joined(separator: ","))]"
        }

        private func members(_ members: [(String, String)]) -> String {
            "{\(members.map { "\"\($0)\":\($1)" }.joined(separator: ","))}"
        }
    }

    /// Fewer steps than an evaluation has, so that the tests are fast.
    private static let limit = 20_000

    private static let paths = [
        "$..[?@..x]", "$..[?@..[?@..x]]", "$..*..*..*", "$..[*,*,*,*,*,*,*,*,*]", "$..[?$..x]",
        "$..[?count($..*) > 1]",
        "$..[?@ == $]", "$..[?$ == $]", "$..[?$.a == $.b]", "$..[?$.a < $.b]",
        "$..[?length($) > 1 && length($.a) > 1]",
        "$..[?match($.a, '.*[bd].*e')]", "$..[?search($.a, $.b)]", "$..[?match(@.a, @.b)]",
        "$..[?search(@.a, @.b)]",
        "$..[?$[-1:0:-1]]", "$..[?$.zzz]", "$..[?value($..zzz) == 1]", "$..[?$.x == @]",
        "$..[?@.x[::-1] || @.y == 2]",
    ]

    @Test(
        "an evaluation stops at its limits and yields nothing, whatever the document",
        arguments: Hostile.allCases)
    func bounded(hostile: Hostile) throws {
        let bytes = Array(hostile.text.utf8)
        #expect(bytes.count <= 1 << 20)
        let parsed = JSONDocument(bytes)
        let document = try #require(parsed, "the document exceeds a limit of JSONDocument")
        var stopped = 0
        for text in Self.paths {
            let path = try JSONPath(parsing: text)
            let result = path.evaluate(in: document, within: Self.limit)
            #expect(result.steps <= Self.limit)
            #expect(result.nodes.count <= JSONPath.resultLimit)
            #expect(result.isComplete || result.nodes.isEmpty)
            if !result.isComplete {
                stopped += 1
                #expect(result.steps == Self.limit, "\(path) stopped after \(result.steps) steps")
            }
        }
        #expect(stopped > Self.paths.count / 2)
    }

    @Test("the limit of steps is the documented one")
    func documented() throws {
        let parsed = JSONDocument(Array(Hostile.deepLists.text.utf8))
        let document = try #require(parsed)
        let path = try JSONPath(parsing: "$..[?@..x]")
        #expect(path.evaluate(in: document) == .init(nodes: [], steps: 1_000_000, isComplete: false))
        #expect(path.firstNode(in: document) == nil)
    }

    @Test("a filter that is stopped selects nothing, also if it is negated")
    func negated() throws {
        let parsed = JSONDocument(Array(Hostile.deepLists.text.utf8))
        let document = try #require(parsed)
        for filter in ["@..[?@..[?@..x]]", "count(@..[?@..[?@..x]]) == 0", "value(@..[?@..[?@..x]]) == @.x"] {
            for path in [
                "$..[?\(filter)]", "$..[?!(\(filter))]", "$[?!(\(filter)) || @]", "$[?@ && !(\(filter))]",
            ] {
                let result = try JSONPath(parsing: path).evaluate(in: document, within: Self.limit)
                #expect(!result.isComplete && result.nodes.isEmpty, "\(path)")
            }
        }
    }

    @Test("a path with one descendant segment and a plain filter completes on the largest document")
    func plain() throws {
        let text = "[" + Array(repeating: #"{"x":1}"#, count: 33_000).joined(separator: ",") + "]"
        let parsed = JSONDocument(Array(text.utf8))
        let document = try #require(parsed)
        for (path, count) in [
            ("$..x", 33_000), ("$..[?@.x == 1].x", 33_000), ("$..[?@ == 1]", 33_000), ("$..*", 66_000),
            ("$[?@.x].x", 33_000),
        ] {
            let result = try JSONPath(parsing: path).evaluate(in: document)
            #expect(result.isComplete && result.nodes.count == count, "\(path) took \(result.steps) steps")
        }
    }

    @Test("a result has at most so many nodes, repeated ones included")
    func results() throws {
        let document = try #require(
            JSONDocument(Array("[\(Array(repeating: "0", count: 1000).joined(separator: ","))]".utf8)))
        let stars = { (count: Int) in "$[\(Array(repeating: "*", count: count).joined(separator: ","))]" }
        #expect(try JSONPath(parsing: stars(100)).nodes(in: document).count == JSONPath.resultLimit)
        let more = try JSONPath(parsing: stars(101))
        let result = more.evaluate(in: document)
        #expect(!result.isComplete && result.nodes.isEmpty && result.steps < JSONPath.stepLimit)
        #expect(more.firstNode(in: document) == 1)
        #expect(
            try JSONPath(parsing: "$[?count(\(stars(101).replacing("$", with: "$"))) == 101000]").evaluate(
                in: document
            ).isComplete == false)
    }

    @Test("an evaluation that needs few nodes takes few steps")
    func few() throws {
        let document = try #require(JSONDocument(Array(#"{"a":{"b":[1,2,3]},"c":4}"#.utf8)))
        #expect(try JSONPath(parsing: "$.a.b[1]").evaluate(in: document).steps < 10)
        #expect(try JSONPath(parsing: "$.missing[?@.x]").evaluate(in: document).steps < 5)
    }

    @Test("the deepest document is visited to its end")
    func deepest() throws {
        let depth = JSONDocument.depthLimit
        let text = String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
        let parsed = JSONDocument(Array(text.utf8))
        let document = try #require(parsed)
        let names = String(repeating: ".a", count: depth)
        #expect(try JSONPath(parsing: "$\(names)").nodes(in: document).count == 1)
        #expect(try JSONPath(parsing: "$\(names).a").nodes(in: document).isEmpty)
        #expect(try JSONPath(parsing: "$..a").nodes(in: document).count == depth)
        #expect(try JSONPath(parsing: "$[?@\(names.dropFirst(2)) == 1]").nodes(in: document).count == 1)
    }
}
