internal import Core

/// Who gets how much when several keys want more than there is, in ten simulated minutes.
enum Fairness {
    private static let minutes: Int64 = 10

    static func run() {
        print("\n| fairness | sent | longest wait, s |\n|---|---:|---:|")
        // lemlist's limit for all, and each key may use half of it.
        let all = LedgerBenchmarks.window
        let each = PacingPolicy.Window(requests: 10, per: .seconds(2), scope: 1)
        show(
            "10 keys with 10 waiting each", windows: [all], wanting: [Int](repeating: 10, count: 10),
            kinds: [0..<10])
        show(
            "1 with 100 waiting, 4 with 1 each; one limit", windows: [all], wanting: [100, 1, 1, 1, 1],
            kinds: [0..<1, 1..<5])
        show(
            "the same, each key limited to half of it", windows: [all, each], wanting: [100, 1, 1, 1, 1],
            kinds: [0..<1, 1..<5])
    }

    /// Prints for each kind of keys the least and the most that one of them got.
    private static func show(
        _ name: String, windows: [PacingPolicy.Window], wanting: [Int], kinds: [Range<Int>]
    ) {
        var crowd = Crowd(windows: windows, wanting: wanting)
        crowd.run(until: crowd.now.later(by: minutes * 60_000_000_000))
        for kind in kinds {
            let sent = crowd.sent[kind]
            let waits = crowd.longest[kind].map { Double($0) / 1e9 }
            let range = "\(sent.min() ?? 0) to \(sent.max() ?? 0)"
            print(
                "| \(name): a key with \(wanting[kind.lowerBound]) | \(range) | \(Measure.text(waits.max() ?? 0)) |"
            )
        }
    }
}
