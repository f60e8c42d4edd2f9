import Configuration
import Core
import Testing

struct ReferenceTests {
    @Test("references to variables and files are replaced in every kind of value")
    func references() throws {
        let configuration = try read(
            """
            listen: ${HOST}:${PORT}
            workers: ${WORKERS}
            log: { access: "${file:/run/switch}" }
            limits: { queue: "${WORKERS}0", drain: "${WORKERS}s" }
            providers:
              lettr: { credential: "${file:/run/secrets/key}", mount: "/${NAME}" }
            """,
            variables: ["HOST": "127.0.0.1", "PORT": "0", "WORKERS": "7", "NAME": "mail"],
            files: ["/run/switch": "off\n", "/run/secrets/key": "lttr_key\r\n\n"])
        #expect(configuration.listen.description == "127.0.0.1:0")
        #expect(configuration.workers == 7)
        #expect(!configuration.logsAccess)
        #expect(configuration.limits.queue == 70)
        #expect(configuration.drain == .seconds(7))
        #expect(configuration.providers.first?.credential?.value == "lttr_key")
        #expect(configuration.providers.first?.mount?.path == "/mail")
    }

    @Test("a credential that is the whole content of a file is known by its path, and no other")
    func wholeFile() throws {
        let files = ["/key": "k1234567\n"]
        func path(_ members: String) throws -> String? {
            try readProvider(members, variables: ["V": "x"], files: files)?.credentialFile
        }
        #expect(try path("credential: '${file:/key}'") == "/key")
        #expect(try path("credential: 'user:${file:/key}'") == nil)
        #expect(try path("credential: '${file:/key}${V}'") == nil)
        #expect(try path("credential: '${V}'") == nil)
        #expect(try path("errors: raw") == nil)
        #expect(
            try path(
                "credential: '${file:/key}', hosts: { a: 'http://{v}.example.com' }, variables: { v: b }")
                == nil)
    }

    @Test("replaced text is not searched for references again")
    func noRecursion() throws {
        let provider = try readProvider("credential: '${A}'", variables: ["A": "${B}", "B": "no"])
        #expect(provider?.credential?.value == "${B}")
    }

    @Test("a reference to a missing variable or file is a mistake")
    func missing() {
        let text = """
            listen: ${HOST}:80
            workers: ${WORKERS
            providers:
              lettr:
                credential: ${file:/nowhere}
            """
        #expect(
            mistakes(text) == """
                weir.yaml:1:9: listen: ${HOST}: the environment variable is not set
                weir.yaml:2:10: workers: '${' has no '}'
                weir.yaml:5:17: providers.lettr.credential: ${file:/nowhere}: the file cannot be read
                """)
    }

    @Test("a secret never appears in a mistake")
    func secrets() {
        let text = """
            listen: ${KEY}
            workers: ${KEY}
            type_base: ${KEY}
            limits: { queue: "${KEY}", drain: "${KEY}", uri: "${KEY}" }
            providers:
              lemlist:
                credential: "sk_live in two words"
                upstream: https://user:sk_live@example.com
                errors: ${KEY}
                group: ${KEY}
                mount: ${KEY}
                profile: ${KEY}
                upstream_body: ${KEY}
                retries: { max: "${KEY}" }
                max_wait: ${KEY}
                timeouts: { total: "${KEY}" }
                limits: [{ requests: "${KEY}", per: "${KEY}", by: "${KEY}" }]
                tls: { ca_file: "${KEY}" }
              lettr:
                upstream: https://example.com/?access_token=sk_live
                credential: [{ key: "sk_live" }]
              other: credential:sk_live
            """
        let found = mistakes(text, variables: ["KEY": "sk_live_\n"])
        #expect(!found.contains("sk_live"))
        #expect(found.split(separator: "\n").count == 23, "\(found)")
    }

    @Test("a secret is neither printed nor dumped")
    func printing() throws {
        let provider = try #require(try readProvider("credential: sk_live"))
        var dumped = ""
        dump(provider, to: &dumped)
        for text in ["\(provider)", String(reflecting: provider), dumped] {
            #expect(!text.contains("sk_live"))
        }
        #expect(provider.credential?.value == "sk_live")
    }

    @Test("a credential may be a list of up to 16 different keys")
    func severalKeys() throws {
        let provider = try readProvider(
            "credential: ['${A}', key-2]", variables: ["A": "key-1"])
        #expect(provider?.credentials.map(\.value) == ["key-1", "key-2"])
        #expect(provider?.credential?.value == "key-1" && provider?.otherCredentials.count == 1)
        #expect(try readProvider("credential: [key-1]")?.otherCredentials.isEmpty == true)
        #expect(providerMistakes("credential: []").count == 1)
        let duplicate = providerMistakes("credential: [key-1, key-2, key-1]")
        #expect(duplicate.count == 1 && duplicate[0].hasPrefix("providers.api.credential[2]: is a duplicate"))
        #expect(!duplicate[0].contains("key-1"))
        let many = (1...17).map { "k\($0)" }.joined(separator: ", ")
        #expect(providerMistakes("credential: [\(many)]").first?.contains("at most 16") == true)
        #expect(providerMistakes("credential: [a, 'b c']").count == 1)
    }

    @Test("the upstream cannot take a variable from one of several keys")
    func variableOfSeveralKeys() {
        let upstream =
            "upstream: 'https://{dc}.api.example.com', variables: { dc: { from: credential, match: '-(.*)$' } }"
        #expect(
            mistakes("providers: { api: { \(upstream), credential: [a-us1, b-us2] } }")
                .contains("must be one key: the upstream takes a variable from it"))
        #expect(mistakes("providers: { api: { \(upstream), credential: a-us1 } }") == "")
    }
}
