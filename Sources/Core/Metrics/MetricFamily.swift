/// One family of metrics, as the documentation lists it and as `/metrics` announces it.
public struct MetricFamily: Sendable, Equatable {
    /// What the numbers of a family do.
    public enum Kind: String, Sendable {
        /// Only grows, and starts again at 0 with the process.
        case counter
        /// Goes up and down.
        case gauge
        /// Observations counted in cumulative buckets, with their sum and their number.
        case histogram
        /// Always 1: what it says is in its labels.
        case info
    }

    /// The name in the Prometheus text format: a counter's ends in `_total`, an info's in `_info`.
    public let name: String
    /// What the numbers do.
    public let kind: Kind
    /// The base unit (`seconds`, `bytes`), or `nil` for a plain number.
    ///
    /// It is the suffix of ``openMetricsName``, as OpenMetrics 1.0 asks.
    public let unit: String?
    /// The names of its labels, in the order of the exposition; `le` of a histogram is not among them.
    public let labels: [String]
    /// One line for people.
    public let help: String

    init(_ name: String, _ kind: Kind, unit: String? = nil, labels: [String] = [], help: String) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.labels = labels
        self.help = help
        assert(unit.map { openMetricsName.hasSuffix("_" + $0) } ?? true, "\(name): the unit is the suffix")
    }

    /// The name in OpenMetrics 1.0: there `_total` and `_info` belong to the sample, not to the family.
    public var openMetricsName: String {
        switch kind {
        case .counter: String(name.dropLast("_total".count))
        case .info: String(name.dropLast("_info".count))
        case .gauge, .histogram: name
        }
    }
}
