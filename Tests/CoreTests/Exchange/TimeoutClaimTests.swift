import Core
import Testing

@Suite("what a timer claims")
struct TimeoutClaimTests {
    private typealias Row = [ExchangeTimer: String]

    /// The whole table: a pair that is missing does not happen.
    private static let table: [ExchangeStage: Row] = [
        .receiving: [.clientStall: "nothing, no slot", .drain: "nothing, no slot"],
        .queued: [.maxWait: "queue_timeout none, no slot", .drain: "nothing, no slot"],
        .awaitingBody: [.clientStall: "nothing, returned", .drain: "nothing, returned"],
        .connecting: [
            .connect: "provider_timeout none, returned", .response: "provider_timeout none, returned",
            .total: "provider_timeout none, returned", .drain: "nothing, returned",
        ],
        .sent: [
            .response: "provider_timeout unknown, used", .total: "provider_timeout unknown, used",
            .clientStall: "nothing, used", .drain: "nothing, used",
        ],
        .collecting: [
            .idle: "partial error, settled", .errorBody: "partial error, settled",
            .total: "partial error, settled", .drain: "nothing, settled",
        ],
        .examining: [
            .idle: "provider_timeout unknown, settled", .errorBody: "relay, settled",
            .total: "provider_timeout unknown, settled", .drain: "nothing, settled",
        ],
        .relaying: [
            .idle: "provider_timeout unknown, settled", .total: "provider_timeout unknown, settled",
            .drain: "nothing, settled",
        ],
        .streaming: [
            .idle: "break off, settled", .total: "break off, settled", .clientStall: "nothing, settled",
            .drain: "break off, settled",
        ],
        .responding: [.clientStall: "nothing, settled", .drain: "nothing, settled"],
        .backingOff: [
            .maxWait: "last attempt, no slot", .total: "last attempt, no slot", .drain: "nothing, no slot",
        ],
    ]

    private static func text(_ claim: TimeoutClaim) -> String {
        let response =
            switch claim.response {
            case .problem(let code, let effect): "\(code.name) \(effect)"
            case .partialError: "partial error"
            case .relay: "relay"
            case .lastAttempt: "last attempt"
            case .breakOff: "break off"
            case .nothing: "nothing"
            }
        return "\(response), \(claim.slot == .none ? "no slot" : "\(claim.slot)")"
    }

    @Test("every timer in every stage claims what the table has, or does not run")
    func table() {
        #expect(Set(Self.table.keys) == Set(ExchangeStage.allCases))
        for stage in ExchangeStage.allCases {
            for timer in ExchangeTimer.allCases {
                let claim = TimeoutClaim(timer, in: stage).map(Self.text)
                #expect(claim == Self.table[stage]?[timer], "\(timer) in \(stage)")
            }
        }
    }

    @Test("a claim of no effect returns the slot, counts no attempt, and may be repeated whatever the method")
    func consistency() {
        for stage in ExchangeStage.allCases {
            for timer in ExchangeTimer.allCases {
                guard let claim = TimeoutClaim(timer, in: stage),
                    case .problem(let code, let effect) = claim.response
                else { continue }
                #expect((effect == .none) == (claim.slot == .returned || claim.slot == .none))
                #expect(claim.isAttempt == (effect != .none))
                #expect(code.isTransient)
                #expect(claim.isRetryable(isRepeatSafe: true))
                #expect(claim.isRetryable(isRepeatSafe: false) == (effect == .none))
            }
        }
    }

    @Test("a fault has the code and effect of its claim, and a problem of it its retryability")
    func faults() {
        for stage in ExchangeStage.allCases {
            for timer in ExchangeTimer.allCases where timer != .maxWait {
                let fault = Fault(timer, in: stage)
                guard let claim = TimeoutClaim(timer, in: stage) else {
                    #expect(fault == nil)
                    continue
                }
                switch claim.response {
                case .problem(let code, let effect):
                    #expect(fault?.code == code && fault?.effect == effect)
                    for isRepeatSafe in [false, true] {
                        guard let fault else { continue }
                        let problem = Problem(
                            fault, provider: "p", requestID: "r", isRepeatSafe: isRepeatSafe)
                        #expect(problem.isRetryable == claim.isRetryable(isRepeatSafe: isRepeatSafe))
                        #expect(problem.detail != nil)
                    }
                case .breakOff: #expect((fault != nil) == (timer != .drain))
                default: #expect(fault == nil)
                }
            }
        }
    }

    @Test("the effects of several attempts add up to the worst that is known")
    func effects() {
        let table: [(Effect, Effect, Effect)] = [
            (.none, .none, .none), (.none, .unknown, .unknown), (.unknown, .none, .unknown),
            (.unknown, .unknown, .unknown), (.applied, .none, .applied), (.none, .applied, .applied),
            (.applied, .unknown, .applied), (.unknown, .applied, .applied), (.applied, .applied, .applied),
        ]
        for (one, other, both) in table { #expect(one.combined(with: other) == both) }
    }
}
