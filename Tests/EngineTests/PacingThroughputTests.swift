import TestSupport
import Testing

@Suite("pacing a provider that enforces its limit strictly", .blocking)
struct PacingThroughputTests {
    struct Load: CustomTestStringConvertible {
        var requests: Int
        var window: Duration
        var workers: Int
        var cycles: Int
        /// The least share of N / (W + round trip): short windows leave more to the scheduler of the machine.
        var share: Double
        var testDescription: String { "\(requests) per \(window), \(workers) workers" }
    }

    @Test(
        "nothing is refused, and the speed is that of the limit",
        arguments: [
            Load(requests: 20, window: .seconds(2), workers: 1, cycles: 2, share: 0.98),
            Load(requests: 20, window: .seconds(2), workers: 4, cycles: 2, share: 0.98),
            Load(requests: 3, window: .seconds(1), workers: 2, cycles: 3, share: 0.98),
            Load(requests: 10, window: .milliseconds(200), workers: 1, cycles: 6, share: 0.8),
            Load(requests: 10, window: .milliseconds(200), workers: 4, cycles: 6, share: 0.8),
        ])
    func saturated(_ load: Load) throws {
        let provider = try StrictProvider(load.requests, per: load.window)
        let milliseconds = Int(load.window / .milliseconds(1))
        let limits = "limits: [{ requests: \(load.requests), per: \(milliseconds)ms, by: provider }]"
        try withProxy(
            to: provider.upstream, provider: "\(limits), max_wait: 60s", workers: load.workers
        ) { proxy in
            let count = load.requests * load.cycles + 1
            let clients = try (0..<count).map { _ in try proxy.client() }
            for client in clients { try client.request("GET", "/p/things") }
            var roundTrip = 0.0
            for client in clients {
                let response = try client.readResponse(within: .seconds(20))
                #expect(response.status == 200)
                roundTrip += response.timing("upstream") / Double(count)
            }
            #expect(provider.refusals == 0)
            #expect(
                try proxy.metric(#"weir_provider_rejections_total{provider="p",code="rate_limited"}"#) == 0)

            // The first of each cycle waits for the slot of the first of the one before.
            let arrivals = provider.arrivals
            try #require(arrivals.count == count)
            let measured = (arrivals[count - 1] - arrivals[0]) / .milliseconds(1)
            let ideal = Double(load.cycles) * (load.window / .milliseconds(1) + roundTrip)
            #expect(measured * load.share <= ideal, "\(measured) ms, ideally \(ideal) ms")
        }
    }
}
