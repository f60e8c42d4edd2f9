import Testing

@testable import Core

#if canImport(Glibc)
    import Glibc
#endif

@Suite("the simulation of exchanges")
struct ExchangeSimulationTests {
    /// How many parts run at the same time.
    private static let parts = 4

    @Test("exchanges keep their promises in every order of events", arguments: 0..<parts)
    func seeds(part: Int) {
        let count = SimulatedSeeds.count / Self.parts
        var steps = 0
        for seed in SimulatedSeeds.first + UInt64(part * count)..<SimulatedSeeds.first
            + UInt64((part + 1) * count)
        {
            SimulatedSeeds.begin(seed, in: part)
            let simulation = ExchangeSimulation(seed: seed)
            let failure = simulation.run()
            steps += simulation.exchanges.reduce(0) { $0 + $1.steps }
            if let failure {
                let traced = ExchangeSimulation(seed: seed, keepsTrace: true)
                _ = traced.run()
                Issue.record("\(failure)\n\(traced.trace.joined(separator: "\n"))")
                break
            }
        }
        SimulatedSeeds.end(part)
        #expect(count == 0 || steps > count)
    }

    /// `WEIR_EXCHANGE_SEED=N swift test --filter ExchangeSimulationTests.oneSeed` prints the course of one seed, also where it traps.
    @Test("one seed with its trace", .enabled(if: SimulatedSeeds.traced != nil))
    func oneSeed() throws {
        let simulation = ExchangeSimulation(seed: try #require(SimulatedSeeds.traced), printsTrace: true)
        #expect(simulation.run() == nil)
    }
}

/// Which seeds are played; `Scripts/simulate` sets the variables.
private enum SimulatedSeeds {
    static let count = number("WEIR_EXCHANGE_SEEDS").map { Int(clamping: $0) } ?? 10_000
    static let first = number("WEIR_EXCHANGE_FIRST_SEED") ?? 1
    static let traced = number("WEIR_EXCHANGE_SEED")

    private static func number(_ name: String) -> UInt64? {
        unsafe getenv(name).flatMap { unsafe UInt64(String(cString: $0)) }
    }

    /// The seeds that run now, a place per part: a signal's handler reads them.
    nonisolated(unsafe) private static let current: UnsafeMutablePointer<UInt64> = {
        let places = UnsafeMutablePointer<UInt64>.allocate(capacity: 8)
        unsafe places.initialize(repeating: 0, count: 8)
        for number in [SIGILL, SIGTRAP] { signal(number, SimulatedSeeds.printAndStop) }
        return unsafe places
    }()

    static func begin(_ seed: UInt64, in part: Int) { unsafe current[part] = seed }
    static func end(_ part: Int) { unsafe current[part] = 0 }

    /// Prints which seeds ran when the machine trapped; one of them is the cause.
    private static let printAndStop: @convention(c) (Int32) -> Void = { number in
        for place in 0..<8 where unsafe SimulatedSeeds.current[place] != 0 {
            let line = "trap while this seed ran: \(unsafe SimulatedSeeds.current[place])\n"
            _ = unsafe line.withCString { unsafe write(2, $0, strlen($0)) }
        }
        signal(number, SIG_DFL)
    }
}
