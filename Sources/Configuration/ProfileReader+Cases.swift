internal import Core

extension ProfileReader {
    static func profileCase(_ value: YAMLValue) -> ProfileCase? {
        var result = ProfileCase(id: "", name: "", status: 0)
        var hasExpectation = false
        for (key, value) in value.members(allowed: Keys.profileCase) {
            switch key {
            case "id": result.id = value.nonEmptyString ?? ""
            case "name": result.name = value.nonEmptyString ?? ""
            case "request": if let request = request(value) { result.request = request }
            case "status": result.status = value.integer(StatusSet.possible) ?? 0
            case "headers":
                for (name, value) in value.members(allowed: nil) {
                    guard YAMLValue.isFieldName(name) else {
                        value.report(
                            "'\(YAMLValue.printable(name))' must be the name of a header field, such as Retry-After"
                        )
                        continue
                    }
                    for text in value.oneOrMany.compactMap(\.string) { result.addField(name, text) }
                }
            case "body": result.body = Array((value.string ?? "").utf8)
            case "body_base64": result.body = base64(value) ?? []
            case "everywhere": result.isEverywhere = value.boolean ?? true
            case "expect":
                hasExpectation = true
                result.expectation = expectation(value)
            case "source": result.source = value.string
            default: result.confidence = value.string
            }
        }
        guard value.isMapping else { return nil }
        if result.id.isEmpty || result.status == 0 || !hasExpectation {
            value.report("needs 'id', 'status' and 'expect'")
        }
        return result
    }

    private static func request(_ value: YAMLValue) -> (method: String, path: String)? {
        guard let text = value.scalarText else { return nil }
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2, words[1].hasPrefix("/"), words[0] != "*",
            RequestPattern("\(words[0]) /") != nil
        else {
            value.report("\(value.quoted) must be a method in upper case and a path, such as POST /emails")
            return nil
        }
        return (words[0], words[1])
    }

    /// `untouched`, or the expected problem.
    private static func expectation(_ value: YAMLValue) -> ProfileCase.Expectation? {
        guard value.isMapping else {
            _ = value.choice([("untouched", true)])
            return nil
        }
        var result = ProfileCase.Expectation(code: .providerError, isTransient: false)
        var found = 0
        for (key, value) in value.members(allowed: Keys.expectation) {
            switch key {
            case "code":
                found += 1
                if let code = value.choice(ProblemCode.allCases.map({ ($0.name, $0) })) { result.code = code }
            case "transient":
                found += 1
                result.isTransient = value.boolean ?? false
            case "fields": result.fields = value.elements.compactMap(field)
            case "retry_after": result.retryAfter = value.integer(1...10_000_000)
            case "effect": result.effect = value.choice(Effect.allCases.map { ($0.rawValue, $0) })
            default: result.status = value.integer(400...599)
            }
        }
        if found != 2 { value.report("needs 'code' and 'transient'") }
        return result
    }

    private static func field(_ value: YAMLValue) -> (field: String, detail: String)? {
        var result = (field: "", detail: "")
        for (key, value) in value.filledMembers(allowed: Keys.expectedField) {
            if key == "field" {
                result.field = value.nonEmptyString ?? ""
            } else {
                result.detail = value.string ?? ""
            }
        }
        return result
    }

    /// Bytes in base64 (RFC 4648 4).
    private static func base64(_ value: YAMLValue) -> [UInt8]? {
        guard let text = value.string else { return nil }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8 where character != 0x3D {
            guard let digit = alphabet.firstIndex(of: character) else {
                value.report("is not base64")
                return nil
            }
            bits = bits << 6 | UInt32(digit)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }
}
