internal import Wire

/// The text of an exposition under construction.
struct ExpositionText {
    private(set) var bytes: [UInt8] = []

    mutating func reserve(_ count: Int) {
        bytes.reserveCapacity(count)
    }

    /// Text that needs no escaping.
    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    mutating func append(_ other: ArraySlice<UInt8>) {
        bytes.append(contentsOf: other)
    }

    /// A value and the end of its line.
    mutating func endLine(_ value: UInt64) {
        appendDecimal(value)
        bytes.append(0x0A)
    }

    /// A value with an exemplar, and the end of its line (OpenMetrics 1.0).
    mutating func endLine(_ value: UInt64, _ exemplar: Exemplar) {
        appendDecimal(value)
        append(" # {trace_id=\"\(exemplar.trace)\"} ")
        JSONWriter.seconds(Double(max(0, exemplar.nanoseconds)) / 1e9, into: &bytes)
        append(" ")
        JSONWriter.seconds(Double(exemplar.wallMilliseconds) / 1e3, into: &bytes)
        bytes.append(0x0A)
    }

    /// A value that may be negative, and the end of its line.
    mutating func endLine(_ value: Int) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        endLine(UInt64(value.magnitude))
    }

    /// Nanoseconds as seconds, and the end of the line.
    mutating func endLine(secondsOf nanoseconds: UInt64) {
        appendDecimal(nanoseconds / 1_000_000_000)
        var rest = nanoseconds % 1_000_000_000
        if rest > 0 {
            bytes.append(UInt8(ascii: "."))
            var unit: UInt64 = 100_000_000
            while rest > 0 {
                bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / unit))
                rest %= unit
                unit /= 10
            }
        }
        bytes.append(0x0A)
    }

    /// The name of a sample and its labels with escaped values (the rule is the same in both formats), and the space
    /// before the value.
    mutating func append(sample name: String, labels: [(name: String, value: String)]) {
        append(name)
        for (index, label) in labels.enumerated() {
            append(index == 0 ? "{" : ",")
            append(label.name)
            append("=\"")
            append(escaping: label.value)
            append("\"")
        }
        append(labels.isEmpty ? " " : "} ")
    }

    /// The header lines of a family.
    mutating func append(headerOf family: MetricFamily, in format: ExpositionFormat) {
        let open = format == .openMetrics
        let name = open ? family.openMetricsName : family.name
        let kind = !open && family.kind == .info ? MetricFamily.Kind.gauge : family.kind
        append("# TYPE \(name) \(kind.rawValue)\n")
        if open, let unit = family.unit { append("# UNIT \(name) \(unit)\n") }
        append("# HELP \(name) \(family.help)\n")
    }

    private mutating func append(escaping value: String) {
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\""): append("\\\"")
            case 0x0A: append("\\n")
            default: bytes.append(byte)
            }
        }
    }

    private mutating func appendDecimal(_ value: UInt64) {
        guard value >= 10 else {
            bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value))
            return
        }
        let start = bytes.count
        var rest = value
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }
}

/// The text format of `/metrics`.
public enum ExpositionFormat: Sendable, CaseIterable {
    /// The Prometheus text format 0.0.4.
    case prometheusText
    /// OpenMetrics 1.0.
    case openMetrics

    /// The value of `Content-Type`.
    public var contentType: String {
        switch self {
        case .prometheusText: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// The format that an `Accept` field asks for (RFC 9110 12.5.1).
    ///
    /// OpenMetrics only if it is named, in version 1.0.0 or without a version, with a weight above 0 that is not
    /// below the weight of plain text. Everything else, including no field or an invalid one, gets plain text,
    /// because a scrape should not fail with 406.
    public init(accept: String?) {
        var openMetrics = 0
        var plain = 0
        for range in (accept ?? "").utf8.split(separator: UInt8(ascii: ",")) {
            let media = MediaRange(Substring(range))
            switch media.type {
            case "application/openmetrics-text" where media.version == nil || media.version == "1.0.0":
                openMetrics = max(openMetrics, media.weight)
            case "text/plain", "text/*", "*/*":
                plain = max(plain, media.weight)
            default: break
            }
        }
        self = openMetrics > 0 && openMetrics >= plain ? .openMetrics : .prometheusText
    }
}

/// One element of an `Accept` field.
private struct MediaRange {
    var type = ""
    var version: String?
    /// In thousandths: RFC 9110 12.4.2 allows three digits.
    var weight = 1000

    init(_ text: Substring) {
        for (index, part) in text.split(separator: ";", omittingEmptySubsequences: false).enumerated() {
            let part = Self.trimmed(part).lowercased()
            if index == 0 {
                type = part
            } else if part.hasPrefix("q=") {
                weight = Self.weight(part.dropFirst(2))
            } else if part.hasPrefix("version=") {
                version = part.dropFirst("version=".count).filter { $0 != "\"" }
            }
        }
    }

    /// 0 for an invalid weight: such an element asks for nothing.
    private static func weight(_ text: Substring) -> Int {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first.flatMap({ Int($0) }), whole == 0 || whole == 1 else { return 0 }
        guard parts.count == 2, !parts[1].isEmpty else { return whole * 1000 }
        let digits = parts[1] + String(repeating: "0", count: max(0, 3 - parts[1].utf8.count))
        guard digits.utf8.count == 3, digits.utf8.allSatisfy({ $0.isASCIIDigit }) else { return 0 }
        return min(1000, whole * 1000 + (Int(digits) ?? 0))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.utf8.first, first.isBlank { text = text.dropFirst() }
        while let last = text.utf8.last, last.isBlank { text = text.dropLast() }
        return text
    }
}
