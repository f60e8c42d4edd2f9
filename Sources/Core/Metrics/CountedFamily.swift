/// A family whose counters the shards hold: the beginnings of its lines, written once, and where their values
/// are.
struct CountedFamily: Sendable {
    let family: MetricFamily
    private let headers: [ExpositionFormat: [UInt8]]
    private var text = ExpositionText()
    private var ends: [Int] = []
    private var places: [Int] = []
    private let bounds: HistogramBounds?

    /// - Parameter bounds: of a histogram, `nil` for all others.
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

    /// Adds the series with these label values, whose first counter is at `place`.
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
    func write(_ totals: [UInt64], in format: ExpositionFormat, to output: inout ExpositionText) {
        output.append((headers[format] ?? [])[...])
        var line = 0
        for place in places {
            if let bounds {
                writeHistogram(bounds, totals[place..<place + bounds.stride], &line, &output)
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
        _ bounds: HistogramBounds, _ values: ArraySlice<UInt64>, _ line: inout Int,
        _ output: inout ExpositionText
    ) {
        var count: UInt64 = 0
        for bucket in values.dropLast() {
            count &+= bucket
            writePrefix(&line, &output)
            output.endLine(count)
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
