import Core
import Testing
import Wire

@Suite("the rest of a request whose response is decided")
struct RefusedRestTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    private func refused() -> ExchangeMachine {
        var machine = ExchangeMachine()
        machine.begin(clientStall: .seconds(60), at: at(0))
        machine.accept(ExchangeMachine.Terms(), at: at(0))
        #expect(machine.handle(.headRefused(readsRest: true), at: at(0)) == [.schedule])
        return machine
    }

    @Test("a rest that does not arrive delays the response by 250 ms, not by client_stall")
    func missing() {
        var machine = refused()
        #expect(machine.nextDeadline(hasUnsentBody: false, at: at(0)) == at(250))
        #expect(machine.handle(.timePassed(hasUnsentBody: false), at: at(249)) == [.schedule])
        #expect(machine.handle(.timePassed(hasUnsentBody: false), at: at(250)) == [.replyEarly])
    }

    @Test("a rest that arrives byte by byte delays the response by 5 s at most")
    func dripping() {
        var machine = refused()
        for time in stride(from: Int64(200), to: 5000, by: 200) {
            machine.downstreamActivity = at(time)
            #expect(machine.handle(.timePassed(hasUnsentBody: false), at: at(time + 100)) == [.schedule])
        }
        #expect(machine.nextDeadline(hasUnsentBody: false, at: at(4900)) == at(5000))
        #expect(machine.handle(.timePassed(hasUnsentBody: false), at: at(5000)) == [.replyEarly])
    }

    @Test("once the rest has arrived, client_stall limits only the reading of the response")
    func complete() {
        var machine = refused()
        _ = machine.handle(.requestEnded, at: at(100))
        #expect(machine.nextDeadline(hasUnsentBody: false, at: at(100)) == .distantFuture)
        _ = machine.handle(.replyStarted, at: at(100))
        #expect(machine.nextDeadline(hasUnsentBody: false, at: at(100)) == at(60_100))
    }
}
