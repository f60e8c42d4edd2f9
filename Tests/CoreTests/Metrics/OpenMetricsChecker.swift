/// A strict reader of OpenMetrics 1.0 that lists what breaks its rules.
///
/// It knows what an exposition of counters, gauges, histograms and infos may contain, and takes everything
/// else for a fault.
struct OpenMetricsChecker {
    private var complaints: [String] = []
    private var family = ""
    private var kind = ""
    private var seenFamilies: Set<String> = []
    private var seenSamples: Set<String> = []
    private var familyHasSamples = false
    private var histograms: [String: Buckets] = [:]

    private struct Buckets {
        var last = -1.0
        var bound = -Double.infinity
        var infinite: Double?
        var count: Double?
        var hasSum = false
    }

    static func complaints(_ text: String) -> [String] {
        var checker = OpenMetricsChecker()
        if !text.hasSuffix("\n# EOF\n") { checker.complaints.append("does not end in # EOF") }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast(2)
        for line in lines { checker.read(String(line)) }
        checker.endFamily()
        return checker.complaints
    }

    private mutating func read(_ line: String) {
        guard line.hasPrefix("#") else { return readSample(line) }
        let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
        guard parts.count == 4, parts[0] == "#" else { return complain("a comment", line) }
        if parts[2] != family {
            endFamily()
            if !seenFamilies.insert(parts[2]).inserted { complain("family again", line) }
            (family, kind, familyHasSamples) = (parts[2], "", false)
        }
        if familyHasSamples { complain("metadata after samples", line) }
        switch parts[1] {
        case "TYPE":
            kind = parts[3]
            if !["counter", "gauge", "histogram", "info"].contains(kind) { complain("type", line) }
            if family.hasSuffix("_total") || family.hasSuffix("_info") {
                complain("suffix of a sample", line)
            }
        case "UNIT":
            if !family.hasSuffix("_" + parts[3]) { complain("unit is not the suffix", line) }
        case "HELP": break
        default: complain("a comment", line)
        }
    }

    private mutating func readSample(_ line: String) {
        guard let blank = line.lastIndex(of: " "), let value = Double(line[line.index(after: blank)...])
        else {
            return complain("no value", line)
        }
        let series = String(line[..<blank])
        if !seenSamples.insert(series).inserted { complain("sample again", line) }
        familyHasSamples = true
        let name = String(series.prefix { $0 != "{" })
        guard let labels = Self.labels(String(series.dropFirst(name.count))) else {
            return complain("labels", line)
        }
        switch (kind, name) {
        case ("counter", family + "_total"):
            if value < 0 { complain("negative counter", line) }
        case ("gauge", family): break
        case ("info", family + "_info"):
            if value != 1 { complain("info is not 1", line) }
        case ("histogram", _):
            readHistogram(name, labels, value, line)
        default: complain("not a sample of \(kind) \(family)", line)
        }
    }

    private mutating func readHistogram(
        _ name: String, _ labels: [(String, String)], _ value: Double, _ line: String
    ) {
        let key = labels.filter { $0.0 != "le" }.map { "\($0)=\($1)" }.joined(separator: ",")
        var buckets = histograms[key] ?? Buckets()
        let bound = labels.first { $0.0 == "le" }?.1
        switch name {
        case family + "_bucket":
            guard let bound, bound == "+Inf" || bound.contains("."),
                let limit = bound == "+Inf" ? Double.infinity : Double(bound)
            else { return complain("le", line) }
            if limit <= buckets.bound { complain("bounds do not grow", line) }
            if value < buckets.last { complain("buckets are not cumulative", line) }
            (buckets.bound, buckets.last) = (limit, value)
            if limit == .infinity { buckets.infinite = value }
        case family + "_sum": buckets.hasSum = true
        case family + "_count": buckets.count = value
        default: complain("not a sample of histogram \(family)", line)
        }
        histograms[key] = buckets
    }

    private mutating func endFamily() {
        for (key, buckets) in histograms
        where buckets.infinite == nil || buckets.infinite != buckets.count || !buckets.hasSum {
            complain("incomplete histogram", "\(family){\(key)}")
        }
        histograms = [:]
        if !family.isEmpty, kind.isEmpty { complain("no type", family) }
    }

    private mutating func complain(_ fault: String, _ line: String) {
        complaints.append("\(fault): \(line)")
    }

    /// The labels of `{name="value",…}` or of nothing; `nil` if they are not written so.
    private static func labels(_ text: String) -> [(String, String)]? {
        guard !text.isEmpty else { return [] }
        guard text.hasPrefix("{"), text.hasSuffix("}") else { return nil }
        var labels: [(String, String)] = []
        var rest = text.dropFirst().dropLast()
        while true {
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            guard let first = name.first, first.isLetter else { return nil }
            rest = rest.dropFirst(name.count)
            guard rest.hasPrefix("=\"") else { return nil }
            rest = rest.dropFirst(2)
            var value = ""
            while let character = rest.first, character != "\"" {
                rest = rest.dropFirst()
                guard character != "\\" || ["\\", "\"", "n"].contains(rest.first) else { return nil }
                if character == "\\" { value.append(rest.removeFirst()) } else { value.append(character) }
            }
            guard rest.first == "\"" else { return nil }
            labels.append((String(name), value))
            rest = rest.dropFirst()
            if rest.isEmpty { return labels }
            guard rest.first == "," else { return nil }
            rest = rest.dropFirst()
        }
    }
}
