import Testing

@testable import Core

#if canImport(Glibc)
    import Glibc
#endif

/// The comparison that the documentation shows: five seeds of one hour each.
///
/// `WEIR_PRINT_TABLE=1 swift test -c release --filter SimulationTable` prints it.
@Suite("the pacing table", .enabled(if: ProcessInfo.printsTable))
struct SimulationTable {
    @Test("prints what share of requests each limiter gets refused")
    func table() {
        let heads = ["client algorithm", "saturating: refused (accepted/s)", "bursty: refused"]
        print("| " + (heads + ["when refusals count too"]).joined(separator: " | ") + " |")
        print("|---|---|---|---|")
        for (name, limiter) in SimulationTests.others { row(name, limiter) }
        row("free again W after the first byte of the response", nil)
    }

    private func row(_ name: String, _ limiter: SendTimeLimiter?) {
        let saturating = runs(limiter, load: .saturating, provider: .slidingWindow)
        let bursty = runs(limiter, load: .bursty, provider: .slidingWindow)
        let counting = runs(limiter, load: .saturating, provider: .slidingWindowThatCountsRefusals)
        print(
            "| \(name) | \(percent(saturating.share)) (\(hundredths(saturating.rate)))",
            "| \(percent(bursty.share)) | \(percent(counting.share)) (\(hundredths(counting.rate))) |")
    }

    private func runs(
        _ limiter: SendTimeLimiter?, load: PacingScenario.Load, provider: SimulatedProvider.Kind
    ) -> (share: Double, rate: Double) {
        var refused = 0
        var accepted = 0
        var rate = 0.0
        for seed: UInt64 in 1...5 {
            let scenario = PacingScenario(
                provider: provider, load: load, latency: .spiky, seed: seed, seconds: 3600)
            var simulation = PacingSimulation(scenario, limiter: limiter)
            let result = simulation.run()
            refused += result.refused
            accepted += result.accepted
            rate += result.throughput / 5
        }
        return (Double(refused) / Double(max(refused + accepted, 1)), rate)
    }

    private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }

    private func hundredths(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}

private enum ProcessInfo {
    static var printsTable: Bool { unsafe getenv("WEIR_PRINT_TABLE") != nil }
}
