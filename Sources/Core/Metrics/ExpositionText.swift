/// The bytes of an exposition while it is written.
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

    /// The name of a sample and its labels, their values escaped (the same rule in both formats), and the
    /// blank before the value.
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

    /// The lines that announce a family.
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
