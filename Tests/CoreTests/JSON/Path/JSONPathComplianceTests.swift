import Foundation
import Testing

@testable import Core

private enum ComplianceSuite {
    static let file = ProcessInfo.processInfo.environment["WEIR_JSONPATH_SUITE"]
}

/// The public compliance tests of RFC 9535 (`cts.json` of jsonpath-compliance-test-suite), which are no part of the project.
@Suite(
    "the public compliance tests of JSONPath",
    .enabled(
        if: ComplianceSuite.file != nil,
        "WEIR_JSONPATH_SUITE names no file: see Scripts/jsonpath-compliance"))
struct JSONPathComplianceTests {
    /// A test of the file, with its members by name.
    private struct Entry {
        let suite: JSONDocument
        let node: Int

        func text(_ name: Text) -> String? { suite.member(name, of: node).flatMap(suite.string)?.string }
        func members(_ name: Text) -> [Int] {
            var elements: [Int] = []
            if let list = suite.member(name, of: node) {
                suite.forEachElement(of: list) { elements.append($0) }
            }
            return elements
        }
    }

    @Test("each path selects what the suite expects, in one of the orders that it allows, or is refused")
    func all() throws {
        let file = try #require(ComplianceSuite.file)
        let suite = try #require(JSONDocument(Array(try Data(contentsOf: URL(filePath: file)))))
        let tests = try #require(suite.member("tests", of: suite.root))
        var count = 0
        var entries: [Entry] = []
        suite.forEachElement(of: tests) { entries.append(Entry(suite: suite, node: $0)) }
        for entry in entries {
            try check(entry)
            count += 1
        }
        print("\(count) tests of the suite")
        #expect(count > 500)
    }

    private func check(_ entry: Entry) throws {
        let name = entry.text("name") ?? ""
        let selector = try #require(entry.text("selector"), "\(name): no selector")
        guard entry.suite.member("invalid_selector", of: entry.node) == nil else {
            #expect(throws: JSONPathError.self, "\(name): \(selector)") { try JSONPath(parsing: selector) }
            return
        }
        let path = try JSONPath(parsing: selector)
        #expect(try JSONPath(parsing: path.description) == path, "\(name): printed as \(path)")
        let node = try #require(entry.suite.member("document", of: entry.node), "\(name): no document")
        let document = try #require(JSONDocument(Array(entry.suite.raw(node).bytes)))
        let nodes = path.nodes(in: document)
        let values = Self.json(nodes.map { document.raw($0).string })
        let result = entry.suite.member("result", of: entry.node).map { [$0] } ?? entry.members("results")
        let allowed = result.map { Self.json(entry.suite, list: $0) }
        #expect(allowed.contains(values), "\(name): \(selector) selects \(values)")
        // The Normalized Paths of the nodes: the same values elsewhere in the document are a mistake.
        let paths =
            entry.suite.member("result_paths", of: entry.node).map { [$0] } ?? entry.members("results_paths")
        guard !paths.isEmpty else { return }
        let places = try paths.map { list in
            var nodes: [Int?] = []
            var texts: [String] = []
            entry.suite.forEachElement(of: list) { texts.append(entry.suite.string($0)?.string ?? "") }
            for text in texts { nodes.append(try JSONPath(parsing: text).firstNode(in: document)) }
            return nodes
        }
        #expect(places.contains(nodes), "\(name): \(selector) selects \(nodes), not \(places)")
    }

    /// The values in one spelling.
    private static func json(_ texts: [String]) -> String {
        guard
            let value = try? JSONSerialization.jsonObject(
                with: Data("[\(texts.joined(separator: ","))]".utf8)),
            let data = try? JSONSerialization.data(withJSONObject: value, options: .sortedKeys)
        else { return "not JSON" }
        return String(decoding: data, as: UTF8.self)
    }

    private static func json(_ suite: JSONDocument, list: Int) -> String {
        var texts: [String] = []
        suite.forEachElement(of: list) { texts.append(suite.raw($0).string) }
        return json(texts)
    }
}
