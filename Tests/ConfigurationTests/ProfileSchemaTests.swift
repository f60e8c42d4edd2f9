import BuiltIn
import Core
import Foundation
import Testing

@testable import Configuration

/// The JSON Schema of profiles knows the keys that the reader knows, and accepts the profiles that the reader accepts.
@Suite("the schema of profiles")
struct ProfileSchemaTests {
    private struct Schema {
        let root: [String: Any]

        init() throws {
            let json = try JSONSerialization.jsonObject(with: Data(BuiltIn.profileSchema.utf8))
            root = try #require(json as? [String: Any])
        }

        var definitions: [String: [String: Any]] { root["$defs"] as? [String: [String: Any]] ?? [:] }

        /// What is wrong with a value, a sentence each.
        func errors(_ value: Any, _ schema: [String: Any], at path: String) -> [String] {
            var errors: [String] = []
            if let reference = schema["$ref"] as? String {
                let name = String(reference.dropFirst("#/$defs/".count))
                errors += self.errors(value, definitions[name] ?? ["const": "unresolved"], at: path)
            }
            if let choices = schema["anyOf"] as? [[String: Any]],
                !choices.contains(where: { self.errors(value, $0, at: path).isEmpty })
            {
                errors.append("\(path): fits none of anyOf")
            }
            let types = (schema["type"] as? String).map { [$0] } ?? schema["type"] as? [String]
            if let types, !types.contains(where: { Self.isType(value, $0) }) {
                errors.append("\(path): is no \(types)")
            }
            if let choices = schema["enum"] as? [Any], !choices.contains(where: { Self.isSame($0, value) }) {
                errors.append("\(path): is not in enum")
            }
            if let constant = schema["const"], !Self.isSame(constant, value) {
                errors.append("\(path): is not const")
            }
            if let number = value as? Double ?? (value as? Int).map(Double.init) {
                if let least = schema["minimum"] as? Double, number < least {
                    errors.append("\(path): too small")
                }
                if let most = schema["maximum"] as? Double, number > most {
                    errors.append("\(path): too large")
                }
            }
            if let text = value as? String, let pattern = schema["pattern"] as? String,
                (try? text.contains(Regex(pattern))) != true
            {
                errors.append("\(path): '\(text)' does not match \(pattern)")
            }
            if let elements = value as? [Any] {
                if let least = schema["minItems"] as? Int, elements.count < least {
                    errors.append("\(path): too few")
                }
                if let items = schema["items"] as? [String: Any] {
                    for (index, element) in elements.enumerated() {
                        errors += self.errors(element, items, at: "\(path)[\(index)]")
                    }
                }
            }
            guard let members = value as? [String: Any] else { return errors }
            let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
            for name in schema["required"] as? [String] ?? [] where members[name] == nil {
                errors.append("\(path): needs \(name)")
            }
            for (name, member) in members {
                if let property = properties[name] {
                    errors += self.errors(member, property, at: "\(path).\(name)")
                } else if let others = schema["additionalProperties"] as? [String: Any] {
                    errors += self.errors(member, others, at: "\(path).\(name)")
                } else if schema["additionalProperties"] as? Bool == false {
                    errors.append("\(path): unknown key \(name)")
                }
            }
            return errors
        }

        private static func isType(_ value: Any, _ type: String) -> Bool {
            switch type {
            case "object": value is [String: Any]
            case "array": value is [Any]
            case "string": value is String
            case "boolean": value is Bool
            case "integer": value is Int
            case "number": value is Int || value is Double
            default: value is NSNull
            }
        }

        private static func isSame(_ first: Any, _ second: Any) -> Bool {
            if let first = first as? String { return first == second as? String }
            if let second = second as? Bool { return (first as? NSNumber)?.boolValue == second }
            return false
        }
    }

    /// A value of YAML as editors see it.
    private func plain(_ value: YAMLValue) -> Any {
        if value.isMapping {
            return Dictionary(
                uniqueKeysWithValues: value.members(allowed: nil).map { ($0.name, plain($0.value)) })
        }
        if value.isSequence { return value.elements.map(plain) }
        guard let text = value.plainText else { return NSNull() }
        if value.isUnquoted {
            if value.isNull { return NSNull() }
            if let number = Int(text) { return number }
            if let number = Double(text) { return number }
            if text == "true" || text == "false" { return text == "true" }
        }
        return text
    }

    @Test("each mapping of the schema has the keys of the reader, and no other")
    func keys() throws {
        let schema = try Schema()
        for (name, keys) in ProfileReader.Keys.definitions {
            let definition = name == "profile" ? schema.root : schema.definitions[name]
            let properties = try #require(definition?["properties"] as? [String: Any], "\(name)")
            #expect(Set(properties.keys) == Set(keys), "\(name)")
            #expect(definition?["additionalProperties"] as? Bool == false, "\(name)")
        }
        let mappings = schema.definitions.filter { $0.value["properties"] != nil }.keys
        #expect(Set(mappings).union(["profile"]) == Set(ProfileReader.Keys.definitions.keys))
    }

    @Test("the choices of the schema are those of the reader")
    func choices() throws {
        let definitions = try Schema().definitions
        func choices(_ definition: String, _ property: String) -> Set<String> {
            let properties = definitions[definition]?["properties"] as? [String: [String: Any]]
            return Set(properties?[property]?["enum"] as? [String] ?? [])
        }
        let codes = ProblemCode.allCases.filter { $0.origin == .provider || $0.origin == .network }.map(
            \.name)
        #expect(choices("rule", "is") == Set(codes + ["success"]))
        #expect(choices("rule", "effect") == Set(Effect.allCases.map(\.rawValue)))
        #expect(choices("rule", "pause") == Set(Rule.Pause.allCases.map(\.rawValue)))
        #expect(choices("wait", "unit") == Set(ValuePlace.Unit.allCases.map(\.rawValue)))
        let fieldCodes = definitions["fieldCode"]?["enum"] as? [String] ?? []
        #expect(Set(fieldCodes) == Set(FieldProblemCode.allCases.map(\.rawValue)))
        let kinds = definitions["content"]?["enum"] as? [String] ?? []
        #expect(Set(kinds) == Set(BodyKind.allCases.map(\.rawValue)))
    }

    @Test("the built-in profiles fit the schema", arguments: BuiltIn.profiles.map(\.name))
    func builtIn(name: String) throws {
        let text = try #require(BuiltIn.profiles.first { $0.name == name }?.yaml)
        let root = try #require(YAMLReading(file: name, surroundings: .none).parse(text))
        let schema = try Schema()
        #expect(schema.errors(plain(root), schema.root, at: "") == [])
    }

    @Test(
        "what the reader refuses does not fit the schema either",
        arguments: [
            "name: a\nrulez: []", "waits: []", "name: a\nwaits: [{ at: /a, unit: sec }]",
            "name: a\nread: { code: code }",
            "name: a\nrules: [{ name: r, is: odd }]",
            "name: a\nrules: [{ name: r, when: { value: { equals: a } }, is: gone }]",
            "name: a\nread: { fields: { each: /a, names: 1 } }", "name: a\nread: { inherit: [nothing] }",
            "name: a\nfield_phrases: [{ odd: x }]",
            "name: a\nrules: [{ name: r, when: { status: 42 }, is: gone }]",
        ])
    func refused(text: String) throws {
        #expect(throws: ConfigurationMistakes.self) {
            try ProfileReader.read(text: text, file: "p.yaml", generic: nil)
        }
        let root = try #require(YAMLReading(file: "p.yaml", surroundings: .none).parse(text))
        let schema = try Schema()
        #expect(!schema.errors(plain(root), schema.root, at: "").isEmpty)
    }
}
