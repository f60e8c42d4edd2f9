import Testing
import Wire

@testable import Core

@Suite("the search for secrets")
struct SecretSearchTests {
    private static func secrets(_ authorization: [String]) -> FieldBlock {
        var fields = FieldBlock()
        for value in authorization { fields.append("Authorization", value) }
        return fields
    }

    private static func mayContain(_ text: String, _ redactor: SecretRedactor) -> Bool {
        redactor.mayContain(Array(text.utf8).span)
    }

    private static func redactor(
        of normalizer: ErrorNormalizer, _ reader: CredentialReader, _ fields: FieldBlock, target: String = "/"
    ) -> SecretRedactor {
        normalizer.redactor(of: reader, target: Array(target.utf8).span) { fields.forEach($0) }
    }

    @Test(
        "a secret is found at each place of a text, whatever else is looked for", arguments: [3, 4, 5, 6, 9])
    func places(_ prefixLength: Int) {
        let prefix = String("q_xyzwvut".prefix(prefixLength))
        let redactor = SecretRedactor(secrets: [Array("Secret-0123456789".utf8)], prefixes: [Text(prefix)])
        for word in [
            "secret-0123456789", "SECRET 0123456789", prefix + "abcdefgh1", "basic Q1J5cHRpYzo5",
            "Bearer Zx81-77aaP",
        ] {
            for before in 0..<24 {
                for after in [0, 1, 2, 17] {
                    let text =
                        String(repeating: "n", count: before) + " " + word
                        + String(repeating: ".", count: after)
                    #expect(Self.mayContain(text, redactor), "\(text)")
                    #expect(redactor.redacted(Text(text)).string.contains("[redacted]"), "\(text)")
                }
            }
        }
    }

    @Test(
        "a token is found behind the name of each authentication scheme",
        arguments: AuthenticationScheme.names)
    func schemes(_ name: [UInt8]) {
        let redactor = SecretRedactor(secrets: [], prefixes: ["q_xyz", "re_"])
        let name = Text(name).string
        for spelling in [name, name.uppercased()] {
            for before in 0..<20 {
                let text = String(repeating: "n", count: before) + " \(spelling) Zx81-77aaP90kQ"
                #expect(Self.mayContain(text, redactor), "\(text)")
                #expect(redactor.redacted(Text(text)).string.contains("[redacted]"), "\(text)")
            }
        }
    }

    @Test(
        "a token is found behind a prefix with separators",
        arguments: ["re_", "sk-", "k--", "a-b_c", "sk_live_", "-pk-", "---"])
    func separatedPrefixes(_ prefix: String) {
        let redactor = SecretRedactor(secrets: [], prefixes: [Text(prefix)], findsSchemes: false)
        for before in 0..<20 {
            let text = String(repeating: "n", count: before) + " " + prefix + "Zx81-77aaP9"
            #expect(Self.mayContain(text, redactor), "\(text)")
            #expect(redactor.redacted(Text(text)).string.contains("[redacted]"), "\(text)")
        }
        #expect(!Self.mayContain(String(repeating: "n", count: 40), redactor))
    }

    @Test("a text with the first bytes of an escape may contain a secret", arguments: ["%", "\\", "&"])
    func escapes(_ escape: String) {
        let redactor = SecretRedactor(secrets: [Array("Secret-0123456789".utf8)])
        for before in 0..<40 {
            let text = String(repeating: "n", count: before) + escape + "nn"
            #expect(Self.mayContain(text, redactor), "\(text)")
        }
        #expect(!Self.mayContain(String(repeating: "n", count: 40), redactor))
    }

    @Test("a secret that only a name of nested fields has is hidden")
    func joinedName() throws {
        let body = #"{"message":"no","errors":{"abc":{"defghijklmnop":["a value is required"]}}}"#
        var fixture = NormalizerFixture("generic", 422, body)
        fixture.credential = Array("abc.defghijklmnop".utf8)
        let error = try fixture.error()
        let field = try #require(error.fields.first)
        #expect(field.field.string == "[redacted]")
        #expect(field.detail?.string == "a value is required")
    }

    @Test("of each request its own credential is hidden, however they alternate")
    func alternation() throws {
        let normalizer = ErrorNormalizer(profile: try BuiltInProfiles.normalizer("generic").profile)
        let reader = CredentialReader(places: [.bearer], injected: nil, isShared: false)
        let keys = (0..<12).map { "key-number-\($0)-aaaaaaa" }
        for _ in 0..<2 {
            for key in keys {
                let redactor = Self.redactor(of: normalizer, reader, Self.secrets(["Bearer \(key)"]))
                for other in keys {
                    let text = redactor.redacted(Text("it is \(other)")).string
                    #expect(text == (other == key ? "it is [redacted]" : "it is \(other)"))
                }
            }
        }
        // Of several each is hidden, in any order and also behind a request that has only one of them.
        for pair in [[keys[0], keys[1]], [keys[1], keys[0]]] {
            let redactor = Self.redactor(of: normalizer, reader, Self.secrets(pair.map { "Bearer \($0)" }))
            for key in pair { #expect(redactor.redacted(Text("it is \(key)")).string == "it is [redacted]") }
        }
        let none = Self.redactor(of: normalizer, reader, FieldBlock())
        #expect(none.redacted(Text("it is \(keys[0])")).string == "it is \(keys[0])")
    }

    @Test("the same Authorization hides another secret beside another parameter or field")
    func otherPlaces() throws {
        let normalizer = ErrorNormalizer(profile: try BuiltInProfiles.normalizer("generic").profile)
        let reader = CredentialReader(
            places: [.bearer, .query("key"), .header("X-Key")], injected: nil, isShared: false
        )
        for number in 0..<4 {
            var fields = Self.secrets(["Bearer the-same-for-all-1"])
            fields.append("X-Key", "header-key-\(number)00")
            let redactor = Self.redactor(
                of: normalizer, reader, fields, target: "/?key=query-key-\(number)00")
            for secret in ["the-same-for-all-1", "header-key-\(number)00", "query-key-\(number)00"] {
                #expect(redactor.redacted(Text("it is \(secret)")).string == "it is [redacted]")
            }
            #expect(
                redactor.redacted(Text("header-key-\(number + 1)00")).string == "header-key-\(number + 1)00")
        }
    }
}
