import EventLoop
import Testing

@testable import MicroHTTPD

@Suite("what is known of a client's socket")
struct SocketReadinessTests {
    @Test("the library hears once of each change, and of all that came since together")
    func news() {
        var socket = SocketReadiness()
        #expect(!socket.hasNews)
        _ = socket.note([.readable, .writable])
        _ = socket.note(.readable)
        #expect(socket.hasNews)
        #expect(socket.takeNews() == Readiness([.readable, .writable]).rawValue)
        #expect(!socket.hasNews)
    }

    @Test("the end of one side is no news for the library, which reads it, and is told once to others")
    func ends() {
        var socket = SocketReadiness()
        let end = Readiness.ended.subtracting(.broken)
        #expect(socket.note(end))
        #expect(!socket.hasNews)
        #expect(!socket.note([end, .writable]))
        let hasBroken = socket.note([end, .broken])
        #expect(hasBroken)
        #expect(Readiness(rawValue: socket.takeNews()).isSuperset(of: .broken))
        #expect(!socket.note([end, .broken]))
    }

    @Test("a socket that gave less than was asked for is not read before something happens on it")
    func drained() {
        var socket = SocketReadiness()
        #expect(socket.mayBeReadable)
        socket.hasBeenDrained()
        #expect(!socket.mayBeReadable)
        _ = socket.note(.readable)
        #expect(socket.mayBeReadable)
    }

    @Test("an end that came with the last bytes can still be read behind them")
    func endWithBytes() {
        var socket = SocketReadiness()
        _ = socket.note([.readable, .ended])
        socket.hasBeenDrained()
        #expect(socket.mayBeReadable)
    }
}
