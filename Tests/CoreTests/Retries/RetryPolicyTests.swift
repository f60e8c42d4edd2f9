import Core
import Testing

@Suite("whether a request is sent again")
struct RetryPolicyTests {
    private static let chances: [UInt64] = [0, 1, .max / 3, .max / 2, .max - 1, .max]
    private var policy = RetryPolicy()

    init() { policy.maximum = 3 }

    private func wait(
        _ failure: AttemptFailure, retries: Int = 0, patience: Duration = .seconds(60), chance: UInt64 = .max
    ) -> Duration? {
        policy.wait(after: failure, retries: retries, patience: patience, chance: chance)
    }

    private static let failure = AttemptFailure(.providerUnavailable, isRetryable: true)

    @Test("it is not by default, nor more often than allowed")
    mutating func maximum() {
        #expect(wait(Self.failure, retries: 2) != nil)
        #expect(wait(Self.failure, retries: 3) == nil)
        policy.maximum = 0
        #expect(wait(Self.failure) == nil)
        #expect(RetryPolicy().maximum == 0)
    }

    @Test("it is not if that is not safe, whatever the failure")
    func safety() {
        for code in ProblemCode.allCases {
            #expect(wait(AttemptFailure(code, isRetryable: false)) == nil)
        }
    }

    @Test("it is after the failures that are named, and after no other")
    mutating func causes() {
        let codes: [(ProblemCode, RetryPolicy.Cause)] = [
            (.providerUnreachable, .connection), (.connectionLost, .connection),
            (.providerError, .unavailable),
            (.providerUnavailable, .unavailable), (.rateLimited, .rateLimited), (.providerTimeout, .timeout),
        ]
        for code in ProblemCode.allCases {
            let cause = codes.first { $0.0 == code }?.1
            #expect(RetryPolicy.Cause(code) == cause)
            #expect((wait(AttemptFailure(code, isRetryable: true)) != nil) == (cause != nil), "\(code)")
        }
        policy.causes = [.timeout]
        #expect(wait(Self.failure) == nil)
        #expect(wait(AttemptFailure(.providerTimeout, isRetryable: true)) != nil)
    }

    @Test("the wait is drawn from 0 to a bound that doubles up to the cap")
    mutating func backoff() {
        policy.maximum = 5
        policy.cap = .seconds(1)
        let bounds: [Duration] = [
            .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(1), .seconds(1),
        ]
        for (retries, bound) in bounds.enumerated() {
            #expect(wait(Self.failure, retries: retries, chance: 0) == .zero)
            #expect(wait(Self.failure, retries: retries, chance: .max) == bound)
            let half = wait(Self.failure, retries: retries, chance: .max / 2) ?? .zero
            #expect(half > bound * 0.49 && half < bound * 0.51)
        }
    }

    @Test(
        "it is never sent before the provider's Retry-After, nor later than it may wait", arguments: chances)
    func bounds(chance: UInt64) {
        let failure = AttemptFailure(.rateLimited, isRetryable: true, retryAfter: 2)
        let drawn = wait(failure, patience: .milliseconds(2100), chance: chance) ?? .zero
        #expect(drawn >= .seconds(2) && drawn <= .milliseconds(2100))
        #expect(wait(failure, patience: .seconds(2), chance: chance) == nil)
        #expect(wait(Self.failure, patience: .zero, chance: chance) == nil)
        #expect(wait(Self.failure, patience: .seconds(-1), chance: chance) == nil)
        let patient = wait(failure, patience: .seconds(Int64.max), chance: chance) ?? .zero
        #expect(patient >= .seconds(2) && patient <= .milliseconds(2250))
    }

    @Test("no Retry-After that a provider may send leads astray", arguments: [-1, 0, 1e18, .infinity])
    func strangeRetryAfter(seconds: Double) {
        let failure = AttemptFailure(.rateLimited, isRetryable: true, retryAfter: seconds)
        #expect((wait(failure) == nil) == (seconds > 60))
    }
}
