import Testing

@testable import Core

#if canImport(Glibc)
    import Glibc
#endif

/// What a decision costs, and a key: printed, not judged.
///
/// `WEIR_MEASURE=1 swift test -c release -Xswiftc -enable-testing --filter PacingCost` prints it.
@Suite("the cost of pacing", .serialized, .enabled(if: Measurements.areWanted))
struct PacingCost {
    @Test("a request admitted and answered", arguments: [1, 1000, 1_000_000])
    func pair(keys: Int) throws {
        for (name, requests) in [("1 000 000 per 1 s", 1_000_000), ("20 per 1 s", 20)] {
            let pacer = Pacer(requests, per: 1000, keys: keys)
            let rounds = max(2_000_000, keys * 3)
            // Each key is used every 100 ms at most, so that the smaller limit always has a slot.
            let step = requests == 20 ? Int64(max(100_000_000 / keys, 1)) : Int64(12_500)
            var worst = Duration.zero
            let clock = ContinuousClock()
            let started = clock.now
            for round in 0..<rounds {
                // A stride that meets all keys in no particular order.
                let key = LedgerKey(hash: UInt64(round &* 7_919 % keys))
                let now = MonotonicTime(nanoseconds: Int64(round) * step)
                if round % 64 == 0 || round < keys {
                    let before = clock.now
                    _ = pacer.responded(try pacer.send(key: key, at: now), verdict: .accepted, at: now)
                    worst = max(worst, clock.now - before)
                } else {
                    _ = pacer.responded(try pacer.send(key: key, at: now), verdict: .accepted, at: now)
                }
            }
            let each = (clock.now - started).wholeNanoseconds / Int64(rounds)
            print("\(keys) keys, \(name): \(each) ns for admit and responded; the longest \(worst)")
        }
    }

    @Test("a request queued, granted and answered while others wait", arguments: [1, 10_000])
    func turn(waiting: Int) throws {
        let pacer = Pacer(1, per: 1, queue: waiting + 1)
        var now: Int64 = 0
        _ = pacer.responded(try pacer.send(at: at(0)), verdict: .accepted, at: at(0))
        var wake: Wake?
        for id in 0..<UInt64(waiting) { wake = try pacer.queue(id, at: at(0)).2 ?? wake }
        var grants: [Grant] = []
        var turns = 0
        let clock = ContinuousClock()
        let started = clock.now
        while turns < 1_000_000, let due = wake {
            now = max(now, due.at.nanoseconds)
            let moment = MonotonicTime(nanoseconds: now)
            grants.removeAll(keepingCapacity: true)
            wake = pacer.advance(due, at: moment, into: &grants)
            for grant in grants {
                turns += 1
                wake = pacer.responded(grant.slot, verdict: .accepted, at: moment).wake ?? wake
                wake = try pacer.queue(grant.waiter.id, at: moment).2 ?? wake
            }
        }
        print("\(waiting) waiting: \((clock.now - started).wholeNanoseconds / Int64(turns)) ns per turn")
    }

    @Test("the memory of a million keys")
    func memory() throws {
        let before = Measurements.heldBytes
        let pacer = Pacer(20, per: 3_600_000, keys: 1_000_000)
        for request in 0..<Int64(20) {
            for key in 0..<UInt64(1_000_000) {
                let slot = try pacer.send(key: .init(hash: key), at: at(request))
                _ = pacer.responded(slot, verdict: .accepted, at: at(request))
            }
            let bytes = (Measurements.heldBytes - before) / 1_000_000
            guard [1, 4, 8, 20].contains(request + 1) else { continue }
            print("\(bytes) bytes per key, \(request + 1) slots used")
        }
        let clock = ContinuousClock()
        var keys = 0
        let time = clock.measure { keys = pacer.snapshot(at: at(100)).keys }
        print("a snapshot of \(keys) keys takes \(time)")
    }
}

private enum Measurements {
    static var areWanted: Bool { unsafe getenv("WEIR_MEASURE") != nil }

    /// The resident memory of the process.
    static var heldBytes: Int {
        let file = unsafe open("/proc/self/statm", O_RDONLY)
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 256)
        let length = unsafe text.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        let fields = text.prefix(max(length, 0)).split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else { return 0 }
        return pages * 4096
    }
}
