import Foundation
import Testing

/// The sections and tables of the README and of the pages in `docs/`.
struct Documents {
    private let lines: [Substring]

    init() throws {
        lines = try Self.text().split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The text of all of them.
    static func text() throws -> String {
        try (["README.md"] + pages()).map { try file($0) }.joined(separator: "\n")
    }

    /// The paths of the pages in `docs/`.
    static func pages() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "docs").path)
            .filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
    }

    /// The paths of the pages in `docs/internals/`.
    static func internals() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "docs/internals").path)
            .filter { $0.hasSuffix(".md") }.sorted().map { "docs/internals/\($0)" }
    }

    /// The paths of the pages in `docs/runbook/`.
    static func runbook() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "docs/runbook").path)
            .filter { $0.hasSuffix(".md") }.sorted().map { "docs/runbook/\($0)" }
    }

    /// The project's folder.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The text of a file of the project.
    static func file(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The lines under a heading, up to the next of the same or a higher level.
    func section(_ heading: String) throws -> [Substring] {
        let start = try #require(lines.firstIndex { $0 == heading }, "no section '\(heading)'")
        let level = heading.prefix { $0 == "#" }.count
        let end = lines[(start + 1)...].firstIndex { line in
            let marks = line.prefix { $0 == "#" }.count
            return (1...level).contains(marks) && line.dropFirst(marks).first == " "
        }
        return Array(lines[(start + 1)..<(end ?? lines.endIndex)])
    }

    /// The rows of the tables under a heading, without headings and rules.
    func rows(_ heading: String) throws -> [[String]] {
        var rows: [[String]] = []
        var isInTable = false
        for line in try section(heading) {
            guard line.hasPrefix("|") else {
                isInTable = false
                continue
            }
            // A bar inside a cell is written `\|`.
            let cells = line.replacing("\\|", with: "\u{1}").split(separator: "|").map {
                $0.replacing("\u{1}", with: "|").trimmingCharacters(in: .whitespaces)
            }
            if isInTable, !line.hasPrefix("|--") { rows.append(cells) }
            isInTable = true
        }
        return rows
    }
}

extension String {
    /// The words between backquotes.
    var quoted: [String] {
        split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }
}
