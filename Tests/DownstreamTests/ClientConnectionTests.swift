import Glibc
import Loop
import Testing
import Wire

@testable import Downstream

@Suite("writing past libmicrohttpd")
struct ClientConnectionTests {
    private static let limits = RequestScanner.Limits(
        target: 8 << 10, fieldBytes: 12 << 10, fieldCount: 100, head: 15 << 10, fieldOverhead: 64,
        body: .max)

    private static func makeDaemon() throws -> HTTPDaemon {
        try HTTPDaemon(
            listener: try ListenSocket(host: "127.0.0.1", port: 0, isShared: false),
            limits: HTTPDaemon.Limits(
                connectionMemory: 16 << 10, connections: 4, idleSeconds: 10, request: limits),
            loop: try EventLoop())
    }

    @Test(
        "the library hears once of each change on a socket, of all that came since together, and not of the end of one side"
    )
    func news() throws {
        let daemon = try Self.makeDaemon()
        defer { daemon.stop() }
        let client = unsafe ClientConnection(
            nil, socket: -1, session: nil, limits: Self.limits, daemon: daemon)
        #expect(!client.hasNews)
        client.note([.readable, .writable])
        client.note(.readable)
        #expect(client.hasNews)
        let news = client.takeNews()
        #expect(Readiness(rawValue: news) == [.readable, .writable])
        #expect(!client.hasNews)
        let end = Readiness.ended.subtracting(.broken)
        client.note(end)
        #expect(!client.hasNews)
        client.note([end, .broken])
        let last = client.takeNews()
        #expect(Readiness(rawValue: last) == .broken)
    }

    @Test(
        "an interim answer is written whole, or not at all where the socket is nearly full")
    func room() throws {
        let daemon = try Self.makeDaemon()
        defer { daemon.stop() }
        var sockets: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &sockets) == 0)
        defer { close(sockets[0]) }
        let client = unsafe ClientConnection(
            nil, socket: sockets[0], session: nil, limits: Self.limits, daemon: daemon)
        let message = [UInt8](repeating: 0x78, count: ClientConnection.interimLimit)
        #expect(!client.sendInterim(message + [0x78]))

        for _ in 0..<2 {
            var written = 0
            while client.sendInterim(message) { written += message.count }
            #expect(written > 0)
            // It is not the system that stopped it.
            #expect(!client.sendInterim([0x78]))
            var byte: UInt8 = 0x79
            #expect(unsafe send(sockets[0], &byte, 1, Int32(MSG_NOSIGNAL)) == 1)

            var received = 0
            var room = [UInt8](repeating: 0, count: 1 << 16)
            while case let count = unsafe recv(sockets[1], &room, room.count, 0), count > 0 {
                received += count
            }
            #expect(received == written + 1)
        }

        // Not close() alone: a program that another test is about to start may hold the socket as well for a moment.
        shutdown(sockets[1], Int32(SHUT_RDWR))
        close(sockets[1])
        #expect(!client.sendInterim(message))
    }

    #if compiler(>=6.3)
        enum Call: String, CaseIterable, Codable, Sendable { case run, accept, event, stop }

        private struct Holder: @unchecked Sendable {
            let daemon: HTTPDaemon
            let loop: EventLoop
            let client: ClientConnection
        }

        /// The daemon belongs to the thread of its loop, which has ended: numbers of threads are not used again while one is not joined.
        @Test("a call of a daemon from another thread than its loop's traps", arguments: Call.allCases)
        func otherThread(call: Call) async {
            await #expect(processExitsWith: .failure) { [call = call as Call] in
                let loop = try EventLoop()
                let daemon = try HTTPDaemon(
                    listener: try ListenSocket(host: "127.0.0.1", port: 0, isShared: false),
                    limits: HTTPDaemon.Limits(
                        connectionMemory: 16 << 10, connections: 4, idleSeconds: 10, request: Self.limits),
                    loop: loop)
                let client = unsafe ClientConnection(
                    nil, socket: -1, session: nil, limits: Self.limits, daemon: daemon)
                let holder = Holder(daemon: daemon, loop: loop, client: client)
                try LoopThread(name: "owner") { holder.loop.bindToThread() }.join()
                switch call {
                case .run: daemon.run()
                case .accept: _ = daemon.accept()
                case .event: client.handle(.socketDrained)
                case .stop: daemon.stop()
                }
            }
        }
    #endif
}
