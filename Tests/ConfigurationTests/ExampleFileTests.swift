import BuiltIn
import Core
import Foundation
import Testing

@testable import Configuration

/// `Config/weir.yaml` and the JSON Schema know the keys that the reader knows.
struct ExampleFileTests {
    private func example() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: "Config/weir.yaml"), encoding: .utf8)
    }

    /// The example with its `#key:` lines in use; of the two forms of `listen` and `ledger`, those with more keys.
    private func completeExample() throws -> String {
        try example().split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let rest = line.drop { $0 == " " }
            let next = rest.dropFirst().first
            let isKey = rest.first == "#" && (next?.isLowercase == true || next == "-")
            return String(isKey ? line.replacing("#", with: "", maxReplacements: 1) : line)
        }.joined(separator: "\n").replacing("\nlisten: 127.0.0.1:8080\n", with: "\n")
            .replacing("\nledger: memory\n", with: "\n")
    }

    @Test("the unchanged example means the same as no file")
    func defaults() throws {
        #expect(try read(example()) == ProxyConfiguration.builtIn(profiles: knownProfiles))
    }

    @Test("the example with every key in use is a valid configuration")
    func everyKeyInUse() throws {
        let names = ["ca.pem", "client.pem", "client.key", "tls.pem", "tls.key", "clients.pem"]
        var files = Dictionary(uniqueKeysWithValues: names.map { ("/etc/weir/\($0)", "") })
        for name in ["weir", "weir-admin", "collector"] {
            files["/run/secrets/\(name)"] = "a-token-of-16-letters"
        }
        // lemlist has no tiers.
        let example = try completeExample().replacing("\n    tier: free\n", with: "\n")
        let configuration = try read(
            example, variables: ["LEMLIST_API_KEY": "k", "LEDGER_PASSWORD": "p"], files: files)
        #expect(configuration.adminListen?.description == "127.0.0.1:9464")
        #expect(configuration.listenTLS != nil && configuration.providers.first?.listenTLS != nil)
        #expect(configuration.ledger?.tls?.clientKey == "/etc/weir/client.key")
        #expect(configuration.providers.first?.credential?.value == "k")
        #expect(configuration.providers.first?.tls.clientKey == "/etc/weir/client.key")
    }

    @Test("the example shows every key of the reader")
    func exampleKeys() throws {
        let reading = YAMLReading(file: "weir.yaml", surroundings: .none)
        let root = try #require(reading.parse(completeExample()))
        #expect(keys(of: root, path: "").subtracting(["providers.*"]) == Set(ConfigurationReader.keyPaths))
    }

    @Test("the JSON Schema describes every key of the reader, and no other")
    func schemaKeys() throws {
        let reading = YAMLReading(file: "schema", surroundings: .none)
        let root = try #require(reading.parse(BuiltIn.configurationSchema))
        #expect(schemaKeys(of: root, path: "") == Set(ConfigurationReader.keyPaths))
    }

    private func keys(of value: YAMLValue, path: String) -> Set<String> {
        if value.isSequence { return Set(value.elements.flatMap { keys(of: $0, path: path + "[]") }) }
        // The keys of a cost are requests, those of variables and hosts are names.
        let isNamed = [".cost", ".variables", "providers.*.hosts", "tracing.headers"].contains {
            path.hasSuffix($0)
        }
        guard value.isMapping, !isNamed else { return [] }
        return value.members(allowed: nil).reduce(into: []) { keys, member in
            let name = path == "providers" ? "*" : member.name
            let path = path.isEmpty ? name : "\(path).\(name)"
            keys.insert(path)
            keys.formUnion(self.keys(of: member.value, path: path))
        }
    }

    private func schemaKeys(of schema: YAMLValue, path: String) -> Set<String> {
        guard schema.isMapping else { return [] }
        return schema.members(allowed: nil).reduce(into: []) { keys, member in
            switch member.name {
            case "properties":
                for (name, value) in member.value.members(allowed: nil) {
                    let path = path.isEmpty ? name : "\(path).\(name)"
                    keys.insert(path)
                    keys.formUnion(schemaKeys(of: value, path: path))
                }
            case "additionalProperties" where path == "providers":
                keys.formUnion(schemaKeys(of: member.value, path: path + ".*"))
            case "items": keys.formUnion(schemaKeys(of: member.value, path: path + "[]"))
            default: break
            }
        }
    }
}
