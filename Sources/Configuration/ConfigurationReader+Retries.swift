internal import Core

extension ConfigurationReader {
    /// When a request is sent again.
    func readRetries(from value: YAMLValue, into retries: inout RetryPolicy) {
        for (key, value) in value.members(of: RetryKey.self) {
            switch key {
            case .max: value.integer(0...5).map { retries.maximum = $0 }
            case .on: causes(from: value).map { retries.causes = $0 }
            case .base: value.duration(.milliseconds(1) ... .seconds(60)).map { retries.base = $0 }
            case .cap: value.duration(.milliseconds(1) ... .seconds(600)).map { retries.cap = $0 }
            case .budget: value.percent.map { retries.budgetPercent = $0 }
            }
        }
    }

    private func causes(from value: YAMLValue) -> Set<RetryPolicy.Cause>? {
        guard value.isSequence else {
            _ = value.elements  // Reports what it is instead.
            return nil
        }
        let elements = value.elements
        if elements.isEmpty { value.report("must name at least one cause; `max: 0` switches retries off") }
        return Set(
            elements.compactMap { $0.choice(RetryPolicy.Cause.allCases.map { ($0.rawValue, $0) }) })
    }
}

extension YAMLValue {
    /// A whole number of hundredths, 1% to 100%.
    var percent: Int? {
        parsed { text throws(InvalidSetting) in
            guard text.hasSuffix("%"), let number = Int(text.dropLast()), (1...100).contains(number) else {
                throw InvalidSetting("must be a whole number of percent from 1% to 100%")
            }
            return number
        }
    }
}
