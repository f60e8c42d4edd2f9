import Downstream
import Glibc
import TestSupport
import Testing

@Suite("listening sockets")
struct ListenSocketTests {
    @Test("port 0 is a port that the system chose, in both families", arguments: ["127.0.0.1", "::1"])
    func anyPort(host: String) throws {
        let socket = try ListenSocket(host: host, port: 0, isShared: false)
        defer { socket.closeUnused() }
        #expect(socket.port != 0)
        _ = try RawClient(host: host, port: socket.port)
    }

    @Test("a port can be shared by those who say so, and by nobody else")
    func sharing() throws {
        let first = try ListenSocket(host: "127.0.0.1", port: 0, isShared: true)
        let second = try ListenSocket(host: "127.0.0.1", port: first.port, isShared: true)
        #expect(second.port == first.port)
        #expect(throws: ListenError.self) {
            try ListenSocket(host: "127.0.0.1", port: first.port, isShared: false)
        }
        first.closeUnused()
        second.closeUnused()
        try ListenSocket(host: "127.0.0.1", port: first.port, isShared: false).closeUnused()
    }

    @Test("an address in use, or none, is said in one line")
    func errors() throws {
        let socket = try ListenSocket(host: "::1", port: 0, isShared: false)
        defer { socket.closeUnused() }
        do {
            try ListenSocket(host: "::1", port: socket.port, isShared: false).closeUnused()
            Issue.record("the port was given twice")
        } catch {
            #expect(error.description == "cannot listen on [::1]:\(socket.port): Address already in use")
        }
        #expect(throws: ListenError.self) { try ListenSocket(host: "nowhere", port: 0, isShared: false) }
    }

    @Test("a path in use is refused, one that a dead program left behind is taken")
    func paths() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("a.sock")
        let first = try ListenSocket(path: path)
        _ = try RawClient(to: .unix(path: path))
        #expect(throws: ListenError.self) { try ListenSocket(path: path) }
        first.closeUnused()
        try ListenSocket(path: path).closeUnused()
        #expect(throws: ListenError.self) {
            try ListenSocket(path: "/" + String(repeating: "x", count: 200))
        }
    }

    /// What may be at a path and is no socket.
    enum Obstacle: CaseIterable {
        case file, directory, pipe, device, linkToFile, linkToNothing, linkToSocket

        /// Makes it, and returns its path.
        func make(in directory: TemporaryDirectory) throws -> String {
            let path = directory.path("weir.sock")
            switch self {
            case .file: _ = try directory.write("kept", to: "weir.sock")
            case .directory: try run("mkdir", path)
            case .pipe: try run("mkfifo", path)
            case .device: return "/dev/null"
            case .linkToFile:
                try run("ln", "-s", try directory.write("kept", to: "other"), path)
            case .linkToNothing: try run("ln", "-s", directory.path("nothing"), path)
            case .linkToSocket:
                try ListenSocketTests.abandonSocket(at: directory.path("other"))
                try run("ln", "-s", directory.path("other"), path)
            }
            return path
        }

        private func run(_ words: String...) throws {
            let outcome = try Subprocess.run(words[0], Array(words.dropFirst()))
            #expect(outcome.exit == .code(0))
        }
    }

    /// Leaves a socket behind that no process listens on.
    private static func abandonSocket(at path: String) throws {
        // The descriptor is closed, and the file stays.
        let socket = try ListenSocket(path: path)
        close(socket.descriptor)
    }

    @Test(
        "a path where something else than a socket is, is refused, and what is there stays",
        arguments: Obstacle.allCases)
    func obstacles(obstacle: Obstacle) throws {
        let directory = try TemporaryDirectory()
        let path = try obstacle.make(in: directory)
        let before = try Subprocess.run("stat", ["-c", "%F %i %s %N", path]).output
        let error = #expect(throws: ListenError.self) { try ListenSocket(path: path) }
        let words = try #require(error).description
        #expect(words.hasPrefix("cannot listen on unix:\(path): "), "\(words)")
        #expect(
            words.hasSuffix("is at this path, not a socket; remove it or choose another path"), "\(words)")
        #expect(try Subprocess.run("stat", ["-c", "%F %i %s %N", path]).output == before)
    }

    @Test("a socket of another kind that is in use is refused, and stays")
    func datagramSocket() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("log.sock")
        let other = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(other) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(other, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(status == 0)
        #expect(throws: ListenError.self) { try ListenSocket(path: path) }
        #expect(try kind(of: path) == "socket 755")
    }

    private func kind(of path: String) throws -> String {
        String(try Subprocess.run("stat", ["-c", "%F %a", path]).output.dropLast())
    }

    @Test(
        "the file of a socket has the mode that was asked for, whatever the umask is",
        arguments: [0o600, 0o660, 0o666, 0o777, 0o000] as [UInt16])
    func mode(bits: UInt16) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("weir.sock")
        let socket = try ListenSocket(path: path, mode: bits)
        defer { socket.closeUnused() }
        #expect(try kind(of: path) == "socket \(String(bits, radix: 8))")
    }

    @Test("the file of a socket is removed with it, once, and no file that has taken its place")
    func removal() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("weir.sock")
        let first = try ListenSocket(path: path)
        first.removeFile()
        #expect(try kind(of: path) == "")
        let second = try ListenSocket(path: path)
        first.removeFile()
        first.closeUnused()
        _ = try RawClient(to: .unix(path: path))
        #expect(try Subprocess.run("rm", [path]).exit == .code(0))
        let third = try ListenSocket(path: path)
        second.closeUnused()
        _ = try RawClient(to: .unix(path: path))
        third.closeUnused()
        #expect(try kind(of: path) == "")
    }

    @Test("of many that replace the same abandoned socket at a time, one listens, and it can be reached")
    func race() throws {
        for _ in 0..<20 {
            let directory = try TemporaryDirectory()
            let path = directory.path("weir.sock")
            try Self.abandonSocket(at: path)
            let rivals = (0..<4).map { _ in Background { try? ListenSocket(path: path) } }
            let winners = try rivals.compactMap { try $0.join() }
            #expect(winners.count == 1)
            _ = try RawClient(to: .unix(path: path))
            for winner in winners { winner.closeUnused() }
        }
    }
}
