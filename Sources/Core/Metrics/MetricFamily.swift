internal import Wire

/// One family of metrics, as documented and as announced by `/metrics`.
public struct MetricFamily: Sendable, Equatable {
    /// The type of a family.
    public enum Kind: String, Sendable {
        /// Only grows, and restarts at 0 with the process.
        case counter
        /// Goes up and down.
        case gauge
        /// Observations counted in cumulative buckets, with their sum and their number.
        case histogram
        /// Always 1; the information is in its labels.
        case info
    }

    /// The name in the Prometheus text format: `_total` at the end of a counter's, `_info` of an info's.
    public let name: String
    /// The type.
    public let kind: Kind
    /// The base unit (`seconds`, `bytes`), or `nil` for a plain number.
    ///
    /// It is the suffix of ``openMetricsName``, as OpenMetrics 1.0 asks.
    public let unit: String?
    /// The names of its labels, in the order of the exposition, without `le` of a histogram.
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

    /// The name in OpenMetrics 1.0, where `_total` and `_info` belong to the sample, not to the family.
    public var openMetricsName: String {
        switch kind {
        case .counter: String(name.dropLast("_total".count))
        case .info: String(name.dropLast("_info".count))
        case .gauge, .histogram: name
        }
    }
}

/// A family whose counters are in the shards: the prebuilt beginnings of its lines, and the indices of their values.
struct CountedFamily: Sendable {
    let family: MetricFamily
    private let headers: [ExpositionFormat: [UInt8]]
    private var text = ExpositionText()
    private var ends: [Int] = []
    private var places: [Int] = []
    private let bounds: HistogramBounds?

    /// - Parameter bounds: for a histogram; `nil` otherwise.
    init(_ family: MetricFamily, bounds: HistogramBounds? = nil) {
        self.family = family
        self.bounds = bounds
        headers = Dictionary(
            uniqueKeysWithValues: ExpositionFormat.allCases.map { format in
                var header = ExpositionText()
                header.append(headerOf: family, in: format)
                return (format, header.bytes)
            })
    }

    /// Adds the series with these label values, whose first counter has the index `place`.
    mutating func add(_ values: [String], at place: Int) {
        precondition(values.count == family.labels.count, "\(family.name): a value for each label")
        let labels = zip(family.labels, values).map { (name: $0, value: $1) }
        places.append(place)
        guard let bounds else { return addLine(family.name, labels) }
        for bound in bounds.labels { addLine(family.name + "_bucket", labels + [("le", bound)]) }
        addLine(family.name + "_sum", labels)
        addLine(family.name + "_count", labels)
    }

    /// Writes the header and all lines.
    ///
    /// - Parameter exemplars: by the index of a bucket's counter; only OpenMetrics has them.
    func write(
        _ totals: [UInt64], in format: ExpositionFormat, exemplars: [Int: Exemplar] = [:],
        to output: inout ExpositionText
    ) {
        let exemplars = format == .openMetrics ? exemplars : [:]
        output.append((headers[format] ?? [])[...])
        var line = 0
        for place in places {
            if let bounds {
                writeHistogram(bounds, totals[place..<place + bounds.stride], exemplars, &line, &output)
            } else {
                writePrefix(&line, &output)
                if family.kind == .gauge {
                    output.endLine(Int(Int64(bitPattern: totals[place])))
                } else {
                    output.endLine(totals[place])
                }
            }
        }
    }

    private func writeHistogram(
        _ bounds: HistogramBounds, _ values: ArraySlice<UInt64>, _ exemplars: [Int: Exemplar],
        _ line: inout Int, _ output: inout ExpositionText
    ) {
        var count: UInt64 = 0
        for index in values.indices.dropLast() {
            count &+= values[index]
            writePrefix(&line, &output)
            if let exemplar = exemplars[index] {
                output.endLine(count, exemplar)
            } else {
                output.endLine(count)
            }
        }
        writePrefix(&line, &output)
        output.endLine(secondsOf: values.last ?? 0)
        writePrefix(&line, &output)
        output.endLine(count)
    }

    private func writePrefix(_ line: inout Int, _ output: inout ExpositionText) {
        let start = line == 0 ? 0 : ends[line - 1]
        output.append(text.bytes[start..<ends[line]])
        line += 1
    }

    private mutating func addLine(_ name: String, _ labels: [(name: String, value: String)]) {
        text.append(sample: name, labels: labels)
        ends.append(text.bytes.count)
    }
}

// The closed label sets. A raw value is an index into the counters, so they count up from 0; `count` is a constant
// because the data path multiplies by it.

/// The method of a request, as a metric label.
///
/// All other methods are ``other``: a label value never comes from the client.
public enum MethodClass: Int, Sendable, CaseIterable {
    case get, head, post, put, patch, delete, options, other

    static let count = 8

    /// The class of a method; method names are case-sensitive (RFC 9110 9.1).
    public init(_ method: borrowing Span<UInt8>) {
        if method.equals("GET") {
            self = .get
        } else if method.equals("POST") {
            self = .post
        } else if method.equals("PUT") {
            self = .put
        } else if method.equals("PATCH") {
            self = .patch
        } else if method.equals("DELETE") {
            self = .delete
        } else if method.equals("HEAD") {
            self = .head
        } else if method.equals("OPTIONS") {
            self = .options
        } else {
            self = .other
        }
    }

    var label: String { "\(self)" }
}

/// The class of a status that was sent to a client, as a metric label.
enum StatusClass: Int, CaseIterable {
    case none, success, redirection, clientError, serverError

    static let count = 5

    /// The class of `status`; `none` for 0 and for anything that is not a final status of RFC 9110 15.
    init(_ status: Int) {
        switch status {
        case 200...299: self = .success
        case 300...399: self = .redirection
        case 400...499: self = .clientError
        case 500...599: self = .serverError
        default: self = .none
        }
    }

    var label: String {
        switch self {
        case .none: "none"
        case .success: "2xx"
        case .redirection: "3xx"
        case .clientError: "4xx"
        case .serverError: "5xx"
        }
    }
}

/// The stage of an exchange in which its client disconnected.
public enum ClientAbortStage: Int, Sendable, CaseIterable {
    /// The client was still sending its request.
    case request
    /// The request was queued; nothing had been sent.
    case queue
    /// The provider was working.
    case upstream
    /// The response was being sent.
    case response

    static let count = 4

    var label: String { "\(self)" }
}

/// Why a request was rejected at the queue.
public enum QueueRefusalReason: Int, Sendable, CaseIterable {
    /// The wait would be longer than the provider's `max_wait`.
    case maxWait
    /// The wait would be longer than the request's own `Prefer: wait` (RFC 7240 4.3).
    case preferWait
    /// The queue is full.
    case queueFull
    /// Weir is shutting down.
    case shuttingDown

    static let count = 4

    var label: String {
        switch self {
        case .maxWait: "max_wait"
        case .preferWait: "prefer_wait"
        case .queueFull: "queue_full"
        case .shuttingDown: "shutting_down"
        }
    }
}

extension PauseReason {
    static let count = 3

    var label: String { name }

    /// The reason as metrics and pages show it.
    public var name: String {
        switch self {
        case .rateLimited: "rate_limited"
        case .quotaExceeded: "quota_exceeded"
        case .unavailable: "unavailable"
        }
    }
}

/// Why an attempt was retried.
enum RetryReason: Int, CaseIterable {
    case connection, response

    static let count = 2

    var label: String { "\(self)" }
}

/// How a provider rejects a request because of a limit.
enum Rejection: Int, CaseIterable {
    case rateLimited, quotaExceeded

    static let count = 2

    /// The problem code, and the label.
    var label: String {
        switch self {
        case .rateLimited: "rate_limited"
        case .quotaExceeded: "quota_exceeded"
        }
    }
}

/// The statuses of providers that have their own series, and one other label per class.
///
/// A label for every number would be unbounded in practice, since a broken provider can respond with anything. The
/// list has the statuses of RFC 9110 that an API sends, and those of common CDNs.
enum UpstreamStatusLabels {
    private static let statuses: [Int] = [
        200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409,
        410,
        411, 412, 413, 414, 415, 416, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503,
        504,
        520, 521, 522, 523, 524, 525, 526, 529, 530,
    ]
    private static let rests = ["other_2xx", "other_3xx", "other_4xx", "other_5xx", "other"]

    /// The number of labels: a constant, because the data path multiplies by it.
    static let count = 56

    /// The label of each index.
    static let labels: [String] = statuses.map(String.init) + rests

    /// The index of each status from 0 to 599; all others have the last index, ``other``.
    static let places: [UInt8] = (0..<600).map { status in
        if let listed = statuses.firstIndex(of: status) { return UInt8(listed) }
        let rest = status < 200 ? rests.count - 1 : status / 100 - 2
        return UInt8(statuses.count + rest)
    }
}

/// The upper bounds of a histogram's buckets and their labels.
struct HistogramBounds: Sendable {
    /// Inclusive upper bounds in nanoseconds, in ascending order; the unbounded bucket follows.
    let nanoseconds: [Int64]
    /// The `le` label of each bucket, including `+Inf`: the same text in both formats, so that a scraper that changes
    /// its format finds the same series.
    let labels: [String]

    private init(microseconds: [Int64]) {
        nanoseconds = microseconds.map { $0 * 1000 }
        labels = microseconds.map(Self.label) + ["+Inf"]
    }

    /// The number of counters per series: the buckets and the sum.
    var stride: Int { nanoseconds.count + 2 }

    /// The bucket of a value.
    func bucket(_ value: Int64) -> Int {
        var index = 0
        while index < nanoseconds.count, value > nanoseconds[index] { index += 1 }
        return index
    }

    /// OpenMetrics requires a decimal point: `0.005`, `1.0`.
    private static func label(_ microseconds: Int64) -> String {
        var fraction = String(String(1_000_000 + microseconds % 1_000_000).dropFirst())
        while fraction.count > 1, fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(microseconds / 1_000_000).\(fraction)"
    }

    /// As recommended by OpenTelemetry's semantic conventions for `http.client.request.duration`.
    static let request = HistogramBounds(microseconds: requestMicroseconds)

    /// The same with two more buckets, since a queue may wait for up to `max_wait`.
    static let queue = HistogramBounds(microseconds: requestMicroseconds + [30_000_000, 60_000_000])

    /// The overhead of the proxy, in microseconds.
    static let overhead = HistogramBounds(
        microseconds: [
            10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
        ])

    private static let requestMicroseconds: [Int64] = [
        5000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000,
        5_000_000, 7_500_000, 10_000_000,
    ]
}
