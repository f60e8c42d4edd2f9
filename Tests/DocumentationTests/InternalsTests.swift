import Core
import Foundation
import Testing

@Suite("the pages about the inside")
struct InternalsTests {
    @Test("the diagram of an exchange has the stages of its machine, and no other")
    func stages() throws {
        let text = try Documents.file("docs/internals/life-of-a-request.md")
        let diagram = try #require(text.components(separatedBy: "```mermaid").dropFirst().first)
        var stages = Set<String>()
        for line in diagram.components(separatedBy: "```")[0].split(separator: "\n") {
            let ends = line.components(separatedBy: "-->")
            guard ends.count == 2 else { continue }
            for end in [ends[0], ends[1].components(separatedBy: ":")[0]] {
                stages.insert(end.trimmingCharacters(in: .whitespaces))
            }
        }
        #expect(stages.subtracting(["[*]"]) == Set(ExchangeMachine.Stage.allCases.map { "\($0)" }))
    }

    @Test("what they name is in the sources", arguments: (try? Documents.internals()) ?? [])
    func names(page: String) throws {
        let sources = try Self.sources()
        let missing = Set(try Documents.file(page).quoted).filter { name in
            guard name.wholeMatch(of: /[A-Z][A-Za-z]*(\+[A-Z][A-Za-z]*)?(\.[a-z][A-Za-z]*)?/) != nil else {
                return false
            }
            return !name.split(separator: ".").allSatisfy { sources.contains($0) }
        }
        #expect(missing.isEmpty)
    }

    /// All words of the sources, the names of their files among them, as one text.
    private static func sources() throws -> String {
        var text = ""
        for folder in ["Sources", "Tests"] {
            let root = Documents.root.appending(path: folder)
            for case let file as URL in FileManager.default.enumerator(
                at: root, includingPropertiesForKeys: nil) ?? FileManager.DirectoryEnumerator()
            where ["swift", "c", "h", "lua"].contains(file.pathExtension) {
                text += "\(file.deletingPathExtension().lastPathComponent)\n"
                text += try String(contentsOf: file, encoding: .utf8)
            }
        }
        return text
    }
}
