import BuiltIn
import Core
import Foundation
import TestSupport
import Testing

@testable import Configuration

@Suite("the documents say what the program does")
struct DocumentsTests {
    private let documents: Documents

    init() throws { documents = try Documents() }

    @Test("every metric family is described, with its type and labels, and no other")
    func metrics() throws {
        let described = try documents.rows("## Metrics").map { cells in
            "\(cells[0]) \(cells[1]) \(cells[2])"
        }
        let families = ProxyMetrics.families.map { family in
            let labels = family.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "`\(family.name)` \(family.kind.rawValue) \(labels.isEmpty ? "–" : labels)"
        }
        #expect(described == families)
    }

    @Test("every code is described, with its origin and status, and no other")
    func codes() throws {
        let described = try documents.rows("## Codes").map { "\($0[0]) \($0[1]) \($0[2])" }
        let codes = ProblemCode.allCases.map { "`\($0.name)` \($0.origin.rawValue) \($0.status)" }
        #expect(described == codes)
    }

    @Test("every member of a problem is described, in its order, and no other")
    func members() throws {
        let described = try documents.rows("## Members").flatMap { $0[0].quoted }
        #expect(described == ProblemFormat.memberNames)
    }

    @Test("every configuration key is described, and no other; the defaults are those of the example")
    func configurationKeys() throws {
        let rows = try documents.rows("## Keys")
        #expect(Set(rows.flatMap { $0[0].quoted }) == Set(ConfigurationReader.keyPaths))
        let defaults = try exampleValues()
        for row in rows {
            guard let key = row[0].quoted.first, let value = row[1].quoted.first else { continue }
            #expect(defaults[key] == value, "\(key)")
        }
        #expect(rows.filter { $0[1].hasPrefix("`") }.count >= 20)
    }

    @Test("every command and option is described, and no other")
    func options() throws {
        let section: String = try documents.section("## Command line").joined(separator: "\n")
        let words = section.quoted.joined(separator: " ").split { " [|]".contains($0) }.map(String.init)
        let help = try Subprocess.run(WeirBinary.path, ["--experimental-dump-help"]).output
        let commands = try JSONDecoder().decode(Help.self, from: Data(help.utf8)).command.all
        let options = Set(commands.flatMap(\.options)).subtracting(["--help"])
        #expect(Set(words.filter { $0.hasPrefix("--") }) == options)
        let rows = try documents.rows("## Command line").compactMap { $0[0].quoted.first }
        for command in commands where command.subcommands == nil && command.commandName != "help" {
            let isThere = rows.contains { $0.split(separator: " ").contains(command.commandName[...]) }
            #expect(isThere, "\(command.commandName)")
        }
    }

    @Test("every admin path is described, and no other")
    func adminPaths() throws {
        let weir = try Subprocess(
            WeirBinary.path, ["run", "--listen", "127.0.0.1:0"],
            environment: ["WEIR_ADMIN_LISTEN": "", "WEIR_LOG_LEVEL": "", "WEIR_WORKERS": "1"])
        try weir.waitForOutput(containing: #""message":"listening""#)
        let mark = #""address":"127.0.0.1:"#
        let rest = try #require(weir.errorOutput.firstRange(of: mark)).upperBound
        let port = try #require(UInt16(weir.errorOutput[rest...].prefix { $0.isNumber }))
        let told = try RawClient(port: port).exchange("GET", "/-/nothing").text
        let list = try #require(told.firstRange(of: "There are: ")).upperBound
        let paths = told[list...].prefix { $0 != "\"" }.dropLast().split(separator: ", ").map(String.init)
        #expect(try documents.rows("## Admin paths").flatMap { $0[0].quoted } == paths)
        weir.send(.terminate)
        #expect(try weir.waitForExit() == .code(0))
    }

    @Test("every environment variable is named")
    func variables() throws {
        let text = try Documents.text()
        for setting in ConfigurationOverrides.Setting.allCases {
            #expect(text.contains("`\(setting.variable)`"))
        }
    }

    @Test("the commands of the quickstart are those that run --sandbox prints")
    func quickstart() throws {
        let weir = try Subprocess(
            WeirBinary.path, ["run", "--sandbox", "--listen", "127.0.0.1:0"],
            environment: ["WEIR_ADMIN_LISTEN": "", "WEIR_LOG_LEVEL": "", "WEIR_WORKERS": "1"])
        try weir.waitForOutput(containing: "weir_provider_rejections")
        let message = weir.errorOutput.split(separator: "\n")
        let heading = try #require(message.first { $0.hasPrefix("Weir ") && $0.contains(" listens on ") })
        let address = try #require(heading.split(separator: " ").last)
        let printed = message.filter { $0.hasPrefix("  ") && !$0.hasPrefix("  #") }
            .map { $0.dropFirst(2).replacing(address, with: "127.0.0.1:8080") }
        let shown = try documents.section("## In 30 seconds").filter { $0.hasPrefix("$ ") }
            .map { String($0.dropFirst(2)) }
        #expect(shown == printed.map(String.init))
        weir.send(.terminate)
        #expect(try weir.waitForExit() == .code(0))
    }

    /// The values in the example configuration, those of the first provider that says them.
    private func exampleValues() throws -> [String: String] {
        let reading = YAMLReading(file: "weir.yaml", surroundings: .none)
        let root = try #require(reading.parse(Documents.file("Config/weir.yaml")))
        var values: [String: String] = [:]
        collect(root, path: "", into: &values)
        return values
    }

    private func collect(_ value: YAMLValue, path: String, into values: inout [String: String]) {
        guard value.isMapping else {
            if !value.isSequence, !value.isNull, let text = value.string {
                values[path] = values[path] ?? text
            }
            return
        }
        for member in value.members(allowed: nil) {
            let name = path == "providers" ? "*" : member.name
            collect(member.value, path: path.isEmpty ? name : "\(path).\(name)", into: &values)
        }
    }
}

/// What ArgumentParser tells of the command line.
private struct Help: Decodable {
    struct Command: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable {
                var kind: String
                var name: String
            }
            var names: [Name]?
        }
        var commandName: String
        var arguments: [Argument]?
        var subcommands: [Command]?

        /// Its long options.
        var options: [String] {
            let names = (arguments ?? []).flatMap { $0.names ?? [] }
            return names.filter { $0.kind == "long" }.map { "--\($0.name)" }
        }

        /// The command and those below it.
        var all: [Command] { [self] + (subcommands ?? []).flatMap(\.all) }
    }
    var command: Command
}
