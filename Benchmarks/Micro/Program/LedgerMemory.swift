internal import CAllocations
internal import Core

/// What a key costs in memory while the pacer remembers it, and what a waiting request costs in the pacer.
enum LedgerMemory {
    static func run() {
        print("\n| memory of the ledger | bytes each |\n|---|---:|")
        for keys in [1000, 1_000_000] {
            print("| a key with a request in its window, \(keys) keys | \(bytesPerKey(keys, requests: 1)) |")
        }
        print("| a key with 20 requests in its window, 100000 keys | \(bytesPerKey(100_000, requests: 20)) |")
        let before = allocations_held()
        let crowd = LedgerBenchmarks.full(waiting: 10_000)
        // The crowd's own notes are in it: what it says is at most that.
        print("| a waiting request, 10000 of them | \(Int(allocations_held() - before) / 10_000) |")
        keep(crowd)
    }

    private static func bytesPerKey(_ keys: Int, requests: Int) -> Int {
        let before = allocations_held()
        let pacer = Pacer(policy: PacingPolicy(windows: [LedgerBenchmarks.window], keyCapacity: keys))
        for number in 0..<(keys * requests) {
            // Requests of one moment would be counted together.
            let now = MonotonicTime(nanoseconds: 1_000_000_000 + 20_000_000 * Int64(number / keys))
            let key = LedgerKey(hash: LedgerBenchmarks.scattered(UInt64(number % keys)))
            guard
                case .admitted(let slot) = pacer.admit(
                    PacingDemand(key: key), waiter: Waiter(worker: 0, id: 0), patience: .zero, at: now)
            else { fatalError("a request has to wait") }
            _ = pacer.responded(slot, verdict: .accepted, at: now)
        }
        let held = Int(allocations_held() - before) / keys
        keep(pacer.policy)
        return held
    }
}
