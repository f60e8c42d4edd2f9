import Configuration
import Core
import Testing

@Suite("who may use Weir, and how much it logs")
struct AccessTests {
    private static let (first, second) = ("first-token-of-24-letter", "second-token-of-24-lette")

    @Test("a token, or a list of them, is read from variables and files")
    func tokens() throws {
        #expect(try read("").accessTokens.isEmpty && read("").adminToken == nil)
        let one = try read("access: { token: '${file:/token}' }", files: ["/token": "\(Self.first)\n"])
        #expect(one.accessTokens == AccessTokens([Secret(Self.first)]))
        let two = try read(
            "access: { token: ['${A}', \(Self.second)] }\nadmin: { token: '${A}' }",
            variables: ["A": Self.first])
        #expect(two.accessTokens == AccessTokens([Secret(Self.first), Secret(Self.second)]))
        #expect(two.adminToken?.value == Self.first)
    }

    @Test("a token that could be guessed is a mistake, which does not show it")
    func short() {
        #expect(
            mistakes("access: { token: too_short }\nadmin: { token: '${A}' }", variables: ["A": "also_short"])
                == """
                weir.yaml:1:18: access.token: must be 16 to 1024 visible ASCII characters, blanks excluded (the value \
                is not shown)
                weir.yaml:2:17: admin.token: must be 16 to 1024 visible ASCII characters, blanks excluded (the value \
                is not shown)
                """)
        let many = Array(repeating: Self.first, count: 9).joined(separator: ", ")
        #expect(mistakes("access: { token: [\(many)] }").hasSuffix("has 9 tokens; allowed: at most 8"))
    }

    @Test("client_ca is a file of certificates; mistakes name its place")
    func authorities() throws {
        let text = "listen: { address: 127.0.0.1:1, tls: { certificate: tls.pem, client_ca: ca.pem } }"
        func read(_ files: [String: String]) throws(ConfigurationMistakes) -> ProxyConfiguration {
            try ConfigurationReader.read(
                text: text, file: "weir.yaml",
                surroundings: Surroundings(
                    variable: { _ in nil }, file: { files[$0] },
                    authorityMistake: { $0 == "CA" ? nil : "it has no certificate" }),
                profiles: knownProfiles)
        }
        #expect(try read(["tls.pem": "T", "ca.pem": "CA"]).listenTLS?.clientAuthorities?.value == "CA")
        for (files, reason) in [
            (["tls.pem": "T"], "'ca.pem' must be a readable file"),
            (["tls.pem": "T", "ca.pem": "x"], "'ca.pem' cannot be used: it has no certificate"),
        ] {
            let error = #expect(throws: ConfigurationMistakes.self) { try read(files) }
            #expect(error?.description == "weir.yaml:1:73: listen.tls.client_ca: \(reason)")
        }
    }

    @Test("the file has the log level, and a flag overrides it")
    func level() throws {
        #expect(try read("").logLevel == .info)
        #expect(try read("log: { level: debug }").logLevel == .debug)
        #expect(try read("log: { level: debug }", flags: [.logLevel: "error"]).logLevel == .error)
        #expect(
            mistakes("log: { level: loud }")
                == "weir.yaml:1:15: log.level: 'loud' is not one of: trace, debug, info, notice, warning, error, critical"
        )
    }

    @Test("a reload applies tokens, authorities and the log level")
    func reload() throws {
        let started = try read("")
        var changed = try read(
            "access: { token: \(Self.first) }\nadmin: { token: \(Self.second) }\nlog: { level: debug }")
        #expect(changed.keepWhatNeedsRestart(started: started, running: started).isEmpty)
        #expect(!changed.accessTokens.isEmpty && changed.adminToken != nil && changed.logLevel == .debug)
    }
}
