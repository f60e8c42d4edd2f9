import TestSupport
import Testing

@Suite("weir profile at", .blocking)
struct ProfileAtTests {
    private static let body =
        #"{"error":{"code":7,"details":[{"@type":"a","x":[ ]},{"@type":"b", "delay":"3 \" s"}]},"":"e"}"#

    @Test(
        "the values at a place are printed as a JSON array",
        arguments: [
            ("/error/code", "[\n  7\n]\n"), ("/", "[\n  \"e\"\n]\n"), ("/error/none", "[]\n"),
            ("/error/details/0/x", "[\n  []\n]\n"),
            ("$.error.code", "[\n  7\n]\n"), ("$.error.details[*]['@type']", "[\n  \"a\",\n  \"b\"\n]\n"),
            ("$.none", "[]\n"),
            ("$.error.details[?@['@type'] == 'b'].delay", "[\n  \"3 \\\" s\"\n]\n"), ("$..x", "[\n  []\n]\n"),
        ])
    func values(place: String, output: String) throws {
        let outcome = try CommandLine.run("profile", "at", place, input: Self.body)
        #expect(outcome.code == 0 && outcome.errorOutput.isEmpty)
        #expect(outcome.output == output)
    }

    @Test("the empty place and $ are the whole body, of a file or of standard input")
    func whole() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("\u{FEFF}{ \"a\" : [1 , 2] }\n", to: "body.json")
        for place in ["", "$"] {
            let outcome = try CommandLine.run("profile", "at", place, file)
            #expect(outcome.code == 0)
            #expect(outcome.output == "[\n  {\n    \"a\": [\n      1,\n      2\n    ]\n  }\n]\n")
            #expect(
                try CommandLine.run("profile", "at", place, "-", input: "{\"a\":[1,2]}").output
                    == outcome.output)
        }
    }

    @Test(
        "an invalid place is exit 1, with line, column and what is allowed",
        arguments: [
            ("error", "place:1:1: a place begins with / (a JSON Pointer such as /error/code) or with $"),
            ("/a~2b", "place:1:3: ~ in a JSON Pointer is followed by 0"),
            ("/~0~", "place:1:4: ~ in a JSON Pointer"),
            ("$.errors[", "place:1:10: unexpected end of the path; allowed: a name in quotes"),
            ("$\n.é[?@.a = 1]", "place:2:9: = is no operator; equality is =="),
            ("$[?length(@.*) > 1]", "place:1:11: the query may select several nodes"),
        ])
    func invalidPlace(place: String, message: String) throws {
        let outcome = try CommandLine.run("profile", "at", place, "/nonexistent")
        #expect(outcome.code == 1 && outcome.output.isEmpty && outcome.errorLines.count == 1)
        #expect(outcome.errorOutput.hasPrefix(message), "\(outcome.errorOutput)")
    }

    @Test("a body that is no JSON is exit 1, with file, line and column; so is a file that cannot be read")
    func invalidBody() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("{\n  \"é\": [1, tru]\n}", to: "body.json")
        let outcome = try CommandLine.run("profile", "at", "$", file)
        #expect(outcome.code == 1 && outcome.output.isEmpty)
        #expect(outcome.errorOutput == "\(file):2:12: not JSON: unexpected 't'; allowed: a value\n")
        let empty = try CommandLine.run("profile", "at", "/a")
        #expect(empty.code == 1 && empty.errorOutput == "-:1:1: not JSON: unexpected end of the text\n")
        let missing = try CommandLine.run("profile", "at", "/a", "/nonexistent.json")
        #expect(
            missing.code == 1
                && missing.errorOutput.contains("/nonexistent.json cannot be read: No such file"))
    }

    @Test("a path that exceeds a limit is exit 1 and says so")
    func limit() throws {
        let body = "[" + Array(repeating: "0", count: 2000).joined(separator: ",") + "]"
        let stars = Array(repeating: "*", count: 51).joined(separator: ",")
        let outcome = try CommandLine.run("profile", "at", "$[\(stars)]", input: body)
        #expect(outcome.code == 1 && outcome.output.isEmpty)
        #expect(outcome.errorOutput.contains("selects more than 100000 values"))
    }
}
