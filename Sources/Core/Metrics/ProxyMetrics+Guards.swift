// What keeps requests from a provider: read when somebody asks.
extension ProxyMetrics {
    static let guardFamilies: [MetricFamily] = [.quarantinedCredentials, .circuitState]

    func writeGuards(
        _ gauges: [(provider: String, guards: GuardGauges)], _ format: ExpositionFormat,
        _ output: inout ExpositionText
    ) {
        func write(_ family: MetricFamily, _ value: (GuardGauges) -> Int) {
            output.append(headerOf: family, in: format)
            for (provider, guards) in gauges {
                output.append(sample: family.name, labels: [("provider", provider)])
                output.endLine(value(guards))
            }
        }
        write(.quarantinedCredentials, \.quarantinedCredentials)
        write(.circuitState, \.circuit.rawValue)
    }
}

extension MetricFamily {
    static let quarantinedCredentials = MetricFamily(
        "weir_credentials_quarantined", .gauge, labels: ["provider"],
        help: "Credentials that are held back because the provider keeps refusing them.")
    static let circuitState = MetricFamily(
        "weir_circuit_state", .gauge, labels: ["provider"],
        help: "Whether requests are sent: 0 all (closed), 1 one at a time (half open), 2 none (open).")
}
