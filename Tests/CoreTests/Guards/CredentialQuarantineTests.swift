import Core
import Testing

@Suite("a credential that a provider keeps refusing")
struct CredentialQuarantineTests {
    private var quarantine = CredentialQuarantine()
    private let start = MonotonicTime(nanoseconds: 5)

    private func at(_ seconds: Int) -> MonotonicTime { start + .seconds(seconds) }

    private mutating func refuse(_ credential: UInt64, times: Int, at time: MonotonicTime) {
        for _ in 0..<times { quarantine.judge(credential, .refused, at: time) }
    }

    @Test("a credential is quarantined after three rejections, and no other with it")
    mutating func threshold() {
        refuse(1, times: 2, at: start)
        #expect(quarantine.admit(1, at: start) == .admitted && quarantine.count == 0)
        refuse(1, times: 1, at: start)
        #expect(quarantine.admit(1, at: start) == .refused(retryAfter: .seconds(60)))
        #expect(quarantine.admit(2, at: start) == .admitted)
        #expect(quarantine.count == 1)
    }

    @Test("a quarantined credential is probed once a minute")
    mutating func probes() {
        refuse(1, times: 3, at: start)
        #expect(quarantine.admit(1, at: at(59)) == .refused(retryAfter: .seconds(1)))
        #expect(quarantine.admit(1, at: at(60)) == .probe)
        #expect(quarantine.admit(1, at: at(60)) == .refused(retryAfter: .seconds(60)))
        refuse(1, times: 1, at: at(61))
        #expect(quarantine.admit(1, at: at(120)) == .refused(retryAfter: .seconds(1)))
        #expect(quarantine.admit(1, at: at(121)) == .probe)
    }

    @Test("a quarantined credential is probed by the next request if the probe was not sent")
    mutating func returnedProbe() {
        refuse(1, times: 3, at: start)
        #expect(quarantine.admit(1, at: at(60)) == .probe)
        quarantine.returnProbe(1)
        #expect(quarantine.admit(1, at: at(61)) == .probe)
        quarantine.returnProbe(2)
        #expect(quarantine.count == 1)
    }

    @Test("a credential is released as soon as the provider accepts it; a neutral response changes nothing")
    mutating func release() {
        refuse(1, times: 2, at: start)
        quarantine.judge(1, .open, at: start)
        refuse(1, times: 1, at: start)
        quarantine.judge(1, .open, at: start)
        #expect(quarantine.count == 1)
        quarantine.judge(1, .taken, at: start)
        #expect(quarantine.isEmpty && quarantine.admit(1, at: start) == .admitted)
        refuse(1, times: 2, at: start)
        quarantine.judge(1, .taken, at: start)
        refuse(1, times: 2, at: start)
        #expect(quarantine.admit(1, at: start) == .admitted)
    }

    @Test("the oldest credential is forgotten when too many are remembered")
    mutating func bound() {
        for credential in 0..<UInt64(CredentialQuarantine.capacity) {
            refuse(credential, times: 3, at: at(Int(credential)))
        }
        let end = at(CredentialQuarantine.capacity)
        refuse(99_999, times: 3, at: end)
        #expect(quarantine.count == CredentialQuarantine.capacity)
        #expect(quarantine.admit(0, at: end) == .admitted)
        #expect(quarantine.admit(99_999, at: end) == .refused(retryAfter: .seconds(60)))
    }

    @Test("a rejection is recognised by its code, whatever its status")
    func verdicts() {
        #expect(CredentialQuarantine.Verdict(.unauthenticated) == .refused)
        for code in [
            ProblemCode.rateLimited, .quotaExceeded, .edgeBlocked, .providerError, .providerUnavailable,
        ] {
            #expect(CredentialQuarantine.Verdict(code) == .open)
        }
        for code in [ProblemCode.permissionDenied, .validationFailed, .notFound, .accountBlocked] {
            #expect(CredentialQuarantine.Verdict(code) == .taken)
        }
    }
}
