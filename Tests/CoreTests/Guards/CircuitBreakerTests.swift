import Core
import Testing

@Suite("a circuit breaker")
struct CircuitBreakerTests {
    private var breaker: CircuitBreaker
    private let start = MonotonicTime(nanoseconds: 1_000_000_007)

    init() {
        var policy = CircuitBreaker.Policy()
        policy.minimum = 10
        breaker = CircuitBreaker(policy)
    }

    private func at(_ seconds: Double) -> MonotonicTime { start + .seconds(seconds) }

    private mutating func record(_ count: Int, failed isFailure: Bool, at time: MonotonicTime) {
        for _ in 0..<count { breaker.record(isFailure: isFailure, isProbe: false, at: time) }
    }

    @Test("a circuit opens when enough responses have failed, for the configured time")
    mutating func opening() {
        record(4, failed: true, at: start)
        record(5, failed: false, at: start)
        #expect(breaker.state(at: start) == .closed && breaker.admit(at: start) == .admitted)
        record(1, failed: true, at: start)
        #expect(breaker.state(at: start) == .open)
        #expect(breaker.admit(at: at(5)) == .refused(retryAfter: .seconds(10)))
    }

    @Test("a circuit stays closed with few failures or few responses")
    mutating func closed() {
        record(9, failed: true, at: start)
        #expect(breaker.state(at: start) == .closed)
        record(100, failed: false, at: start)
        record(90, failed: true, at: start)
        #expect(breaker.state(at: start) == .closed)
        record(1, failed: true, at: start)
        #expect(breaker.state(at: start) == .open)
    }

    @Test("a circuit ignores responses older than its window")
    mutating func window() {
        record(9, failed: true, at: start)
        record(1, failed: true, at: at(31))
        #expect(breaker.state(at: at(31)) == .closed)
        record(8, failed: true, at: at(50))
        #expect(breaker.state(at: at(50)) == .closed)
        record(1, failed: true, at: at(55))
        #expect(breaker.state(at: at(55)) == .open)
    }

    @Test(
        "an open circuit sends one probe at a time, whose success closes it and whose failure opens it again")
    mutating func probes() {
        record(10, failed: true, at: start)
        #expect(breaker.state(at: at(15)) == .halfOpen)
        #expect(breaker.admit(at: at(15)) == .probe)
        #expect(breaker.admit(at: at(16)) == .refused(retryAfter: CircuitBreaker.probePause))
        breaker.record(isFailure: true, isProbe: true, at: at(20))
        #expect(breaker.admit(at: at(21)) == .refused(retryAfter: .seconds(14)))
        #expect(breaker.admit(at: at(35)) == .probe)
        breaker.record(isFailure: false, isProbe: true, at: at(36))
        #expect(breaker.state(at: at(36)) == .closed && breaker.admit(at: at(36)) == .admitted)
        // What was before is forgotten.
        record(9, failed: true, at: at(37))
        #expect(breaker.state(at: at(37)) == .closed)
    }

    @Test("a probe without a result is passed to the next request")
    mutating func returnedProbe() {
        record(10, failed: true, at: start)
        #expect(breaker.admit(at: at(15)) == .probe)
        breaker.returnProbe()
        #expect(breaker.admit(at: at(15)) == .probe)
    }

    @Test("a circuit ignores results of requests sent before it opened")
    mutating func late() {
        record(10, failed: true, at: start)
        record(100, failed: false, at: at(1))
        record(100, failed: true, at: at(14))
        #expect(breaker.admit(at: at(15)) == .probe)
        record(100, failed: true, at: at(16))
        breaker.record(isFailure: false, isProbe: true, at: at(17))
        #expect(breaker.state(at: at(17)) == .closed)
    }

    @Test("a circuit counts network failures and provider failures, but no rejections")
    func failures() {
        #expect(!CircuitBreaker.isFailure(nil))
        for code in ProblemCode.allCases {
            let isFailure = code.origin == .network || [.providerError, .providerUnavailable].contains(code)
            #expect(CircuitBreaker.isFailure(code) == isFailure)
        }
    }
}
