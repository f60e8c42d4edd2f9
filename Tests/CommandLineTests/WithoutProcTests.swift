import TestSupport
import Testing

/// A namespace of mounts in which nothing is at `/proc`.
enum MountNamespace {
    static let canBeMade = (try? Subprocess.run("unshare", arguments(["true"])).exit) == .code(0)

    /// The arguments of unshare(1) that run a program there.
    static func arguments(_ program: [String]) -> [String] {
        [
            "--user", "--map-root-user", "--mount", "sh", "-c",
            "mount -t tmpfs none /proc && exec \"$0\" \"$@\"",
        ] + program
    }
}

/// The program in a chroot, where nobody has mounted `/proc`.
@Suite("without /proc", .blocking, .enabled(if: MountNamespace.canBeMade, "needs a mount namespace"))
struct WithoutProcTests {
    @Test("every command receives its arguments without /proc")
    func arguments() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("listen: nowhere\n", to: "weir.yaml")
        func run(_ words: String...) throws -> Subprocess.Outcome {
            try Subprocess.run("unshare", MountNamespace.arguments([WeirBinary.path] + words))
        }
        let check = try run("check", file)
        #expect(check.code == 1 && check.errorOutput.hasPrefix("\(file):1:9: listen: 'nowhere'"))
        #expect(try run("--version").output.hasPrefix("weir "))
        #expect(try run("run", "--config", "/nowhere.yaml").code == 1)
        #expect(try run("no-such-command").code == 64)
        #expect(try run("profile", "list").output.contains("lettr"))
    }

    @Test("weir serves without /proc, and omits metrics that it cannot know")
    func serving() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("w.sock")
        let process = try Subprocess(
            "unshare",
            MountNamespace.arguments([WeirBinary.path, "run", "--listen", "unix:\(path)", "--workers", "1"]))
        try process.waitForOutput(containing: #""message":"listening""#)
        let metrics = try RawClient(to: .unix(path: path)).exchange("GET", "/metrics").text
        #expect(metrics.contains("process_cpu_seconds_total ") && metrics.contains("process_max_fds "))
        #expect(!metrics.contains("process_resident_memory_bytes") && !metrics.contains("process_open_fds"))
        process.send(.terminate)
        #expect(try process.waitForExit() == .code(0))
    }
}
