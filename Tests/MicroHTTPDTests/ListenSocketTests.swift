import MicroHTTPD
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
}
