internal import Core

/// The findings of `weir doctor`, for people and for scripts.
struct DoctorReport {
    var findings: [Finding]

    /// Whether nothing is wrong; warnings do not count.
    var isHealthy: Bool { !findings.contains { $0.level == .wrong } }

    /// A table, with each advice below its finding, and a summary.
    var lines: [String] {
        var table = TextTable("result", "of", "check", "found")
        for finding in findings {
            table.add(finding.level.rawValue, finding.subject, finding.check.rawValue, finding.fact)
            if let advice = finding.advice { table.add("", "", "", "  → \(advice)") }
        }
        return table.lines + ["", summary]
    }

    private var summary: String {
        Finding.Level.allCases.reversed().compactMap { level in
            let count = findings.count { $0.level == level }
            guard count > 0 || level == .wrong else { return nil }
            return level == .warning ? Spelling.count(count, "warning") : "\(count) \(level.rawValue)"
        }.joined(separator: ", ")
    }

    /// An object with `healthy` and the findings.
    var json: String {
        var output = Array(#"{"healthy":\#(isHealthy),"findings":["#.utf8)
        for (index, finding) in findings.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output += Array(#"{"result":"\#(finding.level.rawValue)","of":"#.utf8)
            JSONWriter.string(finding.subject, into: &output)
            output += Array(#","check":"\#(finding.check.rawValue)","found":"#.utf8)
            JSONWriter.string(finding.fact, into: &output)
            if let advice = finding.advice {
                output += Array(#","advice":"#.utf8)
                JSONWriter.string(advice, into: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
        output += Array("]}".utf8)
        return IndentedJSON.lay(out: output)
    }
}

/// What `weir doctor` is doing at the moment: one line on a terminal, nothing elsewhere.
struct DoctorProgress: Sendable {
    private let isShown = StandardStreams.errorIsTerminal

    /// Replaces the line.
    func show(_ text: String) {
        if isShown { StandardStreams.printProgress(text) }
    }

    /// Removes the line.
    func end() {
        if isShown { StandardStreams.printProgress("") }
    }
}
