import Testing

@testable import Core

/// What a path selects, as the texts of the nodes.
private func select(_ path: String, in document: String) throws -> [String] {
    let document = try #require(JSONDocument(Array(document.utf8)), "not JSON: \(document)")
    let path = try JSONPath(parsing: path)
    let result = path.evaluate(in: document)
    #expect(result.isComplete)
    #expect(path.firstNode(in: document) == result.nodes.first)
    #expect(path.nodes(in: document) == result.nodes)
    #expect(!path.isSingular || result.nodes.count <= 1)
    let printed = try JSONPath(parsing: path.description)
    #expect(printed == path && printed.nodes(in: document) == result.nodes, "printed as \(path)")
    return result.nodes.map { document.raw($0).string }
}

/// A path with a document and the texts of the nodes that it selects.
struct PathCase: CustomTestStringConvertible {
    let path: String
    let document: String
    let values: [String]

    init(_ path: String, _ document: String, _ values: [String]) {
        (self.path, self.document, self.values) = (path, document, values)
    }

    var testDescription: String { "\(path) in \(document.prefix(60))" }
}

@Suite("JSONPath")
struct JSONPathTests {
    private static let list = #"["a","b","c","d","e","f","g"]"#
    private static let tree = #"{"o":{"j":1,"k":2},"a":[5,3,[{"j":4},{"k":6}]]}"#

    @Test(
        "a segment selects children in the order of the text",
        arguments: [
            PathCase("$", "7", ["7"]),
            PathCase("$", "{}", ["{}"]),
            PathCase("$", #"{"a":1}"#, [#"{"a":1}"#]),
            PathCase("$.a", #"{"a":1,"b":2}"#, ["1"]),
            PathCase("$['a']", #"{"a":1,"b":2}"#, ["1"]),
            PathCase(#"$["a"]"#, #"{"a":1,"b":2}"#, ["1"]),
            PathCase("$.a", #"{"a":null}"#, ["null"]),
            PathCase("$.a", "{}", []),
            PathCase("$.a", #"["a"]"#, []),
            PathCase("$.a.b", #"{"a":"b"}"#, []),
            PathCase("$[0]", #"{"0":1}"#, []),
            PathCase("$['0']", #"{"0":1}"#, ["1"]),
            PathCase("$['']", #"{"":1}"#, ["1"]),
            PathCase("$.é", #"{"é":1}"#, ["1"]),
            PathCase(#"$['\u00e9']"#, #"{"é":1}"#, ["1"]),
            PathCase("$.é", #"{"\u00e9":1}"#, ["1"]),
            PathCase(#"$['\uD834\uDD1E']"#, #"{"𝄞":1}"#, ["1"]),
            PathCase(#"$['\b\f\n\r\t\/\\\'"']"#, #"{"\b\f\n\r\t/\\'\"":1}"#, ["1"]),
            PathCase(#"$["\b\f\n\r\t\/\\'\""]"#, #"{"\b\f\n\r\t/\\'\"":1}"#, ["1"]),
            PathCase("$._x9", #"{"_x9":1}"#, ["1"]),
            PathCase("$ .a\n[ 'b' , \t0 ]\r[1]", #"{"a":{"b":[1,2]}}"#, ["2"]),
            PathCase("$['a','b','a']", #"{"b":2,"a":1}"#, ["1", "2", "1"]),
            PathCase("$.*", tree, [#"{"j":1,"k":2}"#, #"[5,3,[{"j":4},{"k":6}]]"#]),
            PathCase("$[*]", "[1,[],{}]", ["1", "[]", "{}"]),
            PathCase("$.*", #""text""#, []),
            PathCase("$[*,0]", "[1,2]", ["1", "2", "1"]),
            PathCase("$.a[*].b", #"{"a":[{"b":1},{"c":2},{"b":3}]}"#, ["1", "3"]),
        ])
    func children(test: PathCase) throws {
        #expect(try select(test.path, in: test.document) == test.values)
    }

    @Test("a name selects the last of several members, a wildcard all of them")
    func repeatedNames() throws {
        let document = #"{"a":1,"b":2,"a":3}"#
        #expect(try select("$.a", in: document) == ["3"])
        #expect(try select("$.*", in: document) == ["1", "2", "3"])
        #expect(try select("$[?@ > 0]", in: document) == ["1", "2", "3"])
        #expect(try select("$..*", in: document) == ["1", "2", "3"])
        #expect(try select("$[?length($) == 3]", in: document).count == 3)
        #expect(try select("$[?@ == $[1]]", in: #"[{"a":1,"a":2},{"a":2}]"#).count == 2)
        #expect(try select("$[?@ == $[1]]", in: #"[{"a":2,"a":1},{"a":2}]"#).count == 1)
    }

    @Test(
        "an index counts from the start, or from the end if negative",
        arguments: [
            PathCase("$[0]", list, [#""a""#]), PathCase("$[6]", list, [#""g""#]), PathCase("$[7]", list, []),
            PathCase("$[-1]", list, [#""g""#]), PathCase("$[-7]", list, [#""a""#]),
            PathCase("$[-8]", list, []),
            PathCase("$[9007199254740991]", list, []), PathCase("$[-9007199254740991]", list, []),
            PathCase("$[0]", "[]", []), PathCase("$[-1]", "[]", []), PathCase("$[0]", "1", []),
            PathCase("$[-1]", #"{"a":1}"#, []), PathCase("$[2,0]", list, [#""c""#, #""a""#]),
            PathCase("$[1][0]", "[1,[[2],3]]", ["[2]"]),
        ])
    func indexes(test: PathCase) throws {
        #expect(try select(test.path, in: test.document) == test.values)
    }

    /// The algorithm of RFC 9535 2.3.4.2.2, literally.
    private static func slice(_ count: Int, _ start: Int?, _ end: Int?, _ step: Int) -> [Int] {
        func normalise(_ index: Int) -> Int { index >= 0 ? index : count + index }
        guard step != 0 else { return [] }
        let first = normalise(start ?? (step > 0 ? 0 : count - 1))
        let last = end.map(normalise) ?? (step > 0 ? count : -1)
        var indexes: [Int] = []
        if step > 0 {
            var index = min(max(first, 0), count)
            while index < min(max(last, 0), count) {
                indexes.append(index)
                index += step
            }
        } else {
            var index = min(max(first, -1), count - 1)
            while index > min(max(last, -1), count - 1) {
                indexes.append(index)
                index += step
            }
        }
        return indexes
    }

    @Test("a slice selects what the algorithm of RFC 9535 does", arguments: [0, 1, 2, 5])
    func slices(count: Int) throws {
        let document = "[\((0..<count).map(String.init).joined(separator: ","))]"
        let parsed = try #require(JSONDocument(Array(document.utf8)))
        let bounds = [nil, 0, 1, 2, 4, 5, 6, 100, -1, -2, -4, -5, -6, -100, 9_007_199_254_740_991]
        for start in bounds {
            for end in bounds {
                for step in [
                    nil, 0, 1, 2, 3, 7, -1, -2, -3, -7, 9_007_199_254_740_991, -9_007_199_254_740_991,
                ] {
                    let path =
                        "$[\(start.map(String.init) ?? ""):\(end.map(String.init) ?? "")"
                        + "\(step.map { ":\($0)" } ?? "")]"
                    let nodes = try JSONPath(parsing: path).nodes(in: parsed)
                    let wanted = Self.slice(count, start, end, step ?? 1)
                    #expect(nodes.map { parsed.raw($0).string } == wanted.map(String.init), "\(path)")
                }
            }
        }
        #expect(try select("$[1:2:]", in: document) == select("$[ 1 : 2 : ]", in: document))
        #expect(try select("$[:]", in: #"{"a":1}"#) == [])
        #expect(try select("$[:]", in: #""abc""#) == [])
    }

    @Test(
        "a descendant segment visits a node before what is in it, and elements in their order",
        arguments: [
            PathCase("$..j", tree, ["1", "4"]),
            PathCase("$..[0]", tree, ["5", #"{"j":4}"#]),
            PathCase(
                "$..*", tree,
                [
                    #"{"j":1,"k":2}"#, #"[5,3,[{"j":4},{"k":6}]]"#, "1", "2", "5", "3", #"[{"j":4},{"k":6}]"#,
                    #"{"j":4}"#, #"{"k":6}"#, "4", "6",
                ]),
            PathCase("$..[*]", "[[1],[2]]", ["[1]", "[2]", "1", "2"]),
            PathCase("$.o..[*, *]", tree, ["1", "2", "1", "2"]),
            PathCase("$.a..[0, 1]", tree, ["5", "3", #"{"j":4}"#, #"{"k":6}"#]),
            PathCase("$..['j','k']", tree, ["1", "2", "4", "6"]),
            PathCase("$..a..j", #"{"a":{"j":1,"a":{"j":2}}}"#, ["1", "2", "2"]),
            PathCase("$..x", "3", []),
            PathCase("$..*", "{}", []),
            PathCase("$..a", #"{"a":"a","b":{"a":["a"]}}"#, [#""a""#, #"["a"]"#]),
        ])
    func descendants(test: PathCase) throws {
        #expect(try select(test.path, in: test.document) == test.values)
    }

    private static let wideList = #"[3,5,1,2,4,6,{"b":"j"},{"b":"k"},{"b":{}},{"b":"kilo"}]"#
    private static let wide = #"{"a":\#(wideList),"o":{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}},"e":"f"}"#

    @Test(
        "a filter tests each child; @ is the child and $ the root",
        arguments: [
            PathCase("$.a[?@.b == 'kilo']", wide, [#"{"b":"kilo"}"#]),
            PathCase("$.a[?(@.b == 'kilo')]", wide, [#"{"b":"kilo"}"#]),
            PathCase("$.a[?@>3.5]", wide, ["5", "4", "6"]),
            PathCase("$.a[?@.b]", wide, [#"{"b":"j"}"#, #"{"b":"k"}"#, #"{"b":{}}"#, #"{"b":"kilo"}"#]),
            PathCase(
                "$[?@.*]", wide,
                [wideList, #"{"p":1,"q":2,"r":3,"s":5,"t":{"u":6}}"#]),
            PathCase("$[?@[?@.b]]", wide, [wideList]),
            PathCase("$.o[?@<3, ?@<3]", wide, ["1", "2", "1", "2"]),
            PathCase("$.a[?@<2 || @.b == \"k\"]", wide, ["1", #"{"b":"k"}"#]),
            PathCase("$.o[?@>1 && @<4]", wide, ["2", "3"]),
            PathCase("$.o[?@.u || @.x]", wide, [#"{"u":6}"#]),
            PathCase("$.a[?@.b == $.x]", wide, ["3", "5", "1", "2", "4", "6"]),
            PathCase("$[?@ == $.e]", wide, [#""f""#]),
            PathCase("$[?@]", "[null,false,0]", ["null", "false", "0"]),
            PathCase("$[?!@]", "[null,false,0]", []),
            PathCase("$[?!@.a]", #"[{"a":null},{"b":1}]"#, [#"{"b":1}"#]),
            PathCase("$[? ! ( @ == 1 || @ == 2 ) ]", "[1,2,3]", ["3"]),
            PathCase("$[?!(@ > 1)&&!(@ < 1)]", "[0,1,2]", ["1"]),
            // && binds more tightly than ||.
            PathCase("$[?@ == 1 || @ == 2 && @ == 3]", "[1,2,3]", ["1"]),
            PathCase("$[?(@ == 1 || @ == 2) && @ == 2]", "[1,2,3]", ["2"]),
            PathCase("$[?@[?$.q]]", #"{"q":1,"x":{"y":2}}"#, [#"{"y":2}"#]),
            PathCase("$[?$[?@ == 2]]", "[1,2]", ["1", "2"]),
            PathCase("$..[?@.k]", tree, [#"{"j":1,"k":2}"#, #"{"k":6}"#]),
            PathCase("$[?@..j]", tree, [#"{"j":1,"k":2}"#, #"[5,3,[{"j":4},{"k":6}]]"#]),
            PathCase("$[?@.a]", #""text""#, []),
            PathCase("$[?@[0] == 1 , 0]", "[[1],[2]]", ["[1]", "[1]"]),
            PathCase(
                "$.error.details[?@['@type']=='type.googleapis.com/google.rpc.RetryInfo'].retryDelay",
                #"{"error":{"details":[{"@type":"x"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}}"#,
                [#""7s""#]),
        ])
    func filters(test: PathCase) throws {
        #expect(try select(test.path, in: test.document) == test.values)
    }

    @Test(
        "values are compared by kind: nothing equals nothing, numbers and strings have an order",
        arguments: [
            ("@.x == @.y", true), ("@.x <= @.y", true), ("@.x >= @.y", true), ("@.x != @.y", false),
            ("@.x < @.y", false), ("@.x == @.n", false), ("@.x != @.n", true), ("@.x < @.n", false),
            ("@.x <= @.n", false), ("null == null", true), ("null <= null", true), ("null < null", false),
            ("@.n == null", true), ("@.t == true", true), ("@.t != false", true), ("@.t < false", false),
            ("true <= true", true), ("1 == '1'", false), ("1 < '2'", false), ("'1' != 1", true),
            ("1 == true", false), ("0 == false", false), ("0 == null", false), ("'' == null", false),
            ("1 < 2", true), ("2 < 1", false), ("2 > 1", true), ("1 >= 1", true), ("1 <= 1", true),
            ("'a' < 'b'", true), ("'a' < 'aa'", true), ("'' < 'a'", true), ("'b' > 'a'", true),
            ("'B' < 'a'", true),
            ("'a' <= 'a'", true), ("'a' < 'a'", false), ("'z' < 'é'", true), ("'\u{FFFF}' < '𝄞'", true),
            (#"'\u00e9' == 'é'"#, true), ("@.s == 'a\"b'", true), ("@.s < 'a#'", true), ("@.o == @.o", true),
            ("@.o < @.o", false),
            ("@.o <= @.o", true), ("@.o == @.o2", true), ("@.o == @.o3", false), ("@.o == @.o4", false),
            ("@.o == @.o5", false), ("@.l == @.l2", true), ("@.l == @.l3", false), ("@.l == @.l4", false),
            ("@.l == @.o", false),
            ("@.l != @.o", true), ("@.l < @.l2", false), ("@.l == 1", false), ("@.e == @.f", false),
            ("@.e == @.g", true),
        ])
    func comparisons(filter: String, holds: Bool) throws {
        let document = #"""
            [{"n":null,"t":true,"s":"a\"b","o":{"a":1,"b":[true,"x"]},"o2":{ "b":[true,"\u0078"], "a":1.0 },
              "o3":{"a":1,"b":[true,"y"]},"o4":{"a":1},"o5":{"a":1,"c":[true,"x"]},
              "l":[1,[2,"é"],{}],"l2":[1e0,[20e-1,"\u00e9"],{}],"l3":[1,[2,"e"],{}],"l4":[1,[2,"é"]],"e":{},"f":[],"g":{ }}]
            """#
        #expect(try select("$[?\(filter)]", in: document).isEmpty != holds)
        #expect(try select("$[?!(\(filter))]", in: document).isEmpty == holds)
    }

    @Test("numbers are compared by their exact values, however they are spelled")
    func numbers() throws {
        // Each line holds equal numbers; each is less than those of the lines below.
        let lines = [
            ["-1e400"], ["-12345678901234567891"], ["-12345678901234567890", "-1234567890123456789e1"],
            ["-100", "-1e2", "-100.00", "-0.1E+3"], ["-1.5"], ["-1"], ["-1e-9"],
            ["0", "-0", "0.0", "-0.0", "0e7", "0e999999999999999999999", "0.00e-5"],
            ["1e-99999999999999999999999", "1e-88888888888888888888888"], ["1e-400"],
            ["0.001", "1e-3", "0.1e-2"], ["0.1", "1e-1", "0.10"], ["0.12"], ["1", "1.0", "10e-1", "0.001e3"],
            ["1.0000000000000000001"], ["9.99"], ["10", "1e1", "1E1", "1e+1", "10.0"], ["99"],
            ["100", "1e2", "100.00"], ["9007199254740992"],
            ["9007199254740993", "9007199254740993.0", "9007199254740.993e3"], ["1e400", "10e399"],
        ]
        let all = lines.enumerated().flatMap { index, line in line.map { (index, $0) } }
        let document = try #require(JSONDocument(Array("[\(all.map(\.1).joined(separator: ","))]".utf8)))
        for (left, (leftLine, leftText)) in all.enumerated() {
            for (operation, holds) in [
                ("==", { $0 == $1 }), ("!=", { $0 != $1 }), ("<", { $0 < $1 }), (">", { $0 > $1 }),
                ("<=", { $0 <= $1 }),
                (">=", { $0 >= $1 }),
            ] as [(String, (Int, Int) -> Bool)] {
                let wanted = all.indices.filter { holds(leftLine, all[$0].0) }.map { $0 + 1 }
                let literal = try JSONPath(parsing: "$[?\(leftText) \(operation) @]")
                #expect(literal.nodes(in: document) == wanted, "\(literal)")
                let node = try JSONPath(parsing: "$[?$[\(left)] \(operation) @]")
                #expect(node.nodes(in: document) == wanted, "\(node)")
            }
        }
    }

    @Test(
        "length counts characters, elements and members, and is nothing for other values",
        arguments: [
            ("length('') == 0", true), ("length('é𝄞') == 2", true), ("length(@.s) == 3", true),
            ("length(@.l) == 2", true),
            ("length(@.o) == 1", true), ("length(@.e) == 0", true), ("length(@.n) == @.x", true),
            ("length(@.x) == @.x", true),
            ("length(1) == @.x", true), ("length(true) == @.x", true), ("length(@.t) == @.x", true),
            ("length(value(@.l[*])) == @.x", true), ("length(value(@..a)) == 3", true),
            ("count(@.*) == 6", true), ("count(@..*) == 9", true), ("count(@.l[0, 0]) == 2", true),
            ("count(@.x) == 0", true),
            ("count(@) == 1", true), ("count($) == 1", true), ("count($[*]) > count(@.x)", true),
            ("value(@.l[0]) == 1", true), ("value(@..a) == 'abc'", true), ("value(@.l[*]) == @.x", true),
            ("value(@.x) == @.x", true), ("value(@.x) == 1", false), ("value($) == $", true),
            ("count( @.* ) == length ('abc')", false),
        ])
    func countingFunctions(filter: String, holds: Bool) throws {
        let document = #"[{"s":"\u00e9b𝄞","l":[1,2],"o":{"a":"abc"},"e":[],"n":null,"t":true}]"#
        guard !filter.contains("length (") else {
            #expect(throws: JSONPathError.self) { try JSONPath(parsing: "$[?\(filter)]") }
            return
        }
        #expect(try select("$[?\(filter)]", in: document).isEmpty != holds)
    }

    @Test("a path is singular if it has only names and indexes")
    func singular() throws {
        for path in ["$", "$.a", "$['a'][0]", "$[-1].b"] { #expect(try JSONPath(parsing: path).isSingular) }
        for path in ["$.*", "$..a", "$[0,1]", "$['a','a']", "$[0:1]", "$[?@]", "$.a[*].b"] {
            #expect(try !JSONPath(parsing: path).isSingular)
        }
    }

    @Test("paths are equal if they select in the same way, however they are spelled")
    func equality() throws {
        func path(_ text: String) throws -> JSONPath { try JSONPath(parsing: text) }
        #expect(try path("$.a[?@.b==1]") == path(#"$["a"][? @['b'] == 1 ]"#))
        #expect(try path("$.a[?@.b==1]").hashValue == path("$ .a [?@ .b == 1]").hashValue)
        #expect(try path("$[?match(@, 'a')]") != path("$[?match(@, 'b')]"))
        #expect(try path("$[?match(@, 'a')]") != path("$[?search(@, 'a')]"))
        #expect(try path("$.a") != path("$..a"))
        #expect(try path("$[?@.a]") != path("$[?$.a]"))
        #expect(try path(#"$['it\'s \\ \n']"#).description == #"$['it\'s \\ \u000a']"#)
        #expect(
            try path("$[?(@.a || @.b) && !(@.c == 1)]").description
                == "$[?(@['a'] || @['b']) && (!(@['c'] == 1))]")
    }

    @Test("values whose end is missing equal nothing and have no end to count from")
    func cutDocuments() throws {
        let text = #"{"m":"abc","l":[1,2,{"x":"yes","z":"incompl"#
        let document = try #require(JSONDocument(Array(text.utf8), isCut: true))
        func nodes(_ path: String) throws -> Int { try JSONPath(parsing: path).nodes(in: document).count }
        #expect(try nodes("$.l[*]") == 3)
        #expect(
            try nodes("$.l[0]") == 1 && nodes("$.l[-1]") == 0 && nodes("$.l[-2:]") == 0
                && nodes("$.l[::-1]") == 0)
        #expect(try nodes("$.l[?@.x == 'yes'].x") == 1)
        #expect(try nodes("$.l[?@.z]") == 1)
        for filter in [
            "@.z == 'incompl'", "@.z == @.z", "@ == @", "@.z < 'z'", "length(@) > 0", "length(@.z) > 0",
            "search(@.z, 'i')",
        ] {
            #expect(try nodes("$.l[?@.x && \(filter)]") == 0, "\(filter)")
        }
    }
}
