import Locking
import Testing

@testable import Core

/// Moments and requests for the tests of the pacer, in milliseconds.
func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

extension Pacer {
    /// A pacer for `requests` per `milliseconds`.
    convenience init(_ requests: Int, per milliseconds: Int, queue: Int = 100, keys: Int = 100) {
        let window = PacingPolicy.Window(requests: requests, per: .milliseconds(milliseconds))
        self.init(policy: PacingPolicy(windows: [window], queueCapacity: queue, keyCapacity: keys))
    }

    func admit(
        _ id: UInt64, key: LedgerKey = .shared, patience: Duration = .zero, at now: MonotonicTime
    ) -> Admission {
        admit(PacingDemand(key: key), waiter: Waiter(worker: 0, id: id), patience: patience, at: now)
    }

    func leave(_ place: Place) -> Bool { book.withLock { $0.leave(place, at: nil).wasWaiting } }

    /// Sends a request that must be admitted.
    func send(_ id: UInt64 = 0, key: LedgerKey = .shared, at now: MonotonicTime) throws -> Slot {
        guard case .admitted(let slot) = admit(id, key: key, at: now) else { throw NotAsExpected() }
        return slot
    }

    /// Queues a request that must wait.
    func queue(_ id: UInt64, key: LedgerKey = .shared, at now: MonotonicTime) throws -> (
        Place, Duration, Wake?
    ) {
        guard
            case .queued(let place, let wait, let wake) = admit(
                id, key: key, patience: .seconds(3600), at: now)
        else { throw NotAsExpected() }
        return (place, wait, wake)
    }

    /// The refusal of a request that must be refused.
    func refusal(
        _ id: UInt64 = 0, key: LedgerKey = .shared, patience: Duration = .zero, at now: MonotonicTime
    ) throws -> Refusal {
        guard case .refused(let refusal) = admit(id, key: key, patience: patience, at: now) else {
            throw NotAsExpected()
        }
        return refusal
    }

    /// What `wake` grants at its moment, or at `late`.
    func granted(_ wake: Wake, at late: MonotonicTime? = nil) -> (grants: [Grant], wake: Wake?) {
        var grants: [Grant] = []
        let next = advance(wake, at: late ?? wake.at, into: &grants)
        return (grants, next)
    }

    var brokenInvariants: [String] { book.withLock { $0.brokenInvariants() } }
}

/// A step of a test that came out otherwise.
struct NotAsExpected: Error {}

@Suite("the pacer")
struct PacerTests {
    @Test("a slot is free again one window after the first byte, and not a moment before")
    func slotReturns() throws {
        let pacer = Pacer(2, per: 1000)
        let first = try pacer.send(at: at(0))
        let second = try pacer.send(at: at(10))
        #expect(pacer.responded(first, verdict: .accepted, at: at(100)).wake == nil)
        _ = pacer.responded(second, verdict: .accepted, at: at(300))
        _ = try pacer.refusal(at: at(1099))
        _ = try pacer.send(at: at(1100))
        _ = try pacer.refusal(at: at(1299))
        _ = try pacer.send(at: at(1300))
    }

    @Test("while no answer has come, no slot is given again")
    func inFlightHolds() throws {
        let pacer = Pacer(1, per: 1000)
        _ = try pacer.send(at: at(0))
        let (_, _, wake) = try pacer.queue(1, at: at(5000))
        #expect(wake == nil)
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("the first response wakes the queue, and the same wake is announced once")
    func wakeIsAnnouncedOnce() throws {
        let pacer = Pacer(2, per: 1000)
        let first = try pacer.send(at: at(0))
        let second = try pacer.send(at: at(0))
        _ = try pacer.queue(1, at: at(1))
        let wake = try #require(pacer.responded(first, verdict: .accepted, at: at(50)).wake)
        #expect(wake.at == at(1050))
        #expect(pacer.responded(second, verdict: .accepted, at: at(60)).wake == nil)
        #expect(try pacer.queue(2, at: at(70)).2 == nil)
        let (grants, next) = pacer.granted(wake)
        #expect(grants.map(\.waiter.id) == [1])
        #expect(next?.at == at(1060))
    }

    @Test("a timer that fires early gets its wake again, and an overtaken one silences nothing")
    func earlyTimer() throws {
        let pacer = Pacer(1, per: 1000)
        _ = pacer.closedWithoutResponse(try pacer.send(at: at(0)), at: at(10))
        let wake = try #require(try pacer.queue(1, at: at(20)).2)
        #expect(wake.at == at(2010))
        let early = pacer.granted(wake, at: at(2009))
        #expect(early.grants.isEmpty)
        #expect(early.wake == wake)
        let stale = Wake(at: at(2005))
        #expect(pacer.granted(stale, at: at(2006)).wake == nil)
        #expect(pacer.granted(wake).grants.count == 1)
    }

    @Test("requests of a key are sent in order of arrival, and none overtakes the queue")
    func firstInFirstOut() throws {
        let pacer = Pacer(2, per: 1000)
        for slot in [try pacer.send(at: at(0)), try pacer.send(at: at(0))] {
            _ = pacer.responded(slot, verdict: .accepted, at: at(10))
        }
        let wake = try #require(try pacer.queue(1, at: at(20)).2)
        for id: UInt64 in 2...3 { _ = try pacer.queue(id, at: at(30)) }
        // The slots are free, the timer is late: a newcomer still comes last.
        _ = try pacer.refusal(at: at(1020))
        _ = try pacer.queue(4, at: at(1020))
        #expect(pacer.granted(wake, at: at(1021)).grants.map(\.waiter.id) == [1, 2])
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("a client that disconnects leaves the queue, at the front, in the middle and at the end")
    func leaving() throws {
        let pacer = Pacer(3, per: 1000)
        for _ in 0..<3 { _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(10)) }
        var places: [Place] = []
        var wakes: [Wake] = []
        for id: UInt64 in 1...5 {
            let (place, _, wake) = try pacer.queue(id, at: at(20))
            places.append(place)
            if let wake { wakes.append(wake) }
        }
        for index in [2, 0, 4] { #expect(pacer.leave(places[index])) }
        #expect(!pacer.leave(places[2]))
        #expect(pacer.snapshot(at: at(30)).waiting == 2)
        #expect(pacer.granted(try #require(wakes.first)).grants.map(\.waiter.id) == [2, 4])
        #expect(!pacer.leave(places[1]))
        #expect(pacer.brokenInvariants.isEmpty)
    }

    @Test("a slot that was never used is free at once, and wakes the queue")
    func neverSent() throws {
        let pacer = Pacer(1, per: 1000)
        let slot = try pacer.send(at: at(0))
        _ = try pacer.queue(1, at: at(5))
        let wake = try #require(pacer.neverSent(slot, at: at(20)))
        #expect(wake.at == at(20))
        #expect(pacer.granted(wake).grants.count == 1)
    }

    @Test("a lost connection holds its slot for the window and the grace, and delays no other")
    func lostConnection() throws {
        let pacer = Pacer(2, per: 1000)
        let lost = try pacer.send(at: at(0))
        let answered = try pacer.send(at: at(0))
        _ = pacer.closedWithoutResponse(lost, at: at(100))
        _ = pacer.responded(answered, verdict: .accepted, at: at(200))
        _ = try pacer.refusal(at: at(1199))
        _ = try pacer.send(at: at(1200))
        _ = try pacer.refusal(at: at(2099))
        _ = try pacer.send(at: at(2100))
    }

    @Test("a request needs a slot in every window, and holds none while it waits for another")
    func stackedWindows() throws {
        let policy = PacingPolicy(windows: [
            .init(requests: 2, per: .seconds(1)), .init(requests: 3, per: .seconds(60)),
        ])
        let pacer = Pacer(policy: policy)
        for _ in 0..<2 { _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(0)) }
        #expect(try pacer.refusal(at: at(10)).window == policy.windows[0])
        let last = pacer.responded(try pacer.send(at: at(1000)), verdict: .accepted, at: at(1000))
        #expect(last.headroom?.remaining == 0)
        #expect(last.headroom?.window == policy.windows[1])
        let refusal = try pacer.refusal(at: at(2000))
        #expect(refusal.window == policy.windows[1])
        #expect(refusal.retryAfter == .seconds(58))
        #expect(refusal.remaining == 0)
        // The shorter window has both its slots still.
        #expect(pacer.snapshot(at: at(2000)).ledgers.first?.windows.map(\.remaining) == [2, 0])
        for _ in 0..<2 { _ = try pacer.send(at: at(60_000)) }
    }

    @Test("the fast guarantee counts from the sending, and gives back what was never sent")
    func fast() throws {
        let window = PacingPolicy.Window(requests: 1, per: .seconds(1))
        let pacer = Pacer(
            policy: PacingPolicy(windows: [window], guarantee: .fast(margin: .milliseconds(100))))
        _ = try pacer.send(at: at(0))
        _ = try pacer.refusal(at: at(1099))
        let unused = try pacer.send(at: at(1100))
        _ = pacer.neverSent(unused, at: at(1150))
        let slot = try pacer.send(at: at(1200))
        _ = pacer.responded(slot, verdict: .accepted, at: at(5000))
        _ = try pacer.send(at: at(5000))
    }

    @Test("one call grants no more than it may, and asks to be called again at once")
    func boundedGrants() throws {
        let pacer = Pacer(1000, per: 1000, queue: 1000)
        for _ in 0..<1000 { _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(0)) }
        var wake = try #require(try pacer.queue(0, at: at(1)).2)
        for id: UInt64 in 1..<600 { _ = try pacer.queue(id, at: at(1)) }
        var sizes: [Int] = []
        while true {
            let (grants, next) = pacer.granted(wake, at: at(1100))
            sizes.append(grants.count)
            guard let next else { break }
            #expect(next.at == at(1100))
            wake = next
        }
        #expect(sizes == [256, 256, 88])
    }

    @Test("without limits everything is sent at once")
    func unlimited() throws {
        let pacer = Pacer(policy: PacingPolicy(windows: []))
        for _ in 0..<1000 {
            let slot = try pacer.send(at: at(0))
            #expect(pacer.responded(slot, verdict: .accepted, at: at(1)).headroom == nil)
        }
    }

    #if DEBUG
        @Test("a slot that is reported twice is a mistake that a debug build stops at")
        func reportedTwice() async {
            await #expect(processExitsWith: .failure) {
                let pacer = Pacer(1, per: 1000)
                let slot = try pacer.send(at: at(0))
                _ = pacer.responded(slot, verdict: .accepted, at: at(1))
                _ = pacer.responded(slot, verdict: .accepted, at: at(2))
            }
        }
    #endif
}
