internal import CAllocations

/// A table of how long things take and how often they allocate, in lines of Markdown.
struct Measure {
    /// How often the time is taken; the least counts, since what else runs only ever adds.
    private static let samples = 15
    private static let sampleTime = Duration.milliseconds(15)

    /// Ends a table, and begins one.
    func heading(_ title: String) {
        print("\n| \(title) | ns | allocations |\n|---|---:|---:|")
    }

    /// Prints what one call of `body` costs.
    func callAsFunction(_ name: String, _ body: () -> Void) {
        self(name, each: 1, body)
    }

    /// Prints what one of the `count` things costs that a call of `body` does.
    func callAsFunction(_ name: String, each count: Int, _ body: () -> Void) {
        let clock = ContinuousClock()
        var rounds = 1
        // The first calls fill caches and find out how many fit into a sample.
        while clock.measure({ for _ in 0..<rounds { body() } }) < Self.sampleTime { rounds *= 2 }
        var least = Duration.seconds(3600)
        var allocations = Int.max
        for _ in 0..<Self.samples {
            let before = allocations_made()
            let time = clock.measure { for _ in 0..<rounds { body() } }
            allocations = min(allocations, Int(allocations_made() - before))
            least = min(least, time)
        }
        let number = Double(rounds * count)
        let nanoseconds = Double(least.components.attoseconds) / 1e9 + Double(least.components.seconds) * 1e9
        print("| \(name) | \(Self.text(nanoseconds / number)) | \(Self.text(Double(allocations) / number)) |")
    }

    /// A number with as many places as it deserves.
    static func text(_ number: Double) -> String {
        if number >= 100 { return "\(Int(number.rounded()))" }
        let tenths = Int((number * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

/// Keeps the optimiser from leaving out what makes a value.
@_optimize(none)
func keep<Value: ~Copyable>(_ value: borrowing Value) {}
