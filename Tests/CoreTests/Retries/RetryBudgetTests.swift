import Core
import Testing

@Suite("the budget of retries")
struct RetryBudgetTests {
    private let start = MonotonicTime(nanoseconds: 7)

    /// Takes out as many as there are.
    private func drain(_ budget: inout RetryBudget, at time: MonotonicTime) -> Int {
        var count = 0
        while budget.takeRetry(at: time) { count += 1 }
        return count
    }

    @Test("a part of the requests may be sent again")
    func share() {
        var budget = RetryBudget(percent: 20, at: start)
        _ = drain(&budget, at: start)
        for _ in 0..<50 { budget.requestSent() }
        #expect(drain(&budget, at: start) == 10)
    }

    @Test("there are a few at the start, and a few a second without any request")
    func floor() {
        var budget = RetryBudget(percent: 1, at: start)
        #expect((1...RetryBudget.capacity).contains(drain(&budget, at: start)))
        #expect(drain(&budget, at: start + .milliseconds(499)) == 0)
        #expect(drain(&budget, at: start + .milliseconds(500)) == 1)
        #expect(drain(&budget, at: start + .milliseconds(2500)) == 2 * RetryBudget.perSecond)
    }

    @Test("what is saved up is bounded, and time that goes back does no harm")
    func bound() {
        var budget = RetryBudget(percent: 100, at: start)
        for _ in 0..<1000 { budget.requestSent() }
        #expect(drain(&budget, at: start) == RetryBudget.capacity)
        #expect(drain(&budget, at: .distantFuture) == RetryBudget.capacity)
        #expect(drain(&budget, at: .distantPast) == 0)
    }
}
