import TestSupport
import Testing

/// Scripts/run-tests, with a `swift` that runs nothing and answers each call with the next of the given results.
@Suite("the script that runs the tests", .blocking)
struct RunTestsScriptTests {
    private static let mine = "TestSupportTests.RunTestsScriptTests/unlisted"
    private static let other = "TestSupportTests.ProcessTests/run"

    private struct Run {
        var exit: ProcessExit
        var errors: String
        /// The arguments of each `swift test`.
        var calls: [String]
    }

    /// - Parameter runs: for each call of `swift test` the tests that fail, or `nil` for a crash.
    private func run(_ runs: [[String]?], unsteady list: String = "") throws -> Run {
        let directory = try TemporaryDirectory()
        for (index, failures) in runs.enumerated() {
            var cases = #"<testcase classname="TestSupportTests.HandlerTests" name="passes()"/>"#
            for failure in failures ?? [] {
                let parts = failure.split(separator: "/")
                cases += #"<testcase classname="\#(parts[0])" name="\#(parts[1])(_:)"><failure/></testcase>"#
            }
            let results = failures == nil ? "" : "<testsuites><testsuite>\(cases)</testsuite></testsuites>"
            try directory.write(results, to: "\(index + 1).xml")
            try directory.write(failures == [] ? "0" : "1", to: "\(index + 1).code")
        }
        try directory.write(
            """
            #!/bin/sh
            echo "$*" >>'\(directory.path)/calls'
            while [ "$1" != --xunit-output ]; do shift; done
            number=$(wc -l <'\(directory.path)/calls')
            cat "\(directory.path)/$number.xml" >"$2"
            exit $(cat "\(directory.path)/$number.code")
            """, to: "swift", mode: 0o755)
        try directory.write("", to: "calls")
        try directory.write(list, to: "unsteady.txt")
        let script =
            #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/Scripts/run-tests"
        let outcome = try Subprocess.run(
            "sh", ["-c", #"PATH="$1:$PATH" exec "$2" -- --parallel"#, "sh", directory.path, script],
            environment: ["WEIR_UNSTEADY_TESTS": directory.path("unsteady.txt")])
        let calls = try directory.read("calls").split(separator: "\n").map(String.init)
        return Run(exit: outcome.exit, errors: outcome.errorOutput, calls: calls)
    }

    /// The date so many days ago.
    private func date(daysAgo days: Int) throws -> String {
        let output = try Subprocess.run("date", ["-d", "\(-days) days", "+%F"]).output
        return String(output.dropLast())
    }

    @Test("a run without failures passes and runs once")
    func passing() throws {
        let run = try run([[]])
        #expect(run.exit == .code(0), "\(run.errors)")
        #expect(run.calls.count == 1)
    }

    @Test("a test that fails once fails the run, and is named")
    func unlisted() throws {
        let run = try run([[Self.mine], []])
        #expect(run.exit == .code(1))
        #expect(run.calls.count == 1)
        #expect(run.errors.contains("failed: \(Self.mine)"))
    }

    @Test("a listed test that fails once runs again alone, and the run passes")
    func listed() throws {
        let run = try run(
            [[Self.mine], []], unsteady: "# known\n\n\(Self.mine) \(date(daysAgo: 29)) the cause, in words\n")
        #expect(run.exit == .code(0), "\(run.errors)")
        #expect(run.calls.count == 2)
        let filter = #"--filter=^TestSupportTests\.RunTestsScriptTests[./]unlisted\("#
        #expect(run.calls.last?.contains("--no-parallel") == true)
        #expect(run.calls.last?.hasSuffix(filter) == true)
        #expect(run.errors.contains("the cause, in words"))
    }

    @Test("a listed test that fails twice fails the run")
    func listedTwice() throws {
        let run = try run([[Self.mine], [Self.mine]], unsteady: "\(Self.mine) \(date(daysAgo: 0)) cause")
        #expect(run.exit == .code(1))
        #expect(run.calls.count == 2)
    }

    @Test("a listed test excuses no other")
    func listedAndNot() throws {
        let run = try run([[Self.mine, Self.other], []], unsteady: "\(Self.mine) \(date(daysAgo: 0)) cause")
        #expect(run.exit == .code(1))
        #expect(run.calls.count == 1)
        #expect(run.errors.contains(Self.other))
    }

    @Test("a run that crashed fails, whatever is listed")
    func crash() throws {
        let run = try run([nil, []], unsteady: "\(Self.mine) \(date(daysAgo: 0)) cause")
        #expect(run.exit == .code(1))
        #expect(run.calls.count == 1)
    }

    @Test(
        "a malformed or stale entry is an error at its line, and nothing runs",
        arguments: [
            ("unlisted DATE cause", "TARGET.SUITE/FUNCTION"),
            ("\(mine) yesterday cause", "not a date"),
            ("\(mine) 2026-02-31 cause", "not a date"),
            ("\(mine) cause", "not a date"),
            ("\(mine) DATE", "the cause is missing"),
            ("\(mine) FUTURE cause", "in the future"),
            ("\(mine) OLD cause", "older than 30 days"),
            ("TestSupportTests.RunTestsScriptTests/gone DATE cause", "there is no test"),
            ("TestSupportTests.GoneTests/run DATE cause", "there is no test"),
            ("GoneTests.RunTestsScriptTests/unlisted DATE cause", "there is no test"),
            ("\(other) DATE cause\n\(other) DATE cause", "listed twice"),
        ])
    func mistakes(list: String, message: String) throws {
        var text = "# a comment\n"
        for line in list.split(separator: "\n") {
            let words = try line.split(separator: " ").map { word in
                switch word {
                case "DATE": try date(daysAgo: 0)
                case "FUTURE": try date(daysAgo: -2)
                case "OLD": try date(daysAgo: 32)
                default: String(word)
                }
            }
            text += words.joined(separator: " ") + "\n"
        }
        let run = try run([[]], unsteady: text)
        #expect(run.exit == .code(65))
        #expect(run.calls.isEmpty)
        let line = list.contains("\n") ? 3 : 2
        #expect(run.errors.contains("unsteady.txt:\(line): error: "), "\(run.errors)")
        #expect(run.errors.contains(message), "\(run.errors)")
    }
}
