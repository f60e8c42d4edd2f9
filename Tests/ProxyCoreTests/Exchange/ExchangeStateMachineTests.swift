import ProxyCore
import Testing

@Suite("the course of an exchange")
struct ExchangeStateMachineTests {
    private typealias Phase = ExchangeStateMachine.Phase

    /// An exchange in that phase.
    private func machine(in phase: ExchangeStateMachine.Phase) -> ExchangeStateMachine {
        var machine = ExchangeStateMachine()
        switch phase {
        case .receiving: break
        case .queued: machine.enqueue()
        case .sending: _ = machine.admit()
        case .relaying, .collecting:
            _ = machine.admit()
            machine.headArrived(isCollected: phase == .collecting)
        case .answering: _ = machine.refuse()
        case .backingOff:
            _ = machine.refuse()
            machine.backOff()
        case .over: _ = machine.hangUp()
        }
        #expect(machine.phase == phase)
        return machine
    }

    private static let all: [ExchangeStateMachine.Phase] = [
        .receiving, .queued, .sending, .relaying, .collecting, .answering, .backingOff, .over,
    ]

    @Test(
        "a refusal answers what was not sent, takes a waiting request out of the queue, and is too late else")
    func refusals() {
        let expected: [ExchangeStateMachine.Action] = [
            .answerFault, .leaveQueue, .nothing, .nothing, .nothing, .nothing, .answerFault, .nothing,
        ]
        for (phase, action) in zip(Self.all, expected) {
            var machine = machine(in: phase)
            #expect(machine.refuse() == action, "\(phase)")
            #expect(
                machine.phase == ([.receiving, .queued, .backingOff].contains(phase) ? .answering : phase))
        }
    }

    @Test("a turn is used by who still waits, and given back by all others")
    func turns() {
        for phase in Self.all {
            var machine = machine(in: phase)
            #expect(machine.grant() == (phase == .queued ? .send : .returnSlot), "\(phase)")
        }
    }

    @Test("a client that leaves takes with it what was begun for it")
    func hangUps() {
        let expected: [ExchangeStateMachine.Action] = [
            .nothing, .leaveQueue, .cancelTransfer, .cancelTransfer, .cancelTransfer, .nothing, .nothing,
            .nothing,
        ]
        for (phase, action) in zip(Self.all, expected) {
            var machine = machine(in: phase)
            #expect(machine.hangUp() == action, "\(phase)")
            #expect(machine.phase == .over)
        }
    }

    @Test(
        "the end of a transfer completes, normalises, answers with a fault or breaks off",
        arguments: [
            (.sending, false, false, .answerFault, .answering),
            (.relaying, true, true, .completeRelay, .answering),
            (.relaying, true, false, .completeRelay, .answering),
            (.relaying, false, false, .answerFault, .answering),
            (.relaying, false, true, .breakOff, .over),
            (.collecting, true, false, .normalize, .answering),
            (.collecting, false, false, .normalize, .answering), (.over, true, false, .nothing, .over),
            (.answering, false, false, .nothing, .answering),
        ]
            as [(
                ExchangeStateMachine.Phase, Bool, Bool, ExchangeStateMachine.Action,
                ExchangeStateMachine.Phase
            )])
    func ends(
        _ phase: ExchangeStateMachine.Phase, _ isComplete: Bool, _ isAnswered: Bool,
        _ action: ExchangeStateMachine.Action, _ next: ExchangeStateMachine.Phase
    ) {
        var machine = machine(in: phase)
        #expect(machine.upstreamEnded(isComplete: isComplete, isAnswered: isAnswered) == action)
        #expect(machine.phase == next)
    }

    @Test("what backs off is sent again, at once or in its turn")
    func backingOff() {
        var machine = machine(in: .backingOff)
        #expect(machine.admit() == .send && machine.phase == .sending)
        machine = self.machine(in: .backingOff)
        machine.enqueue()
        #expect(machine.grant() == .send && machine.phase == .sending)
    }

    @Test("an error that is too long to be understood is handed on instead")
    func relayInstead() {
        for phase in Self.all {
            var machine = machine(in: phase)
            machine.relayInstead()
            #expect(machine.phase == (phase == .collecting ? .relaying : phase))
        }
    }

    @Test("a head that comes when nobody waits for it changes nothing")
    func lateHead() {
        for phase in Self.all where phase != .sending {
            var machine = machine(in: phase)
            machine.headArrived(isCollected: true)
            #expect(machine.phase == phase)
        }
    }
}
