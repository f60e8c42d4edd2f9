import Foundation
import Testing

@Suite("the links of the documents")
struct LinkTests {
    /// A link that leads to nothing, and where it is.
    private struct Broken: CustomStringConvertible {
        let file: String
        let target: String
        var description: String { "\(file): \(target)" }
    }

    private static let files =
        [
            "README.md", "CONTRIBUTING.md", "Sources/README.md", "Tests/README.md", "Benchmarks/README.md",
            "Deploy/README.md",
        ]
        + ((try? Documents.pages() + Documents.internals() + Documents.runbook()) ?? [])

    @Test("each link within the project leads to a file, and to a heading of it", arguments: files)
    func links(file: String) throws {
        let text = try Documents.file(file)
        let folder = Documents.root.appending(path: file).deletingLastPathComponent()
        var broken: [Broken] = []
        for target in Self.targets(in: text) where !target.contains("://") {
            let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let path = String(parts[0])
            let place = path.isEmpty ? Documents.root.appending(path: file) : folder.appending(path: path)
            guard FileManager.default.fileExists(atPath: place.path) else {
                broken.append(Broken(file: file, target: target))
                continue
            }
            guard parts.count > 1, place.pathExtension == "md" else { continue }
            let headings = Self.anchors(in: try String(contentsOf: place, encoding: .utf8))
            if !headings.contains(String(parts[1])) { broken.append(Broken(file: file, target: target)) }
        }
        #expect(broken.isEmpty)
    }

    @Test("each page of docs/ is linked from the README")
    func pages() throws {
        let targets = Set(Self.targets(in: try Documents.file("README.md")))
        for page in try Documents.pages() { #expect(targets.contains(page), "\(page)") }
    }

    /// The targets of links outside of code.
    private static func targets(in text: String) -> [String] {
        var targets: [String] = []
        for (index, part) in text.components(separatedBy: "```").enumerated() where index % 2 == 0 {
            for link in part.components(separatedBy: "](").dropFirst() {
                targets.append(String(link.prefix { $0 != ")" }))
            }
        }
        return targets
    }

    /// The anchors that GitHub makes of the headings.
    private static func anchors(in text: String) -> Set<String> {
        var anchors = Set<String>()
        for (index, part) in text.components(separatedBy: "```").enumerated() where index % 2 == 0 {
            for line in part.split(separator: "\n") where line.hasPrefix("#") {
                let words = line.drop { $0 == "#" }.dropFirst().lowercased()
                anchors.insert(
                    String(
                        words.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }
                            .map { $0 == " " ? "-" : $0 }))
            }
        }
        return anchors
    }
}
