import BuiltIn
import Core
import Foundation
import TestSupport
import Testing

@testable import Configuration

@Suite("the page on profiles", .blocking)
struct ProfilePageTests {
    /// A block of code on the page: its language and its lines.
    private struct Block: CustomTestStringConvertible {
        var language: String
        var text: String
        var testDescription: String { String(text.prefix(60)) }
    }

    private static let blocks: [Block] = {
        let parts = ((try? Documents.file("docs/profiles.md")) ?? "").components(separatedBy: "```")
        return parts.enumerated().filter { $0.offset % 2 == 1 }.map { _, part in
            let lines = part.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            return Block(language: String(lines[0]), text: lines.count > 1 ? String(lines[1]) : "")
        }
    }()

    @Test(
        "each example in YAML is read, and its cases come out as recorded",
        arguments: blocks.filter { $0.language == "yaml" })
    private func example(block: Block) throws {
        let isNamed = block.text.hasPrefix("name:") || block.text.contains("\nname:")
        let text = isNamed ? block.text : "name: example\n" + block.text
        let generic = try ProfileReader.builtIn(BuiltIn.profiles).first { $0.name == "generic" }
        let isPart = block.text.hasPrefix("cases:")
        let profile = try ProfileReader.read(text: text, file: "example.yaml", generic: generic)
        guard !isPart else { return }
        let normalizer = ErrorNormalizer(profile: profile)
        for recorded in profile.cases {
            #expect(recorded.run(with: normalizer, decode: { body, _ in body }) == [], "\(recorded.id)")
        }
    }

    @Test("the commands of the tutorial print what the page shows")
    func tutorial() throws {
        let folder = try TemporaryDirectory()
        var profile = ""
        var isRun = 0
        let body = try #require(Self.blocks.first { $0.language == "json" }?.text)
        let bodyFile = try folder.write(body, to: "error.json")
        for block in Self.blocks {
            if block.language == "yaml", isRun < 3, block.text.hasPrefix("name: discord") {
                profile = block.text
            }
            if block.language == "yaml", block.text.hasPrefix("cases:"), isRun == 2 {
                profile += block.text.dropFirst("cases:\n".count)
            }
            guard block.language == "console" else { continue }
            isRun += 1
            let lines = block.text.split(separator: "\n")
            let command = lines[0].dropFirst("$ weir ".count)
            let file = try folder.write(profile, to: "discord.yaml")
            let words = command.split(separator: " ").map { word in
                word == "discord.yaml" ? file : word == "error.json" ? bodyFile : String(word)
            }
            let outcome = try Subprocess.run(WeirBinary.path, words)
            if words[0] == "explain" {
                #expect(outcome.output.contains("validation_failed") && outcome.output.contains("#/name"))
                continue
            }
            #expect(
                Self.withoutCount(outcome.output)
                    == Self.withoutCount(lines.dropFirst().joined(separator: "\n")))
        }
        #expect(isRun == 3)
    }

    /// The lines of an output, without how many cases the generic profile has.
    private static func withoutCount(_ output: String) -> [String] {
        output.split(separator: "\n").map {
            String($0.replacing(/[0-9]+ of the generic/, with: "N of the generic"))
        }
    }

    @Test("every key of the language is on the page")
    func keys() throws {
        let words = Set(try Documents.file("docs/profiles.md").quoted)
        for (name, keys) in ProfileReader.Keys.definitions {
            for key in keys { #expect(words.contains(key), "\(name): \(key)") }
        }
    }
}
