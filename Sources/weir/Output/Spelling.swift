internal import ProxyCore

/// Values as the configuration spells them.
enum Spelling {
    /// A length of time, such as `250ms`, `2s` or `1.5s`.
    static func duration(_ duration: Duration) -> String {
        let milliseconds = duration.wholeNanoseconds / 1_000_000
        guard milliseconds % 1000 == 0 else {
            return milliseconds < 1000 ? "\(milliseconds)ms" : "\(Double(milliseconds) / 1000)s"
        }
        for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)] as [(String, Int64)]
        where milliseconds > 0 && milliseconds % length == 0 {
            return "\(milliseconds / length)\(unit)"
        }
        return "\(milliseconds / 1000)s"
    }

    /// Rate limits, such as `20 per 2s by credential`.
    static func limits(_ limits: [RateLimit]) -> String {
        guard let first = limits.first else { return "none" }
        let windows = limits.map { "\($0.requests) per \(duration($0.per))" }
        return windows.joined(separator: ", ") + " by \(first.by.rawValue)"
    }

    /// `1 case`, `2 cases`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
