internal import Core

/// Formats rows of cells as lines with aligned columns.
struct TextTable {
    private var rows: [[String]]

    /// A table with these headings.
    init(_ headings: String...) { rows = [headings] }

    /// Adds a row.
    mutating func add(_ cells: String...) { rows.append(cells) }

    /// The lines, without trailing spaces.
    var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (cell, width) in zip(row, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}

/// Formats values as the configuration spells them.
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
        let isOneScope = limits.allSatisfy { $0.by == first.by }
        let windows = limits.map { limit in
            let window =
                switch limit.span {
                case .rolling: "\(limit.requests) per \(duration(limit.per))"
                case .day: "\(limit.requests) per day"
                case .month: "\(limit.requests) per month"
                case .concurrent: "\(limit.requests) at a time"
                case .aligned: "\(limit.requests) per \(duration(limit.per)) of the provider's clock"
                }
            return isOneScope ? window : "\(window) by \(limit.by.name)"
        }
        return windows.joined(separator: ", ") + (isOneScope ? " by \(first.by.name)" : "")
    }

    /// `1 case`, `2 cases`.
    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
