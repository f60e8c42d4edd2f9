import Core
import Testing

@testable import Configuration

@Suite("variables of an upstream, and further hosts")
struct UpstreamVariableTests {
    /// Profiles whose URLs have variables.
    private static let profiles = [
        """
        name: mailchimp
        upstream: https://{dc}.api.mailchimp.com/3.0
        variables: { dc: { from: credential, match: '-([a-z]+[0-9]+)$' } }
        """,
        "{ name: shopify, upstream: 'https://{shop}.myshopify.com/admin/api/{version}', variables: { version: 2026-01 } }",
        "{ name: github, upstream: https://api.github.com, hosts: { uploads: https://uploads.github.com }, limits: [{ requests: 5, per: 1s }] }",
        "{ name: none }",
    ]

    private static func read(_ text: String, variables: [String: String] = [:]) throws(ConfigurationMistakes)
        -> ProxyConfiguration
    {
        try ConfigurationReader.read(
            text: text, file: "weir.yaml",
            surroundings: Surroundings(variable: { variables[$0] }, file: { _ in nil }),
            profiles: { name in
                profiles.lazy.compactMap { try? ProfileReader.read(text: $0, file: "p.yaml", generic: nil) }
                    .first { $0.name == name }.map { ProfileDefaults($0) }
                    ?? (name == "generic" ? ProfileDefaults(upstream: nil, limits: []) : nil)
            })
    }

    private static func mistakes(_ text: String) -> [String] {
        do {
            _ = try read(text)
            return []
        } catch {
            return error.all.map { "\($0)" }
        }
    }

    @Test(
        "a value comes from the credential, the configuration or the profile",
        arguments: [
            ("mailchimp: { credential: abc-us6 }", "https://us6.api.mailchimp.com/3.0"),
            ("mailchimp: { credential: '${KEY}' }", "https://us21.api.mailchimp.com/3.0"),
            ("mailchimp: { variables: { dc: us7 } }", "https://us7.api.mailchimp.com/3.0"),
            (
                "mailchimp: { credential: abc-us6, variables: { dc: us7 } }",
                "https://us7.api.mailchimp.com/3.0"
            ),
            ("mc: { profile: mailchimp, credential: abc-us6 }", "https://us6.api.mailchimp.com/3.0"),
            ("shopify: { variables: { shop: acme } }", "https://acme.myshopify.com/admin/api/2026-01"),
            (
                "shopify: { variables: { shop: acme, version: 2025-10 } }",
                "https://acme.myshopify.com/admin/api/2025-10"
            ),
            (
                "x: { upstream: 'https://{a}.example.com/{b}', variables: { a: '${KEY}', b: v } }",
                "https://abc-us21.example.com/v"
            ),
            (
                "x: { upstream: 'https://{a}.example.com', credential: k.eu1.z, variables: { a: { from: credential, match: '\\.(.*)\\.' } } }",
                "https://eu1.example.com"
            ),
            ("mailchimp: { upstream: 'http://127.0.0.1:9/3.0' }", "http://127.0.0.1:9/3.0"),
        ])
    func values(provider: String, expected: String) throws {
        let text = "providers: { \(provider) }"
        #expect(
            try Self.read(text, variables: ["KEY": "abc-us21"]).providers.map(\.upstream.description) == [
                expected
            ])
    }

    @Test(
        "what is missing or wrong is reported with its place, and no credential is shown",
        arguments: [
            (
                "mailchimp: {}",
                "weir.yaml:2:14: providers.mailchimp: needs `credential`, or `dc` in `variables`: the upstream of the profile 'mailchimp' "
                    + "takes the variable 'dc' from the credential, which Weir must hold for that"
            ),
            (
                "mailchimp: { credential: secretkey }",
                "weir.yaml:2:28: providers.mailchimp.credential: is not of the form from which the upstream of the profile 'mailchimp' takes "
                    + "the variable 'dc' ('-([a-z]+[0-9]+)$'); `dc` in `variables` gives it instead"
            ),
            (
                "shopify: {}",
                "weir.yaml:2:12: providers.shopify: needs `shop` in `variables`: the upstream of the profile 'shopify' has the variables "
                    + "shop, version"
            ),
            (
                "shopify: { variables: { shop: evil.com/ } }",
                "weir.yaml:2:33: providers.shopify.variables.shop: 'evil.com/' is no value of the variable 'shop' of the upstream of the profile "
                    + "'shopify': it must be a part of a host's name: up to 63 letters, digits and hyphens between them"
            ),
            (
                "shopify: { variables: { shop: acme, store: x } }",
                "weir.yaml:2:46: providers.shopify.variables.store: has no effect: the variables of `upstream` and `hosts` are: shop, version"
            ),
            (
                "x: { upstream: 'https://api.example.com', variables: { a: b } }",
                "weir.yaml:2:61: providers.x.variables.a: has no effect: the variables of `upstream` and `hosts` are: none"
            ),
            (
                "x: { upstream: 'https://{a}.com', variables: { a: b } }",
                "weir.yaml:2:18: providers.x.upstream: 'https://{a}.com' must not have a variable in the last two labels of a host, unless it is "
                    + "the whole host: it would choose whose host it is"
            ),
            (
                "x: { upstream: 'https://{a}', credential: evil.com, variables: { a: { from: credential, match: '.*' } } }",
                "weir.yaml:2:71: providers.x.variables.a: the variable 'a' of 'https://{a}' cannot come from the credential: it is the whole host"
            ),
            (
                "x: { upstream: 'https://{a}.x.example.com', credential: a.b, variables: { a: { from: credential, match: '.*' } } }",
                "weir.yaml:2:59: providers.x.credential: gives the variable 'a' of 'https://{a}.x.example.com' a value that is not allowed: it must "
                    + "be a part of a host's name: up to 63 letters, digits and hyphens between them"
            ),
            (
                "strip: {}",
                "weir.yaml:2:10: providers.strip: needs `upstream`: there is no profile 'strip' (`weir profile list` has them all), and 'generic' "
                    + "has none"
            ),
            (
                "x: { profile: none }",
                "weir.yaml:2:6: providers.x: needs `upstream`: the profile 'none' has none"
            ),
        ])
    func mistakes(provider: String, expected: String) {
        #expect(Self.mistakes("providers:\n  \(provider)") == [expected])
    }

    @Test(
        "a variable that is malformed is reported",
        arguments: [
            ("{ a: { from: header, match: x } }", "'header' must be credential"),
            ("{ a: { from: credential } }", "needs 'from' and 'match', or is a value"),
            ("{ a: { from: credential, match: '(' } }", "is not a regular expression"),
            ("{ A: x }", "the name of a variable must be"),
            ("{ a: { from: credential, match: x, other: 1 } }", "unknown key; allowed: from, match"),
            ("{ a: '' }", "must not be empty"),
            ("{}", "must not be empty"), ("[]", "must be a mapping"),
        ])
    func malformed(variables: String, expected: String) {
        let found = Self.mistakes(
            "providers: { x: { upstream: 'https://{a}.example.com', variables: \(variables) } }")
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test("a host is mounted below its provider, and shares its account")
    func hosts() throws {
        let configuration = try Self.read(
            "providers: { github: { credential: k, max_wait: 3s, hosts: { raw: 'https://raw.example.com/x' } }, other: { upstream: 'http://127.0.0.1:9' } }"
        )
        #expect(configuration.providers.map(\.name) == ["github", "github-raw", "github-uploads", "other"])
        #expect(
            configuration.providers.map { $0.mount?.path } == [
                "/github", "/github/raw", "/github/uploads", "/other",
            ])
        #expect(configuration.providers.map(\.ledgerName) == ["github", "github", "github", "other"])
        for host in configuration.providers[1...2] {
            #expect(
                host.credential?.value == "k" && host.maximumWait == .seconds(3) && host.profile == "github")
            #expect(host.limits == configuration.providers[0].limits && host.limits.count == 1)
        }
        #expect(configuration.providers[1].upstream.description == "https://raw.example.com/x")
        #expect(configuration.providers[2].upstream.description == "https://uploads.github.com")
    }

    @Test("the hosts of a profile do not belong to another upstream")
    func replacedUpstream() throws {
        let configuration = try Self.read("providers: { github: { upstream: 'http://127.0.0.1:9' } }")
        #expect(configuration.providers.map(\.name) == ["github"])
    }

    @Test("a host can replace the profile's, and have the provider's variables")
    func replacedHost() throws {
        let configuration = try Self.read(
            "providers: { github: { mount: /, hosts: { uploads: 'https://{a}.example.com' }, variables: { a: b } } }"
        )
        #expect(
            configuration.providers.map(\.upstream.description) == [
                "https://api.github.com", "https://b.example.com",
            ])
        #expect(configuration.providers[1].mount?.path == "/uploads")
    }

    @Test(
        "a host that cannot be is reported",
        arguments: [
            (
                "a: { upstream: 'http://127.0.0.1:9', hosts: { B: 'http://127.0.0.1:8' } }",
                "the name of a host"
            ),
            (
                "a: { upstream: 'http://127.0.0.1:9', hosts: { b: 'ftp://x' } }",
                "'ftp://x' must begin with http:// or https://"
            ),
            (
                "a: { upstream: 'http://127.0.0.1:9', listen: 127.0.0.1:1, hosts: { b: 'http://127.0.0.1:8' } }",
                "needs `mount` at the provider"
            ),
            (
                "a: { upstream: 'http://127.0.0.1:9', hosts: { b: 'http://127.0.0.1:8' } }, a-b: { upstream: 'http://127.0.0.1:7' }",
                "there is a provider 'a-b'"
            ),
            (
                "a: { upstream: 'http://127.0.0.1:9', hosts: { b: 'http://127.0.0.1:8' } }, c: { upstream: 'http://127.0.0.1:7', mount: /a/b }",
                "is already the mount of the provider 'a-b'"
            ),
            ("a: { upstream: 'http://127.0.0.1:9', hosts: { b: '' } }", "must not be empty"),
            (
                "a: { upstream: 'http://127.0.0.1:9', hosts: { b: 'https://{x}.example.com' } }",
                "needs `x` in `variables`"
            ),
            (
                "a2345678901234567890123456789: { upstream: 'http://127.0.0.1:9', hosts: { bcd: 'http://127.0.0.1:8' } }",
                "has more than 32 characters"
            ),
        ])
    func wrongHosts(providers: String, expected: String) {
        let found = Self.mistakes("providers: { \(providers) }")
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test(
        "a profile's URLs and credential are checked when it is read",
        arguments: [
            ("upstream: https://{a}.com", "must not have a variable in the last two labels"),
            ("upstream: ftp://x", "must begin with http"),
            ("{ upstream: 'https://x.example.com', variables: { a: b } }", "'a' has no effect"),
            (
                "{ upstream: 'https://{a}.x.example.com', variables: { a: b/c } }",
                "has a variable 'a' that must be a part of a host's name"
            ),
            (
                "{ upstream: 'https://{a}', variables: { a: { from: credential, match: x } } }",
                "cannot come from the credential"
            ),
            ("hosts: { B: 'https://x.example.com' }", "the name of a host"),
            ("hosts: { b: 'x' }", "must begin with http"),
            ("hosts: {}", "must not be empty"), ("errors: none", "is not one of: problem, merged, raw"),
            (
                "credential: { found_in: basic password }",
                "is not one of: basic, basic user, basic pair, bearer, scheme NAME, header NAME, query NAME"
            ),
            ("credential: { sent_as: scheme Basic }", "for Basic use basic"),
            ("credential: { sent_as: scheme a/b }", "a scheme is a token"),
            ("credential: { user: 'a:b' }", "without a colon"),
            ("credential: { sent_as: { header: X-Key } }", "needs 'header' and 'prefix'"),
            ("credential: { sent_as: { header: Host, prefix: a } }", "'Host' is not allowed"),
            ("credential: { sent_as: { header: X-Key, prefix: ' a' } }", "has a prefix that is not allowed"),
            ("credential: { sent_as: [{ as: bearer }] }", "needs 'as' and 'routes'"),
            ("credential: { sent_as: [{ as: bearer, routes: x }] }", "'x'"),
            ("credential: { sent_as: [{ as: bearer, routes: [] }] }", "at least one element"),
        ])
    func profiles(members: String, expected: String) {
        let text = members.hasPrefix("{") ? "{ name: p, \(members.dropFirst())" : "name: p\n\(members)"
        do {
            _ = try ProfileReader.read(text: text, file: "p.yaml", generic: nil)
            Issue.record("\(members) is taken")
        } catch {
            #expect(
                error.all.contains { $0.reason.contains(expected) && $0.line > 0 && $0.column > 0 },
                "\(error)")
        }
    }

    @Test("a profile has every form of credential")
    func credentialForms() throws {
        let profile = try ProfileReader.read(
            text: """
                name: p
                errors: merged
                credential:
                  found_in: [basic user, basic pair, scheme Klaviyo-API-Key, { header: X-Key, prefix: 'Token token=' }]
                  user: api
                  sent_as:
                    - bearer
                    - { as: header X-Account-Token, routes: ['* /servers/**', POST /domains] }
                    - { as: { header: X-Key, prefix: 'T ' }, routes: GET /x }
                """, file: "p.yaml", generic: nil)
        #expect(profile.errors == .merged && profile.credentialUser == "api")
        #expect(
            profile.credentialPlaces == [
                .basicUser, .basicPair, .scheme("Klaviyo-API-Key"), .header("X-Key", prefix: "Token token="),
            ])
        #expect(
            profile.credentialInjections.map(\.place) == [
                .bearer, .header("X-Account-Token"), .header("X-Key", prefix: "T "),
            ])
        #expect(profile.credentialInjections.map(\.routes.count) == [0, 2, 1])
    }
}
