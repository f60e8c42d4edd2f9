internal import Core

extension ConfigurationReader {
    /// `off`, `on` for the defaults, or when a circuit opens; `nil` for none.
    func circuitBreaker(from value: YAMLValue) -> CircuitBreaker.Policy? {
        guard value.isMapping else {
            if value.isSequence {
                value.report("must be off, on, or a section with: \(Self.circuitKeys)")
                return nil
            }
            return !value.isNull && value.boolean == true ? CircuitBreaker.Policy() : nil
        }
        var policy = CircuitBreaker.Policy()
        for (key, value) in value.members(of: CircuitKey.self) {
            switch key {
            case .failureRatio: value.percent.map { policy.failurePercent = $0 }
            case .window: value.duration(.seconds(1) ... .seconds(3600)).map { policy.window = $0 }
            case .minimum: value.integer(1...1_000_000).map { policy.minimum = $0 }
            case .openFor: value.duration(.milliseconds(100) ... .seconds(3600)).map { policy.openFor = $0 }
            }
        }
        return policy
    }

    private static var circuitKeys: String { CircuitKey.allCases.map(\.rawValue).joined(separator: ", ") }
}
