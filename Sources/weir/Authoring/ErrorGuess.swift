internal import Core

/// What the words of an error suggest: a guess for a person to check.
enum ErrorGuess {
    private static let words: [(code: ProblemCode, words: [String])] = [
        (.quotaExceeded, ["quota", "monthly limit", "daily limit", "limit_reached", "maximum number"]),
        (
            .rateLimited,
            [
                "rate limit", "rate_limit", "ratelimit", "too many requests", "too_many_requests", "throttl",
                "slow down",
            ]
        ),
        (
            .paymentRequired,
            [
                "payment", "billing", "insufficient_fund", "insufficient fund", "balance", "credit",
                "subscription", "upgrade",
            ]
        ),
        (.alreadyExists, ["already exists", "already_exists", "duplicate"]),
        (
            .unauthenticated,
            [
                "unauthenticated", "unauthorized", "unauthorised", "api key", "api_key", "apikey", "token",
                "authentication", "credentials",
            ]
        ),
        (
            .permissionDenied,
            [
                "permission", "forbidden", "not allowed", "not_allowed", "access denied", "access_denied",
                "scope",
            ]
        ),
        (.accountBlocked, ["suspended", "blocked", "disabled", "deactivated", "banned"]),
        (.notFound, ["not found", "not_found", "notfound", "no such", "does not exist", "unknown_"]),
        (.conflict, ["conflict", "locked", "in progress", "in_progress", "state", "concurrent"]),
        (.providerUnavailable, ["unavailable", "maintenance", "overloaded", "try again later"]),
        (
            .validationFailed,
            ["validation", "invalid", "required", "missing", "must be", "malformed", "not a valid"]
        ),
    ]

    /// Which code a status and the words of an error suggest.
    static func code(status: Int, text: String) -> ProblemCode {
        let text = text.lowercased()
        let byWords = words.first { $0.words.contains { text.contains($0) } }?.code
        switch status {
        case 401: return .unauthenticated
        case 402: return .paymentRequired
        case 404: return .notFound
        case 410: return .gone
        case 413: return .payloadTooLarge
        case 415: return .unsupportedMediaType
        case 429:
            return byWords == .quotaExceeded || byWords == .conflict ? byWords ?? .rateLimited : .rateLimited
        case 503: return .providerUnavailable
        case 504: return .providerTimeout
        case 500...: return byWords == .providerUnavailable ? .providerUnavailable : .providerError
        default: return byWords ?? .invalidRequest
        }
    }

    private static let codeNames = [
        "code", "error_code", "errorcode", "error_type", "type", "reason", "error", "name", "status", "key",
        "slug", "kind", "category",
    ]
    private static let messageNames = [
        "message", "msg", "error_message", "errormessage", "detail", "error_description", "description",
        "title", "reason", "error", "text", "hint",
    ]

    /// The JSON Pointer of the value that is most likely the provider's code.
    static func codePlace(in leaves: [JSONLeaf], status: Int) -> String? {
        best(leaves, codeNames) { leaf in
            isIdentifier(leaf.text) && (!leaf.isNumber || leaf.name.contains("code"))
                && leaf.text != "\(status)"
        }
    }

    /// The JSON Pointer of the value that is most likely the sentence for people.
    static func messagePlace(in leaves: [JSONLeaf]) -> String? {
        best(leaves, messageNames) { !$0.isNumber && $0.text.contains(" ") }
            ?? leaves.first { !$0.isNumber && $0.text.contains(" ") }?.place
    }

    private static func best(
        _ leaves: [JSONLeaf], _ names: [String], _ accepts: (JSONLeaf) -> Bool
    ) -> String? {
        let candidates = leaves.filter(accepts).compactMap { leaf in
            names.firstIndex(of: leaf.name.lowercased()).map { (leaf.depth, $0, leaf.place) }
        }
        return candidates.min { ($0.0, $0.1) < ($1.0, $1.1) }?.2
    }

    /// Whether a text looks like a code rather than a sentence or a value.
    static func isIdentifier(_ text: String) -> Bool {
        (2...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || "_.:-".utf8.contains($0)
            }
    }
}

/// A scalar of a JSON body.
struct JSONLeaf {
    /// Its JSON Pointer.
    var place: String
    /// The name of the member that holds it; empty in a list.
    var name: String
    /// The number of steps to it.
    var depth: Int
    var text: String
    var isNumber: Bool
}

/// The body of an error without what may be a secret.
struct CleanBody {
    /// The text: JSON without the end that was cut off, or the text as it is.
    private(set) var text = ""
    /// Whether it is JSON.
    private(set) var isJSON = false
    /// The scalars of JSON, at most 64; of a list, those of its first element.
    private(set) var leaves: [JSONLeaf] = []
    /// The names and kinds of the members; equal for bodies of one form.
    private(set) var shape = ""

    private static let mark = "[redacted]"

    /// - Parameter isCut: whether the end may be missing.
    init(_ bytes: [UInt8], isCut: Bool) {
        if let document = JSONDocument(bytes) ?? (isCut ? JSONDocument(bytes, isCut: true) : nil),
            [.object, .array].contains(document.kind(document.root))
        {
            isJSON = true
            var output: [UInt8] = []
            add(document.root, of: document, name: "", place: "", depth: 0, isFirst: true, into: &output)
            text = String(decoding: output, as: UTF8.self)
        } else {
            text = Self.clean(String(decoding: bytes.prefix(2048), as: UTF8.self))
            shape = bytes.isEmpty ? "empty" : "text"
        }
    }

    private mutating func add(
        _ node: Int, of document: JSONDocument, name: String, place: String, depth: Int, isFirst: Bool,
        into output: inout [UInt8]
    ) {
        var names: [(Int, Int)] = []
        switch document.kind(node) {
        case .object:
            document.forEachMember(of: node) { names.append(($0, $1)) }
            output.append(UInt8(ascii: "{"))
            if isFirst { shape += "{" }
            for (index, member) in names.enumerated() {
                guard let key = document.string(member.0)?.string else { continue }
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONWriter.string(Self.clean(key), into: &output)
                output.append(UInt8(ascii: ":"))
                if isFirst { shape += "\(key.prefix(64)):" }
                let step = key.replacing("~", with: "~0").replacing("/", with: "~1")
                add(
                    member.1, of: document, name: key, place: "\(place)/\(step)", depth: depth + 1,
                    isFirst: isFirst, into: &output)
                if isFirst { shape += "," }
            }
            output.append(UInt8(ascii: "}"))
            if isFirst { shape += "}" }
        case .array:
            document.forEachElement(of: node) { names.append(($0, $0)) }
            output.append(UInt8(ascii: "["))
            if isFirst { shape += "[" }
            for (index, element) in names.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                add(
                    element.0, of: document, name: name, place: "\(place)/\(index)", depth: depth + 1,
                    isFirst: isFirst && index == 0, into: &output)
            }
            output.append(UInt8(ascii: "]"))
            if isFirst { shape += "]" }
        case .null:
            output += Array("null".utf8)
            if isFirst { shape += "null" }
        case .true, .false, .number:
            let text = document.raw(node).string
            let isSecret = Self.isSecretName(name)
            if isSecret { JSONWriter.string(Self.mark, into: &output) } else { output += Array(text.utf8) }
            let isNumber = document.kind(node) == .number
            if isFirst { shape += isNumber ? "number" : "boolean" }
            if isFirst, isNumber, !isSecret { keep(text, name, place, depth, isNumber: true) }
        case .string:
            let value = document.string(node)?.string ?? "…"
            let clean = Self.isSecretName(name) ? Self.mark : Self.clean(value)
            JSONWriter.string(clean, into: &output)
            if isFirst {
                shape += "string"
                keep(clean, name, place, depth, isNumber: false)
            }
        }
    }

    private mutating func keep(_ text: String, _ name: String, _ place: String, _ depth: Int, isNumber: Bool)
    {
        guard leaves.count < 64, depth <= 6, text != Self.mark else { return }
        leaves.append(JSONLeaf(place: place, name: name, depth: depth, text: text, isNumber: isNumber))
    }

    private static func isSecretName(_ name: String) -> Bool {
        let name = name.lowercased().filter { $0 != "_" && $0 != "-" }
        return [
            "password", "secret", "apikey", "accesskey", "authorization", "credential", "cookie", "session",
        ]
        .contains { name.contains($0) } || name == "token" || name.hasSuffix("token") || name == "key"
    }

    /// The text without words that look like keys: long, with letters and digits and no blank; what follows a scheme; passwords of URLs.
    static func clean(_ text: String) -> String {
        var result = ""
        var word = ""
        var follows = false
        func isOfKey(_ character: Character) -> Bool {
            character.isASCII
                && (character.isLetter || character.isNumber || "_-+/=.~:@%".contains(character))
        }
        func finish() {
            let digits = word.count { $0.isNumber }
            let letters = word.count { $0.isLetter }
            let isKey =
                word.utf8.count >= 16 && digits >= 2 && letters >= 2
                || word.utf8.count >= 32 && !word.contains(".") && !word.contains("_") && !word.contains("-")
                || follows && word.utf8.count >= 4 || word.contains("://") && word.contains("@")
                || ["sk_", "pk_", "rk_", "ghp_", "xoxb-", "whsec_", "AKIA"].contains { word.hasPrefix($0) }
            result += isKey ? mark : word
            follows = ["bearer", "basic", "token:", "key:", "password:", "secret:"].contains(
                word.lowercased())
            word = ""
        }
        for character in text {
            if isOfKey(character) {
                word.append(character)
            } else {
                if !word.isEmpty { finish() }
                result.append(character)
            }
        }
        if !word.isEmpty { finish() }
        return result
    }
}
