import Testing

@testable import Core

@Suite("the ledgers of many keys")
struct LedgerKeyTests {
    private func answer(_ pacer: Pacer, key: UInt64, at milliseconds: Int64) throws {
        let slot = try pacer.send(key: .init(hash: key), at: at(milliseconds))
        _ = pacer.responded(slot, verdict: .accepted, at: at(milliseconds))
    }

    @Test("keys are independent of each other")
    func independent() throws {
        let pacer = Pacer(1, per: 1000)
        for key: UInt64 in 0..<50 { try answer(pacer, key: key, at: 0) }
        for key: UInt64 in 0..<50 { _ = try pacer.refusal(key: .init(hash: key), at: at(999)) }
    }

    @Test("idle ledgers are forgotten as new keys come, so a million keys need the room of those in use")
    func idleLedgersGo() throws {
        let pacer = Pacer(2, per: 1000, keys: 1_000_000)
        for key: UInt64 in 0..<20_000 { try answer(pacer, key: key, at: Int64(key) * 10) }
        #expect(pacer.snapshot(at: at(200_000), rows: 0).keys <= 110)
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("a ledger with a history is kept: at the bound a new key is rejected with a retry_after")
    func bound() throws {
        let pacer = Pacer(1, per: 1000, keys: 3)
        for key: UInt64 in 0..<3 { try answer(pacer, key: key, at: Int64(key) * 100) }
        let refusal = try pacer.refusal(key: .init(hash: 9), patience: .seconds(60), at: at(500))
        #expect(refusal.reason == .tooManyKeys)
        #expect(refusal.retryAfter > .zero && refusal.retryAfter <= .seconds(1))
        for key: UInt64 in 0..<3 { _ = try pacer.refusal(key: .init(hash: key), at: at(999)) }
        _ = try pacer.send(key: .init(hash: 9), at: at(1000))
    }

    @Test("a ledger that waits for a response, holds a queue or is paused stays, however old")
    func busyLedgersStay() throws {
        let pacer = Pacer(1, per: 1000, keys: 2)
        _ = try pacer.send(key: .init(hash: 1), at: at(0))
        let slot = try pacer.send(key: .init(hash: 2), at: at(0))
        _ = pacer.responded(slot, verdict: .undecided, at: at(10))
        #expect(try pacer.refusal(key: .init(hash: 3), at: at(50_000)).reason == .tooManyKeys)
        _ = pacer.judge(slot, .rejected(retryAfter: .seconds(600), reason: .quotaExceeded), at: at(60_000))
        #expect(try pacer.refusal(key: .init(hash: 3), at: at(70_000)).reason == .tooManyKeys)
        // Long after the pause its end is forgotten, too.
        _ = try pacer.send(key: .init(hash: 3), at: at(800_000))
        #expect(pacer.brokenInvariants.isEmpty)
    }
}
