internal import Configuration
internal import Core
internal import Wire

/// What a description of an API in OpenAPI 3 says that a profile needs.
struct OpenAPIReader {
    private let root: DocumentTree
    private let file: String
    /// Errors that the document shows or describes.
    private(set) var samples: [SampleError] = []
    /// Names of response fields, in lower case, with their spelling.
    private(set) var responseFields: [String: String] = [:]
    /// Names of request fields that carry an idempotency key, with the requests.
    private(set) var idempotency: [String: [String]] = [:]
    /// What could not be used, for people.
    private(set) var remarks: [String] = []
    private var known: Set<String> = []

    private static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
    private static let sampleLimit = 300

    /// Reads a document.
    ///
    /// - Throws: ``ConfigurationMistakes`` if it is not OpenAPI 3, or a reference leads nowhere.
    init(_ root: DocumentTree, file: String) throws(ConfigurationMistakes) {
        self.root = root
        self.file = file
        guard let version = root["openapi"] else {
            let old = root["swagger"]
            throw mistake(
                old == nil
                    ? "is not OpenAPI: the key `openapi` with 3.0.x or 3.1.x is missing"
                    : "is OpenAPI 2.0 (Swagger); needed: 3.0 or 3.1, into which converters turn it",
                old ?? root)
        }
        let number = version.string ?? ""
        guard number.hasPrefix("3.0") || number.hasPrefix("3.1") else {
            throw mistake("is a version that is not supported; needed: 3.0.x or 3.1.x", version)
        }
        for (path, item) in root["paths"]?.members ?? [] {
            let item = try resolve(item)
            for (method, operation) in item.members where Self.methods.contains(method) {
                try readOperation(method.uppercased(), path, operation, of: item)
            }
        }
    }

    private func mistake(_ reason: String, _ tree: DocumentTree) -> ConfigurationMistakes {
        ConfigurationMistakes(all: [
            ConfigurationMistake(file: file, line: tree.line, column: tree.column, key: "", reason: reason)
        ])
    }

    /// The value to which references lead.
    func resolve(_ tree: DocumentTree) throws(ConfigurationMistakes) -> DocumentTree {
        var tree = tree
        var visited: Set<String> = []
        while let reference = tree["$ref"], let target = reference.string {
            guard target.hasPrefix("#") else {
                throw mistake(
                    "$ref leads out of the document, which is not supported: bundle it into one file first",
                    reference)
            }
            guard visited.insert(target).inserted else { throw mistake("$ref leads to itself", reference) }
            var place = root
            for step in target.dropFirst().split(separator: "/") {
                let name = Self.decoded(step).replacing("~1", with: "/").replacing("~0", with: "~")
                let element = Int(name).flatMap { index in
                    place.elements.indices.contains(index) ? place.elements[index] : nil
                }
                guard let next = place[name] ?? element else {
                    throw mistake(
                        "$ref leads nowhere: there is no '\(CleanBody.clean(String(target.prefix(100))))'",
                        reference)
                }
                place = next
            }
            tree = place
        }
        return tree
    }

    /// A step of a fragment without percent-encoding.
    private static func decoded(_ step: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(step.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func readOperation(
        _ method: String, _ path: String, _ operation: DocumentTree, of item: DocumentTree
    ) throws(ConfigurationMistakes) {
        for parameter in (item["parameters"]?.elements ?? []) + (operation["parameters"]?.elements ?? []) {
            let parameter = try resolve(parameter)
            guard parameter["in"]?.string == "header", let name = parameter["name"]?.string,
                name.lowercased().contains("idempoten")
            else { continue }
            let pattern = "\(method) \(Self.pattern(path))"
            if RequestPattern(pattern) != nil { idempotency[name, default: []].append(pattern) }
        }
        for (status, response) in operation["responses"]?.members ?? [] {
            let response = try resolve(response)
            for (name, _) in response["headers"]?.members ?? [] { responseFields[name.lowercased()] = name }
            let number = Int(status) ?? ["4XX": 400, "5XX": 500][status.uppercased()]
            guard let number, (400...599).contains(number) else { continue }
            for (type, media) in response["content"]?.members ?? [] {
                try readBody(method, path, number, type, try resolve(media))
            }
        }
    }

    private mutating func readBody(
        _ method: String, _ path: String, _ status: Int, _ type: String, _ media: DocumentTree
    ) throws(ConfigurationMistakes) {
        var bodies: [(DocumentTree, String)] = []
        if let example = media["example"] { bodies.append((example, "documented")) }
        for (_, example) in media["examples"]?.members ?? [] {
            let example = try resolve(example)
            if let value = example["value"] { bodies.append((value, "documented")) }
        }
        if bodies.isEmpty, let schema = media["schema"] {
            var steps = 0
            if let value = try sample(of: schema, depth: 0, steps: &steps) {
                bodies.append((value, "inferred"))
            }
        }
        for (body, confidence) in bodies {
            var bytes: [UInt8] = []
            if let text = body.string, !type.contains("json") {
                bytes = Array(text.utf8)
            } else if let text = body.string, text.hasPrefix("{") {
                bytes = Array(text.utf8)
            } else {
                body.writeJSON(into: &bytes) { JSONWriter.string($0, into: &$1) }
            }
            let clean = CleanBody(Array(bytes.prefix(16 << 10)), isCut: bytes.count > 16 << 10)
            guard samples.count < Self.sampleLimit, known.insert("\(status) \(clean.text)").inserted else {
                continue
            }
            let concrete =
                "/"
                + path.split(separator: "/").map { $0.contains("{") ? "1" : String($0) }
                .joined(separator: "/")
            let request =
                RequestPattern("\(method) /") != nil && !concrete.contains(" ")
                ? (method, concrete) : ("GET", "/")
            samples.append(
                SampleError(
                    request: request, status: status, contentType: type.contains("*") ? nil : type,
                    body: clean,
                    confidence: confidence, source: "OpenAPI document, \(method) \(path)"))
        }
    }

    /// A value that fits a schema, as far as an example needs it.
    private func sample(
        of schema: DocumentTree, depth: Int, steps: inout Int
    ) throws(ConfigurationMistakes) -> DocumentTree? {
        steps += 1
        guard depth < 8, steps < 500 else { return nil }
        let schema = try resolve(schema)
        if let value = schema["example"] ?? schema["const"] ?? schema["default"] ?? schema["examples"]?
            .elements.first
            ?? schema["enum"]?.elements.first
        {
            return value
        }
        var members: [(name: String, value: DocumentTree)] = []
        for part in schema["allOf"]?.elements ?? [] {
            guard let value = try sample(of: part, depth: depth + 1, steps: &steps) else { continue }
            members += value.members
        }
        if let choice = (schema["oneOf"] ?? schema["anyOf"])?.elements.first, members.isEmpty {
            return try sample(of: choice, depth: depth + 1, steps: &steps)
        }
        for (name, property) in schema["properties"]?.members ?? [] {
            guard let value = try sample(of: property, depth: depth + 1, steps: &steps) else { continue }
            members.removeAll { $0.name == name }
            members.append((name, value))
        }
        if !members.isEmpty { return DocumentTree(.mapping(members)) }
        switch schema["type"]?.oneOrMany.compactMap(\.string).first(where: { $0 != "null" }) {
        case "string": return .text("An example of a text")
        case "integer", "number": return .plain("1")
        case "boolean": return .text("false")
        case "array":
            guard let items = schema["items"],
                let value = try sample(of: items, depth: depth + 1, steps: &steps)
            else { return DocumentTree(.list([])) }
            return DocumentTree(.list([value]))
        case "object": return DocumentTree(.mapping([]))
        default: return nil
        }
    }

    /// A path of OpenAPI as the pattern of a profile: steps with a variable are any step.
    private static func pattern(_ path: String) -> String {
        "/"
            + path.split(separator: "/").map { $0.contains("{") || $0.contains("*") ? "*" : String($0) }
            .joined(separator: "/")
    }
}

extension OpenAPIReader {
    /// The profile without what comes from errors: name, upstream, credential, idempotency, fields.
    ///
    /// - Parameter name: the profile's name; `nil`: from the title.
    func head(name: String?) throws(ConfigurationMistakes) -> DocumentTree {
        let title = root["info"]?["title"]?.string ?? ""
        var members: [(name: String, value: DocumentTree)] = [("name", .text(name ?? Self.name(from: title)))]
        members += upstream()
        if let credential = try credential() { members.append(("credential", credential)) }
        if let (header, requests) = idempotency.min(by: {
            ($1.value.count, $0.key) < ($0.value.count, $1.key)
        }),
            Array(header.utf8).span.isToken
        {
            var seen: Set<String> = []
            let distinct = requests.filter { seen.insert($0).inserted }.prefix(64)
            let value = DocumentTree(
                .mapping([("header", .text(header)), ("requests", ProfileSketch.texts(Array(distinct)))]),
                comment: "Guess: the provider performs these once per key.")
            members.append(("idempotency", value))
        }
        members += fields()
        return DocumentTree(.mapping(members))
    }

    private static func name(from title: String) -> String {
        let words = title.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
            .filter { !["api", "rest", "the", "v1", "v2", "v3"].contains($0) }
        let name = String(words.prefix(3).joined(separator: "-").prefix(32))
        return name.first?.isLetter == true ? name : "drafted"
    }

    private func upstream() -> [(name: String, value: DocumentTree)] {
        let servers = root["servers"]?.elements ?? []
        guard let server = servers.first, var url = server["url"]?.string else { return [] }
        if url.hasSuffix("/"), url.count > 1 { url.removeLast() }
        let others = servers.dropFirst().prefix(5).compactMap { $0["url"]?.string }
        var remark = others.isEmpty ? nil : "Other servers of the document: \(others.joined(separator: ", "))"
        let names = (try? UpstreamTemplate(parsing: url))?.names ?? []
        let values = names.compactMap { name in
            server["variables"]?[name]?["default"]?.string.map { (name: name, value: DocumentTree.text($0)) }
        }
        var members: [(name: String, value: DocumentTree)] = [("upstream", .text(url))]
        if !values.isEmpty {
            members.append(
                ("variables", DocumentTree(.mapping(values), comment: "The document's defaults.")))
        }
        let trial = DocumentTree(.mapping([("name", .text("trial"))] + members))
        do {
            _ = try ProfileReader.read(text: YAMLPrinter.print(trial), file: "draft", generic: nil)
        } catch {
            let bad =
                "No `upstream`: the document has '\(url.prefix(200))'; needed: an absolute URL such as https://api.example.com"
            remark = remark.map { "\(bad)\n\($0)" } ?? bad
            return [("errors", DocumentTree(.scalar("problem", isPlain: true), comment: remark))]
        }
        members[0].value.comment = remark
        return members
    }

    private func credential() throws(ConfigurationMistakes) -> DocumentTree? {
        let schemes = root["components"]?["securitySchemes"]?.members ?? []
        let used = (root["security"]?.elements ?? []).flatMap(\.members).map(\.name)
        let order = schemes.sorted { left, right in
            (used.firstIndex(of: left.name) ?? .max) < (used.firstIndex(of: right.name) ?? .max)
        }
        var places: [String] = []
        for (_, scheme) in order {
            let scheme = try resolve(scheme)
            let name = scheme["name"]?.string ?? ""
            let place: String? =
                switch (scheme["type"]?.string, scheme["in"]?.string, scheme["scheme"]?.string?.lowercased())
                {
                case ("apiKey", "header", _): "header \(name)"
                case ("apiKey", "query", _): "query \(name)"
                case ("http", _, "bearer"), ("oauth2", _, _), ("openIdConnect", _, _): "bearer"
                case ("http", _, "basic"): "basic pair"
                case ("http", _, let other?): "scheme \(other)"
                default: nil
                }
            guard let place, (try? CredentialPlace(parsing: place)) != nil, !places.contains(place) else {
                continue
            }
            places.append(place)
        }
        guard let first = places.first else { return nil }
        return DocumentTree(
            .mapping([("found_in", ProfileSketch.texts(places)), ("sent_as", .text(first))]),
            comment: places.count > 1 ? "Guess: a key of Weir's own is sent as the first." : nil)
    }

    private func fields() -> [(name: String, value: DocumentTree)] {
        func find(_ words: [String], without: [String] = []) -> String? {
            responseFields.keys.sorted().first { name in
                words.allSatisfy { name.contains($0) } && !without.contains { name.contains($0) }
            }.flatMap { responseFields[$0] }
        }
        var members: [(name: String, value: DocumentTree)] = []
        var rates: [(name: String, value: DocumentTree)] = []
        for (key, word) in [("limit", "limit"), ("remaining", "remaining"), ("reset", "reset")] {
            let name =
                word == "limit"
                ? responseFields.keys.sorted().first {
                    $0.contains("rate") && $0.hasSuffix("limit") && $0 != "ratelimit"
                }
                .flatMap { responseFields[$0] }
                : find(["rate", word])
            if let name, Array(name.utf8).span.isToken { rates.append((key, .text(name))) }
        }
        if !rates.isEmpty {
            members.append(
                (
                    "rate_fields",
                    DocumentTree(.mapping(rates), comment: "From the documented response headers.")
                ))
        }
        if let wait = responseFields["retry-after"] {
            let entry = DocumentTree(.mapping([("header", .text(wait))]))
            members.append(("waits", DocumentTree(.list([entry]))))
        }
        let id = find(["request", "id"]) ?? find(["trace", "id"]) ?? find(["correlation", "id"])
        if let id, Array(id.utf8).span.isToken {
            members.append(
                ("request_id", DocumentTree(.scalar(id, isPlain: false), comment: "Guess, from the name.")))
        }
        return members
    }
}
