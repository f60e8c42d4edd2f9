import TestSupport
import Testing

/// Where Weir listens on a Unix domain socket, there is a file.
@Suite("the file of a Unix domain socket", .blocking)
struct SocketFileTests {
    /// Where an address can be named.
    enum Place: CaseIterable {
        case listen, admin, provider

        /// A configuration that listens at `address` there.
        func configuration(_ address: String, upstream: String = "http://127.0.0.1:9") -> String {
            let keys =
                switch self {
                case .listen: ("listen: \(address)", "", "")
                case .admin: ("listen: 127.0.0.1:0", "admin: { listen: \(address) }", "")
                case .provider: ("listen: 127.0.0.1:0", "", ", listen: \(address)")
                }
            return """
                \(keys.0)
                \(keys.1)
                workers: 2
                limits: { drain: 20s }
                providers: { p: { profile: generic, upstream: '\(upstream)'\(keys.2) } }
                """
        }
    }

    private func mode(of path: String) throws -> String {
        String(try Subprocess.run("stat", ["-c", "%F %a", path]).output.dropLast())
    }

    private func start(_ text: String, in directory: TemporaryDirectory, umask: String = "022") throws
        -> Subprocess
    {
        let file = try directory.write(text, to: "weir.yaml")
        let process = try Subprocess(
            "sh", ["-c", "umask \(umask) && exec \"$0\" run --config \"$1\"", WeirBinary.path, file])
        try process.waitForOutput(containing: #""message":"listening""#)
        return process
    }

    @Test(
        "a socket file has the configured mode, 0600 by default, whatever the umask is",
        arguments: Place.allCases)
    func modes(place: Place) throws {
        for (setting, umask, expected) in [
            ("", "000", "600"), (", mode: 0660", "077", "660"), (", mode: \"0666\"", "022", "666"),
            (", mode: 0o640", "002", "640"),
        ] {
            let directory = try TemporaryDirectory()
            let path = directory.path("w.sock")
            let process = try start(
                place.configuration(
                    setting.isEmpty ? "unix:\(path)" : "{ address: \"unix:\(path)\"\(setting) }"),
                in: directory, umask: umask)
            #expect(try mode(of: path) == "socket \(expected)")
            process.send(.terminate)
            #expect(try process.waitForExit() == .code(0))
        }
    }

    @Test(
        "a socket file is removed when Weir ends by a signal", arguments: Place.allCases,
        [Subprocess.Signal.terminate.number, Subprocess.Signal.interrupt.number])
    func removed(place: Place, signal: Int32) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("w.sock")
        let process = try start(place.configuration("unix:\(path)"), in: directory)
        #expect(try mode(of: path) == "socket 600")
        process.send(.init(number: signal))
        #expect(try process.waitForExit() == .code(0))
        #expect(try mode(of: path) == "")
    }

    @Test(
        "a socket file is removed when a second SIGINT ends the drain at once",
        arguments: [Place.listen, .admin])
    func removedAtOnce(place: Place) throws {
        let upstream = try ScriptedUpstream()
        let directory = try TemporaryDirectory()
        let path = directory.path("w.sock")
        let process = try start(
            place.configuration("unix:\(path)", upstream: upstream.url), in: directory)
        let mark = #""address":"127.0.0.1:"#
        let port = process.errorOutput.firstRange(of: mark).map { range in
            process.errorOutput[range.upperBound...].prefix { $0.isNumber }
        }
        let client =
            try place == .listen
            ? RawClient(to: .unix(path: path)) : RawClient(port: try #require(port.flatMap { UInt16($0) }))
        try client.request("GET", "/p/a")
        _ = try upstream.expectRequest()
        process.send(.interrupt)
        try process.waitForOutput(containing: #""message":"draining""#)
        // Probes are served there until the end.
        #expect(try RawClient(to: .unix(path: path)).exchange("GET", "/readyz").status == 503)
        process.send(.interrupt)
        #expect(try process.waitForExit() == .signal(2))
        #expect(try mode(of: path) == "")
    }

    @Test("a socket file of another instance at the same path is kept at shutdown", arguments: Place.allCases)
    func taken(place: Place) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("w.sock")
        let first = try start(place.configuration("unix:\(path)"), in: directory)
        #expect(try Subprocess.run("rm", [path]).exit == .code(0))
        let second = try start(place.configuration("unix:\(path)"), in: directory)
        first.send(.terminate)
        #expect(try first.waitForExit() == .code(0))
        _ = try RawClient(to: .unix(path: path))
        second.send(.terminate)
        #expect(try second.waitForExit() == .code(0))
        #expect(try mode(of: path) == "")
    }

    @Test(
        "a socket file is removed if Weir cannot listen on another address",
        arguments: [Place.admin, .provider])
    func failedStart(place: Place) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("w.sock")
        let taken = try directory.write("kept", to: "taken")
        let text = place.configuration("unix:\(taken)").replacing("127.0.0.1:0", with: "unix:\(path)")
        let outcome = try CommandLine.run("run", "--config", try directory.write(text, to: "weir.yaml"))
        #expect(outcome.code == 69)
        #expect(
            outcome.errorOutput
                == "weir: cannot listen on unix:\(taken): a file is at this path, not a socket; remove it or choose another path\n"
        )
        #expect(try mode(of: path) == "" && directory.read("taken") == "kept")
    }

    @Test(
        "an existing file that is not a socket is kept, and Weir exits with 69",
        arguments: Place.allCases)
    func notASocket(place: Place) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("kept", to: "precious")
        let file = try directory.write(place.configuration("unix:\(path)"), to: "weir.yaml")
        let outcome = try CommandLine.run("run", "--config", file)
        #expect(outcome.code == 69)
        #expect(outcome.errorOutput.hasPrefix("weir: cannot listen on unix:\(path): a file is at this path"))
        #expect(try directory.read("precious") == "kept")
    }

    @Test("a socket file keeps its mode under a flag that names another path")
    func flag() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("b.sock")
        let text = Place.listen.configuration("{ address: \"unix:\(directory.path("a.sock"))\", mode: 0660 }")
        let process = try CommandLine.start(
            "run", "--config", try directory.write(text, to: "weir.yaml"), "--listen", "unix:\(path)")
        try process.waitForOutput(containing: #""message":"listening""#)
        #expect(try mode(of: path) == "socket 660")
        process.send(.terminate)
        #expect(try process.waitForExit() == .code(0))
    }

    @Test(
        "a socket file keeps its mode after a reload that asks for another one, which needs a restart",
        arguments: Place.allCases)
    func reload(place: Place) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("w.sock")
        let process = try start(place.configuration("unix:\(path)"), in: directory)
        try directory.write(
            place.configuration("{ address: \"unix:\(path)\", mode: 0666 }"), to: "weir.yaml")
        process.send(.hangUp)
        try process.waitForOutput(containing: "only after a restart")
        #expect(try mode(of: path) == "socket 600")
        _ = try RawClient(to: .unix(path: path))
        process.send(.terminate)
        #expect(try process.waitForExit() == .code(0))
        #expect(try mode(of: path) == "")
    }
}
