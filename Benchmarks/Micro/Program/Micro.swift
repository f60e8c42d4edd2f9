/// Prints what single steps of an exchange cost; see Benchmarks/README.md.
@main
enum Micro {
    static func main() throws {
        let measure = Measure()
        WireBenchmarks.run(measure)
        try NormaliserBenchmarks.run(measure)
        try PathBenchmarks.run(measure)
        MetricsBenchmarks.run(measure)
        LedgerBenchmarks.run(measure)
        LedgerMemory.run()
        Fairness.run()
    }
}
