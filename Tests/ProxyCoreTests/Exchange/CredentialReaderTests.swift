import HTTPWire
import ProxyCore
import Testing

@Suite("the credential of a request")
struct CredentialReaderTests {
    private static let places: [CredentialPlace] = [
        .basicPassword, .bearer, .header("X-Api-Key"), .query("access_token"),
    ]

    private func credential(
        _ fields: [(String, String)] = [], target: String = "/a", reader: CredentialReader? = nil
    ) -> String? {
        let reader =
            reader
            ?? CredentialReader(places: Self.places, injected: nil, injection: nil, isShared: false)
        let bytes = reader.credential(target: Array(target.utf8).span) { body in
            for (name, value) in fields { body(Array(name.utf8).span, Array(value.utf8).span) }
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    private func key(_ reader: CredentialReader, _ field: (String, String)?, target: String = "/a")
        -> LedgerKey
    {
        reader.key(target: Array(target.utf8).span) { body in
            if let field { body(Array(field.0.utf8).span, Array(field.1.utf8).span) }
        }
    }

    @Test(
        "it is found in each place",
        arguments: [
            ("Authorization", "Basic OnNlY3JldA=="), ("authorization", "basic  OnNlY3JldA"),
            ("Authorization", "Basic dXNlcjpzZWNyZXQ="), ("Authorization", "Bearer secret"),
            ("AUTHORIZATION", "bearer secret"), ("x-api-key", "secret"),
        ])
    func fields(_ name: String, _ value: String) {
        #expect(credential([(name, value)]) == "secret")
    }

    @Test(
        "it is found in the query however it is escaped",
        arguments: [
            "/a?access_token=secret", "/a?x=1&access_token=secret&y=2", "/a?access_token=s%65cret",
            "/a?access%5Ftoken=secret", "/a?&&access_token=secret",
        ])
    func query(_ target: String) {
        #expect(credential(target: target) == "secret")
    }

    @Test(
        "what only looks like one is none",
        arguments: [
            ("Authorization", "Basic !!!"), ("Authorization", "Basic bm9jb2xvbg=="),
            ("Authorization", "Digest secret"), ("X-Api-Keys", "secret"),
        ])
    func none(_ name: String, _ value: String) {
        #expect(credential([(name, value)]) == nil)
        #expect(credential(target: "/access_token=secret?token=secret") == nil)
    }

    @Test("the first place counts, whatever the order of the fields")
    func order() {
        let fields = [("X-Api-Key", "third"), ("Authorization", "Basic OmZpcnN0")]
        #expect(credential(fields, target: "/a?access_token=fourth") == "first")
        #expect(credential([fields[0]], target: "/a?access_token=fourth") == "third")
    }

    @Test("one credential has one ledger, wherever it stands; another has another; none has its own")
    func ledgers() {
        let reader = CredentialReader(places: Self.places, injected: nil, injection: nil, isShared: false)
        let key = key(reader, ("Authorization", "Basic OnNlY3JldA=="))
        #expect(self.key(reader, ("Authorization", "Bearer secret")) == key)
        #expect(self.key(reader, nil, target: "/b?access_token=secret") == key)
        #expect(self.key(reader, ("Authorization", "Bearer other")) != key)
        #expect(self.key(reader, nil) == .none)
        #expect(key != .none && key != .shared)
    }

    @Test("a shared ledger is one, whatever the credential")
    func sharedLedger() {
        let reader = CredentialReader(places: Self.places, injected: nil, injection: nil, isShared: true)
        #expect(key(reader, ("Authorization", "Bearer a")) == .shared)
        #expect(key(reader, nil) == .shared)
    }

    @Test(
        "a credential of Weir's own goes where the profile says",
        arguments: [
            (CredentialPlace.basicPassword, "Authorization: Basic OnNlY3JldA=="),
            (.bearer, "Authorization: Bearer secret"), (.header("X-Api-Key"), "X-Api-Key: secret"),
        ])
    func injectedField(_ place: CredentialPlace, _ expected: String) throws {
        let reader = CredentialReader(
            places: [.bearer], injected: "secret", injection: place, isShared: false)
        let field = try #require(reader.injectedField)
        #expect(String(decoding: field.name + [0x3A, 0x20] + field.value, as: UTF8.self) == expected)
        var target = Array("/a".utf8)
        reader.inject(intoTarget: &target)
        #expect(target == Array("/a".utf8))
        #expect(credential([("Authorization", "Bearer client")], reader: reader) == "secret")
    }

    @Test("a credential of Weir's own replaces those of the client, and nothing else")
    func replaced() {
        func replaces(_ name: String, injected: String?) -> Bool {
            let reader = CredentialReader(
                places: Self.places, injected: injected, injection: .header("X-Key"), isShared: false)
            return reader.replaces(Array(name.utf8).span)
        }
        for name in ["authorization", "X-API-KEY", "x-key"] {
            #expect(replaces(name, injected: "secret"), "\(name)")
            #expect(!replaces(name, injected: nil), "\(name)")
        }
        #expect(!replaces("X-Api", injected: "secret"))
    }

    @Test("a credential in the query is escaped, and added to what is there")
    func injectedQuery() {
        let reader = CredentialReader(
            places: [], injected: "a&b=c", injection: .query("key"), isShared: false)
        #expect(reader.injectedField == nil)
        func inject(_ target: String) -> String {
            var bytes = Array(target.utf8)
            reader.inject(intoTarget: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(inject("/a") == "/a?key=a%26b%3Dc")
        #expect(inject("/a?x=1") == "/a?x=1&key=a%26b%3Dc")
    }
}
