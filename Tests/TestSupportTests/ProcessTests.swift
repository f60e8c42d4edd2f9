import TestSupport
import Testing

@Suite(.blocking) struct ProcessTests {
    @Test("a program's output, errors and exit code are told")
    func run() throws {
        let outcome = try Subprocess.run(
            "sh", ["-c", "echo out $GREETING; cat; pwd; echo err >&2; exit 3"],
            environment: ["GREETING": "hi"],
            directory: "/usr", input: Array("input\n".utf8))
        #expect(outcome.output == "out hi\ninput\n/usr\n")
        #expect(outcome.errorOutput == "err\n")
        #expect(outcome.exit == .code(3))
    }

    @Test("a program that does not exist is an error")
    func missing() throws {
        #expect(throws: PeerError.self) { try Subprocess.run("weir-no-such-program") }
    }

    @Test("a running program gets signals, and its output can be waited for")
    func signals() throws {
        let script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done"
        let process = try Subprocess("sh", ["-c", script])
        try process.waitForOutput(containing: "ready")
        #expect(process.isRunning)
        process.send(.terminate)
        #expect(try process.waitForExit() == .code(7))
        #expect(process.output == "ready\nbye\n")
        #expect(!process.isRunning)
    }

    @Test("a program that hangs is reported and killed with its children")
    func hanging() throws {
        let marker = "86399.\(try FreePort.next())"
        #expect(throws: PeerError.self) {
            try Subprocess.run("sh", ["-c", "sleep \(marker) & wait"], within: .milliseconds(50))
        }
        try eventually("its children to be gone") {
            try Subprocess.run("pgrep", ["-f", "sleep \(marker)"]).output.isEmpty
        }
    }

    @Test("what a process holds is counted, and growth is told")
    func resources() throws {
        let process = try Subprocess("sh", ["-c", "echo ready; while :; do sleep 0.1; done"])
        try process.waitForOutput(containing: "ready")
        let check = try LeakCheck(of: process.processID)
        #expect(check.before.threads == 1)
        #expect(check.before.descriptors >= 3)
        #expect(check.before.residentBytes > 100_000)
        try check.expectNoGrowth()
        #expect(try ResourceUse().descriptors > 3)
        #expect(try ResourceUse().threads >= 1)
    }

    @Test("growth of descriptors is told")
    func growth() throws {
        let directory = try TemporaryDirectory()
        let script =
            "echo ready; until [ -e go ]; do sleep 0.01; done; exec 7</dev/null; echo opened; sleep 60"
        let process = try Subprocess("sh", ["-c", script], directory: directory.path)
        try process.waitForOutput(containing: "ready")
        let check = try LeakCheck(of: process.processID)
        try directory.write("", to: "go")
        try process.waitForOutput(containing: "opened")
        #expect(throws: PeerError.self) { try check.expectNoGrowth(within: .milliseconds(50)) }
    }

    @Test("the built weir is found beside the test program")
    func weirBinary() throws {
        #expect(try WeirBinary.path.hasSuffix("/weir"))
    }

    @Test("a temporary directory goes with its owner")
    func temporaryDirectory() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = try #require(try directory?.write("text", to: "file"))
        #expect(try directory?.read("file") == "text")
        directory = nil
        #expect(try Subprocess.run("test", ["-e", path]).exit == .code(1))
    }
}
