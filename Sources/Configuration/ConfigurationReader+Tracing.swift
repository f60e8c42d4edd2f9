internal import Core

extension YAMLValue {
    /// The value of `tracing`; `nil` for an empty section.
    var tracing: TracingConfiguration? {
        let members = members(of: ConfigurationReader.TracingKey.self)
        var endpoint: UpstreamURL?
        var (sample, fields): (SamplingRate?, [TracingConfiguration.Field]) = (nil, [])
        var authorities: YAMLValue?
        var isNamed = false
        for (key, value) in members {
            switch key {
            case .endpoint:
                isNamed = true
                endpoint = value.collectorURL
            case .sample:
                sample = value.parsed { text throws(InvalidSetting) in try SamplingRate(parsing: text) }
            case .headers: fields = value.collectorFields
            case .caFile: authorities = value
            }
        }
        let caFile = authorities?.readableFile
        if !isNamed, !members.isEmpty { report("needs `endpoint`, such as http://127.0.0.1:4318") }
        guard let endpoint else { return nil }
        if !endpoint.isTLS { authorities?.report("has no effect: the endpoint is http://") }
        var tracing = TracingConfiguration(endpoint: endpoint)
        sample.map { tracing.sample = $0 }
        tracing.fields = fields
        tracing.caFile = caFile
        return tracing
    }

    /// A collector's base URL; one with a user, a password or a query is not shown in mistakes.
    private var collectorURL: UpstreamURL? {
        parsed(isSecret: { $0.contains("@") || $0.contains("?") }) { text throws(InvalidSetting) in
            guard !text.contains("@") else {
                throw InvalidSetting("must have no user and password; credentials belong in `headers`")
            }
            do throws(InvalidSetting) {
                return try UpstreamURL(parsing: text)
            } catch {
                throw InvalidSetting(
                    "\(error.reason); it is the base URL of OTLP over HTTP, such as http://127.0.0.1:4318")
            }
        }
    }

    /// Fields of the requests to a collector, whose values are never shown.
    private var collectorFields: [TracingConfiguration.Field] {
        let members = members(allowed: nil)
        guard members.count <= TracingConfiguration.maximumFields else {
            report("has \(members.count) fields; allowed: at most \(TracingConfiguration.maximumFields)")
            return []
        }
        return members.compactMap { name, value in
            if let reason = TracingConfiguration.reasonAgainstField(name) {
                value.report("the name \(reason)")
                return nil
            }
            return value.fieldValue.map { TracingConfiguration.Field(name: name, value: $0) }
        }
    }

    /// The value of a header field; it is never shown.
    private var fieldValue: Secret? {
        parsed(isSecret: { _ in true }) { text throws(InvalidSetting) in
            guard (1...4096).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }),
                text.first != " ", text.last != " "
            else {
                throw InvalidSetting(
                    "must be 1 to 4096 printable ASCII characters without blanks at its ends (the value is not shown)"
                )
            }
            return Secret(text)
        }
    }
}
