internal import Configuration
internal import Core
internal import Wire

/// A profile file.
///
/// It is read, or all of its mistakes are told; and what is read makes valid problems of any error.
enum ProfileProperties {
    private static let bodies = [
        "", "no such thing", #"{"message":"The to field is required.","errors":{"to":["is required"]}}"#,
        "<html>Bad Gateway</html>", #"{"error":{"code":"A_B"},"retry_after":1.5,"a":[1,{"b":null}]}"#,
    ]

    static func check(_ input: [UInt8]) {
        let text = String(decoding: input, as: UTF8.self)
        let lineCount = text.unicodeScalars.count { ConfigurationProperties.lineEnds.contains($0) } + 2
        do {
            let profile = try ProfileReader.read(
                text: text, file: "profile.yaml", surroundings: ConfigurationProperties.surroundings,
                generic: BuiltInSubjects.profiles.first { $0.name == "generic" })
            let normalizer = ErrorNormalizer(profile: profile, bodyLimit: 256)
            for status in [200, 301, 400, 422, 429, 500, 503, 999] {
                for body in bodies { judge(status, body, normalizer) }
            }
        } catch {
            ConfigurationProperties.expectReadable(error, lineCount: lineCount, text: text)
        }
    }

    private static func judge(_ status: Int, _ body: String, _ normalizer: ErrorNormalizer) {
        var fields = FieldBlock()
        fields.append("Content-Type", body.hasPrefix("{") ? "application/json" : "text/html")
        fields.append("Retry-After", "3")
        let answer = ProviderAnswer(status: status, fields: fields, body: Array(body.utf8))
        let facts = RequestFacts(method: "POST", path: "/emails")
        guard let error = normalizer.normalize(answer, of: facts, at: 1_795_132_800) else {
            return expect(status < 400, "an error passed untouched")
        }
        BuiltInSubjects.expectValid(error)
    }
}
