// The state of the credentials that Weir holds, read at a scrape.
extension ProxyMetrics {
    /// A series for each state, of which one is 1: labels come from the configuration and from a closed list.
    func writeCredentials(
        _ gauges: [(provider: String, guards: GuardGauges)], _ format: ExpositionFormat,
        _ output: inout ExpositionText
    ) {
        output.append(headerOf: .credentialState, in: format)
        for (provider, guards) in gauges {
            for reading in guards.credentials {
                for state in CredentialStanding.State.allCases {
                    output.append(
                        sample: MetricFamily.credentialState.name,
                        labels: [
                            ("provider", provider), ("position", "\(reading.position)"),
                            ("state", state.rawValue),
                        ])
                    output.endLine(reading.state == state ? 1 : 0)
                }
            }
        }
        output.append(headerOf: .credentialStateSince, in: format)
        for (provider, guards) in gauges {
            for reading in guards.credentials {
                output.append(
                    sample: MetricFamily.credentialStateSince.name,
                    labels: [("provider", provider), ("position", "\(reading.position)")])
                output.endLine(max(0, Int(reading.since)))
            }
        }
    }
}

extension MetricFamily {
    static let credentialState = MetricFamily(
        "weir_credential_state", .gauge, labels: ["provider", "position", "state"],
        help: "1 for the state of a credential that Weir holds, 0 for the others.")
    static let credentialStateSince = MetricFamily(
        "weir_credential_state_since_timestamp_seconds", .gauge, unit: "seconds",
        labels: ["provider", "position"],
        help:
            "Time at which the state of a credential that Weir holds began, in seconds since 1970-01-01 UTC.")
}
