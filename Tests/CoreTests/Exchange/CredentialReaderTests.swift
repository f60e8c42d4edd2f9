import Core
import Testing
import Wire

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
            ?? CredentialReader(places: Self.places, injected: nil, isShared: false)
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
        "a credential is found in each place",
        arguments: [
            ("Authorization", "Basic OnNlY3JldA=="), ("authorization", "basic  OnNlY3JldA"),
            ("Authorization", "Basic dXNlcjpzZWNyZXQ="), ("Authorization", "Bearer secret"),
            ("AUTHORIZATION", "bearer secret"), ("x-api-key", "secret"), ("Authorization", "Bearer   secret"),
            ("Authorization", "Bearer\tsecret"), ("Authorization", "Bearer secret, Bearer other"),
            ("Authorization", "Bearer secret,Basic eDp5"),
            ("Authorization", "Basic OnNlY3JldA==, Bearer other"),
        ])
    func fields(_ name: String, _ value: String) {
        #expect(credential([(name, value)]) == "secret")
    }

    @Test(
        "a credential in the query is found whatever its escaping",
        arguments: [
            "/a?access_token=secret", "/a?x=1&access_token=secret&y=2", "/a?access_token=s%65cret",
            "/a?access%5Ftoken=secret", "/a?&&access_token=secret", "/a?x=1;access_token=secret;y=2",
            "/a?access_token=secret&access_token=other", "/a?%61ccess_token=secret",
            "/a?x?&access_token=secret",
        ])
    func query(_ target: String) {
        #expect(credential(target: target) == "secret")
    }

    @Test(
        "a text that only resembles a credential is not one",
        arguments: [
            ("Authorization", "Basic !!!"), ("Authorization", "Basic bm9jb2xvbg=="),
            ("Authorization", "Digest secret"), ("X-Api-Keys", "secret"),
        ])
    func none(_ name: String, _ value: String) {
        #expect(credential([(name, value)]) == nil)
        for target in [
            "/access_token=secret?token=secret", "/a?access_token%3Dsecret", "/a?x%26access_token=secret",
            "/a?x%3Baccess_token=secret", "/a?x=access_token=secret", "/a?access_tokens=secret",
            "/a?Access_Token=secret",
        ] { #expect(credential(target: target) == nil, "\(target)") }
    }

    @Test("the first place of the profile determines the credential, whatever the order of the fields")
    func order() {
        let fields = [("X-Api-Key", "third"), ("Authorization", "Basic OmZpcnN0")]
        #expect(credential(fields, target: "/a?access_token=fourth") == "first")
        #expect(credential([fields[0]], target: "/a?access_token=fourth") == "third")
    }

    @Test("a credential has one ledger in every place, and different credentials have different ledgers")
    func ledgers() {
        let reader = CredentialReader(places: Self.places, injected: nil, isShared: false)
        let key = key(reader, ("Authorization", "Basic OnNlY3JldA=="))
        #expect(self.key(reader, ("Authorization", "Bearer secret")) == key)
        #expect(self.key(reader, nil, target: "/b?access_token=secret") == key)
        #expect(self.key(reader, ("Authorization", "Bearer other")) != key)
        #expect(self.key(reader, nil) == .none)
        #expect(key != .none && key != .shared)
    }

    @Test("a shared ledger is the same for all credentials")
    func sharedLedger() {
        let reader = CredentialReader(places: Self.places, injected: nil, isShared: true)
        #expect(key(reader, ("Authorization", "Bearer a")) == .shared)
        #expect(key(reader, nil) == .shared)
    }

    @Test(
        "Weir's own credential is sent as the profile says",
        arguments: [
            (CredentialPlace.basicPassword, "Authorization: Basic OnNlY3JldA=="),
            (.basicUser, "Authorization: Basic c2VjcmV0Og=="), (.basicPair, "Authorization: Basic c2VjcmV0"),
            (.bearer, "Authorization: Bearer secret"), (.scheme("token"), "Authorization: token secret"),
            (.header("X-Api-Key"), "X-Api-Key: secret"),
            (.header("Authorization", prefix: "Token token="), "Authorization: Token token=secret"),
        ])
    func injectedField(_ place: CredentialPlace, _ expected: String) throws {
        let reader = CredentialReader(
            places: [.bearer], injected: "secret", injections: [CredentialInjection(place)], isShared: false)
        #expect(injected(by: reader) == [expected])
        #expect(adjusted("/a", by: reader) == "/a")
        #expect(credential([("Authorization", "Bearer client")], reader: reader) == "secret")
    }

    @Test("Weir's own credential replaces only the client's credentials")
    func replaced() {
        let reader = CredentialReader(
            places: Self.places, injected: "secret", injections: [CredentialInjection(.header("X-Key"))],
            isShared: false)
        var seen: Set<UInt64> = []
        for name in ["authorization", "X-API-KEY", "x-key"] {
            let bit = reader.fieldIndex(Array(name.utf8).span)
            #expect(bit.map { seen.insert($0).inserted } == true, "\(name)")
        }
        let other = reader.fieldIndex(Array("X-Api".utf8).span)
        #expect(other == nil)
    }

    @Test("a credential in the query is escaped, and added to what is there")
    func injectedQuery() {
        let reader = CredentialReader(
            places: [], injected: "a&b=c", injections: [CredentialInjection(.query("key"))], isShared: false)
        #expect(injected(by: reader) == [])
        #expect(adjusted("/a", by: reader) == "/a?key=a%26b%3Dc")
        #expect(adjusted("/a?x=1", by: reader) == "/a?x=1&key=a%26b%3Dc")
    }

    private func adjusted(_ target: String, by reader: CredentialReader) -> String {
        var bytes = Array(target.utf8)
        reader.adjust(target: &bytes, method: Array("GET".utf8).span, path: Array(target.utf8).span)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func injected(by reader: CredentialReader, to method: String = "GET", _ path: String = "/a")
        -> [String]
    {
        var fields: [String] = []
        reader.forEachInjectedField(method: Array(method.utf8).span, path: Array(path.utf8).span) {
            fields.append(String(decoding: $0.name + [0x3A, 0x20] + $0.value, as: UTF8.self))
        }
        return fields
    }

    @Test("a profile's user name stands before the credential in Basic")
    func user() {
        let reader = CredentialReader(
            places: [], injected: "key", injections: [CredentialInjection(.basicPassword)], user: "api",
            isShared: false)
        #expect(injected(by: reader) == ["Authorization: Basic YXBpOmtleQ=="])
    }

    @Test("a credential can go to several places, and elsewhere for some routes")
    func severalPlaces() throws {
        let routes = [try RequestPattern(parsing: "* /admin/**"), try RequestPattern(parsing: "POST /keys")]
        let reader = CredentialReader(
            places: [.bearer], injected: "k",
            injections: [
                CredentialInjection(.bearer), CredentialInjection(.header("X-Key")),
                CredentialInjection(.query("key")),
                CredentialInjection(.header("X-Admin"), routes: routes),
                CredentialInjection(.query("admin"), routes: [routes[1]]),
            ], isShared: false)
        #expect(injected(by: reader) == ["Authorization: Bearer k", "X-Key: k"])
        #expect(adjusted("/a?x=1", by: reader) == "/a?x=1&key=k")
        #expect(injected(by: reader, "/admin/x?y") == ["X-Admin: k"])
        #expect(adjusted("/admin/x", by: reader) == "/admin/x")
        #expect(injected(by: reader, to: "POST", "/keys") == ["X-Admin: k"])
        #expect(injected(by: reader, "/keys") == ["Authorization: Bearer k", "X-Key: k"])
        // No client's own credential crosses, whichever place a request uses.
        for name in ["Authorization", "X-Key", "x_admin"] {
            #expect(reader.fieldIndex(Array(name.utf8).span) != nil)
        }
        #expect(adjusted("/a?admin=c&key=c", by: reader) == "/a?key=k")
    }

    @Test(
        "a client's credential is found in each place that a profile can name",
        arguments: [
            (CredentialPlace.basicUser, "Authorization", "Basic c2VjcmV0Og==", "secret"),
            (.basicUser, "Authorization", "Basic c2VjcmV0", "secret"),
            (.basicPair, "Authorization", "Basic YTpi", "a:b"),
            (.basicPair, "Authorization", "Basic c2VjcmV0", nil),
            (.scheme("token"), "Authorization", "Token  abc ", "abc"),
            (.scheme("token"), "Authorization", "Tokens abc", nil),
            (.scheme("token"), "Authorization", "token", nil), (.scheme("token"), "X-Key", "token abc", nil),
            (.header("X-Key", prefix: "Token token="), "x-key", "token TOKEN=abc", "abc"),
            (.header("X-Key", prefix: "Token token="), "X-Key", "abc", nil),
            (.header("X-Key", prefix: "Token token="), "X-Key", "Token", nil),
        ] as [(CredentialPlace, String, String, String?)])
    func found(_ place: CredentialPlace, _ name: String, _ value: String, _ expected: String?) {
        let reader = CredentialReader(places: [place], injected: nil, isShared: false)
        #expect(credential([(name, value)], reader: reader) == expected)
    }

    @Test(
        "client parameters that could be read as the credential are replaced by Weir's own",
        arguments: [
            ("/a?key=c", "/a?"), ("/a?key=c&x=1", "/a?x=1&"), ("/a?x=1&key=c", "/a?x=1&"),
            ("/a?x=1&key=c&y=2", "/a?x=1&y=2&"), ("/a?key=1&key=2", "/a?"), ("/a?key", "/a?"),
            ("/a?key=", "/a?"),
            ("/a?k%65y=c&x", "/a?x&"), ("/a?%6B%65%79=c", "/a?"), ("/a?x=1;key=c;y=2", "/a?x=1;y=2&"),
            ("/a?token=c&x=1", "/a?x=1&"), ("/a?x=1&&key=c", "/a?x=1&"), ("/a?key=c&", "/a?"),
            ("/a?key%3Dx", "/a?key%3Dx&"), ("/a?x=key=c", "/a?x=key=c&"), ("/a?keys=c", "/a?keys=c&"),
            ("/a?x%26key=c", "/a?x%26key=c&"), ("/key=c", "/key=c?"), ("/a?", "/a?&"),
        ])
    func removed(_ target: String, _ expected: String) {
        let reader = CredentialReader(
            places: [.bearer, .query("token")], injected: "held",
            injections: [CredentialInjection(.query("key"))], isShared: false)
        #expect(adjusted(target, by: reader) == expected + "key=held")
    }

    @Test("of several credential parameters of the client, the one that counts is sent")
    func repeatedParameters() {
        let reader = CredentialReader(places: Self.places, injected: nil, isShared: false)
        for (target, sent) in [
            ("/a?access_token=1&x=2&access_token=3", "/a?access_token=1&x=2"),
            ("/a?access%5ftoken=1;access_token=2&b", "/a?access%5ftoken=1;b"), ("/a?b=1&b=2&", "/a?b=1&b=2&"),
        ] {
            #expect(adjusted(target, by: reader) == sent)
            #expect(credential(target: target) == credential(target: sent))
        }
        let other = CredentialReader(
            places: [.bearer], injected: "k", injections: [CredentialInjection(.bearer)], isShared: false)
        #expect(adjusted("/a?access_token=1&access_token=2", by: other) == "/a?access_token=1&access_token=2")
    }

    @Test("of several fields of one name, the first counts and is sent")
    func repeatedFields() {
        #expect(credential([("Authorization", "Bearer a"), ("authorization", "Bearer b")]) == "a")
        #expect(credential([("Authorization", "Bearer a"), ("Authorization", "Basic OmI=")]) == "a")
        #expect(credential([("Authorization", "Digest a"), ("Authorization", "Bearer b")]) == nil)
        #expect(credential([("X-Api-Key", "a"), ("x-api-key", "b")]) == "a")
    }

    @Test("everything that authenticates a request is secret")
    func secrets() {
        let reader = CredentialReader(places: Self.places, injected: nil, isShared: false)
        let fields = [("Authorization", "Basic dXNlcjpwYXNz"), ("X-Api-Key", "k"), ("X-Other", "o")]
        let found = reader.secrets(target: Array("/a?access_token=t%21".utf8).span) { body in
            for (name, value) in fields { body(Array(name.utf8).span, Array(value.utf8).span) }
        }
        #expect(
            Set(found.map { String(decoding: $0, as: UTF8.self) }) == [
                "dXNlcjpwYXNz", "user", "pass", "k", "t!",
            ])
    }
}
