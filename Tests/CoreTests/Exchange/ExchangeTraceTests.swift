import Core
import Testing
import Wire

/// Courses on which the simulation found a mistake.
@Suite("traces that the simulation of exchanges has found")
struct ExchangeTraceTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    private func machine(_ terms: ExchangeMachine.Terms) -> ExchangeMachine {
        var machine = ExchangeMachine()
        machine.begin(clientStall: terms.clientStall, at: at(0))
        machine.accept(terms, at: at(0))
        return machine
    }

    /// Seed 1689: the client was cut off, its connection slept again behind its full buffer, and no timer was left.
    @Test("a client whose upload waits for a slow provider is not cut off by client_stall")
    func uploadWaitsForProvider() {
        var terms = ExchangeMachine.Terms()
        terms.body = .streamed
        terms.isReplayable = false
        terms.clientStall = .seconds(1)
        var machine = machine(terms)
        _ = machine.handle(.headAccepted, at: at(0))
        _ = machine.handle(.admitted(needsBody: false), at: at(0))
        _ = machine.handle(.bodyBegan, at: at(0))
        _ = machine.handle(.headArrived(isCollected: false, isEventStream: false), at: at(100))
        machine.downloadHeldBack(at: at(1000))
        // The provider reads a part of the upload.
        machine.upstreamActivity = at(1500)
        #expect(machine.nextDeadline(hasUnsentBody: true, at: at(1500)) == at(2500))
        #expect(machine.handle(.timePassed(hasUnsentBody: true), at: at(2000)) == [.schedule])
        let drop = machine.handle(.timePassed(hasUnsentBody: true), at: at(2500))
        #expect(drop == [.dropUpload, .wakeClient, .schedule])
    }

    /// Once the provider has taken all of the upload, the client is what is waited for.
    @Test("a client that stops its upload is cut off by client_stall while its response is held back")
    func uploadStalls() {
        var terms = ExchangeMachine.Terms()
        terms.body = .streamed
        terms.isReplayable = false
        terms.clientStall = .seconds(1)
        var machine = machine(terms)
        _ = machine.handle(.headAccepted, at: at(0))
        _ = machine.handle(.admitted(needsBody: false), at: at(0))
        _ = machine.handle(.bodyBegan, at: at(0))
        _ = machine.handle(.headArrived(isCollected: false, isEventStream: false), at: at(100))
        machine.uploadStarved(at: at(200))
        machine.downloadHeldBack(at: at(1000))
        #expect(machine.nextDeadline(hasUnsentBody: true, at: at(1000)) == at(2000))
        let actions = machine.handle(.timePassed(hasUnsentBody: true), at: at(2000))
        #expect(actions == [.breakConnection, .wakeClient])
    }

    @Test(
        "a client that does not read the rest of a reply is cut off by client_stall once the attempt has ended",
        arguments: [true, false])
    func unreadRest(isComplete: Bool) {
        var terms = ExchangeMachine.Terms()
        terms.clientStall = .seconds(1)
        var machine = machine(terms)
        _ = machine.handle(.headAccepted, at: at(0))
        _ = machine.handle(.admitted(needsBody: false), at: at(0))
        _ = machine.handle(.requestEnded, at: at(0))
        _ = machine.handle(.headArrived(isCollected: false, isEventStream: false), at: at(0))
        _ = machine.handle(.replyStarted, at: at(0))
        let end = machine.handle(.attemptEnded(isComplete: isComplete, wasSent: true), at: at(5000))
        #expect(end.contains { $0 == .schedule })
        #expect(machine.nextDeadline(hasUnsentBody: true, at: at(5000)) == at(6000))
        #expect(machine.handle(.timePassed(hasUnsentBody: true), at: at(5500)) == [.schedule])
        let actions = machine.handle(.timePassed(hasUnsentBody: true), at: at(6000))
        #expect(actions == [.breakConnection, .wakeClient])
        // Nothing follows until libmicrohttpd has noticed.
        let completed = machine.handle(.completed(isWhole: false), at: at(6001))
        #expect(completed.contains { $0 == .record })
        machine.end()
    }

    private func relaying(stall: Duration, idle: Int64) -> ExchangeMachine {
        var terms = ExchangeMachine.Terms()
        terms.clientStall = stall
        terms.idle = idle
        var machine = machine(terms)
        _ = machine.handle(.headAccepted, at: at(0))
        _ = machine.handle(.admitted(needsBody: false), at: at(0))
        _ = machine.handle(.requestEnded, at: at(0))
        _ = machine.handle(.headArrived(isCollected: false, isEventStream: false), at: at(0))
        _ = machine.handle(.replyStarted, at: at(0))
        return machine
    }

    /// The client's buffers are full, and no event reports the bytes of the provider that lie in others.
    @Test(
        "a client that receives nothing is cut off by client_stall, and the provider is not ended as idle",
        arguments: [500, 1000, 1500])
    func unnoticedStall(idle: Int64) {
        var machine = relaying(stall: .seconds(1), idle: idle * 1_000_000)
        let first = min(idle, 1000)
        #expect(machine.nextDeadline(hasUnsentBody: false, at: at(0)) == at(first))
        // It has received something since the look before.
        machine.downstreamActivity = at(first)
        let look = ExchangeMachine.Event.timePassed(hasUnsentBody: false, hasUnreceived: true)
        #expect(machine.handle(look, at: at(first)) == [.schedule])
        #expect(machine.nextDeadline(hasUnsentBody: false, at: at(first)) > at(first))
        #expect(machine.handle(look, at: at(first + 999)) == [.schedule])
        #expect(machine.handle(look, at: at(first + 1000)) == [.breakConnection, .wakeClient])
    }

    @Test("a provider is ended as idle once the client has received everything")
    func idleBehindStall() {
        var machine = relaying(stall: .seconds(1), idle: 1_500_000_000)
        #expect(machine.handle(.timePassed(hasUnsentBody: false), at: at(1000)) == [.schedule])
        #expect(machine.nextDeadline(hasUnsentBody: false, at: at(1000)) == at(1500))
        #expect(machine.handle(.timePassed(hasUnsentBody: false), at: at(1500)) == [.endAttempt])
        #expect(machine.timedOut == .idle)
    }

    /// Seed 14812: the second attempt's response was cut off after a second.
    @Test("a half-closed client whose event stream broke off is not given up during the next attempt")
    func limitOfStreamEndsWithAttempt() {
        var machine = machine(ExchangeMachine.Terms())
        let end = ExchangeMachine.ClientEnd(
            isBroken: false, peer: .open, requestIsHere: true, cameWithRequest: true)
        _ = machine.handle(.headAccepted, at: at(0))
        _ = machine.handle(.admitted(needsBody: false), at: at(0))
        _ = machine.handle(.requestEnded, at: at(0))
        _ = machine.handle(.clientEnded(end), at: at(0))
        #expect(machine.givesUpAt == .distantFuture)
        _ = machine.handle(.headArrived(isCollected: false, isEventStream: true), at: at(100))
        #expect(machine.givesUpAt == at(1100))
        _ = machine.handle(.attemptEnded(isComplete: false, wasSent: true), at: at(200))
        #expect(machine.givesUpAt == .distantFuture)
    }

    @Test("a half-closed client that may have left is given up after a second, whatever attempts there are")
    func limitOfClientStays() {
        var machine = machine(ExchangeMachine.Terms())
        let end = ExchangeMachine.ClientEnd(
            isBroken: false, peer: .open, requestIsHere: true, cameWithRequest: false)
        _ = machine.handle(.headAccepted, at: at(0))
        _ = machine.handle(.admitted(needsBody: false), at: at(0))
        _ = machine.handle(.requestEnded, at: at(0))
        _ = machine.handle(.clientEnded(end), at: at(50))
        _ = machine.handle(.attemptEnded(isComplete: false, wasSent: true), at: at(200))
        #expect(machine.givesUpAt == at(1050))
    }

    /// Seed 174: the time of the response ran from before the client's pause, and no timer was armed for it.
    @Test("the response timeout begins anew when a slow client's upload goes on")
    func responseTimeoutAfterPause() {
        var terms = ExchangeMachine.Terms()
        terms.body = .streamed
        terms.isReplayable = false
        terms.response = 3_000_000_000
        var machine = machine(terms)
        _ = machine.handle(.headAccepted, at: at(0))
        _ = machine.handle(.admitted(needsBody: false), at: at(0))
        _ = machine.handle(.bodyBegan, at: at(0))
        machine.uploadStarved(at: at(100))
        #expect(machine.nextDeadline(hasUnsentBody: false, at: at(100)) == at(60_100))
        machine.uploadResumed(at: at(5000))
        #expect(machine.nextDeadline(hasUnsentBody: false, at: at(5000)) == at(8000))
        #expect(machine.handle(.timePassed(hasUnsentBody: false), at: at(7999)) == [.schedule])
        #expect(machine.handle(.timePassed(hasUnsentBody: false), at: at(8000)) == [.endAttempt])
    }
}
