import Loop
import Testing

@testable import Downstream

@Suite("what is known of a client's socket")
struct SocketReadinessTests {
    @Test("the library hears once of each change, and of all that came since together")
    func news() {
        var socket = SocketReadiness()
        #expect(!socket.hasNews)
        _ = socket.note([.readable, .writable])
        _ = socket.note(.readable)
        #expect(socket.hasNews)
        let news = socket.takeNews()
        #expect(Readiness(rawValue: news) == [.readable, .writable])
        #expect(!socket.hasNews)
    }

    @Test("the end of one side is no news for the library, which reads it, and is told once to others")
    func ends() {
        var socket = SocketReadiness()
        let end = Readiness.ended.subtracting(.broken)
        let changes: [Readiness] = [end, [end, .writable], [end, .broken], [end, .broken]]
        let told = changes.map { socket.note($0) }
        #expect(told == [true, false, true, false])
        let news = socket.takeNews()
        #expect(Readiness(rawValue: news) == [.writable, .broken])
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
