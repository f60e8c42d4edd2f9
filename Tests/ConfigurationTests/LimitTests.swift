import Core
import Testing

@testable import Configuration

@Suite("Limits in files")
struct LimitTests {
    private func limits(_ text: String) throws -> [RateLimit] {
        try #require(try readProvider("limits: \(text)")).limits
    }

    private func pattern(_ text: String) throws -> RequestPattern { try #require(RequestPattern(text)) }

    @Test("a limit has a name, the rest, exceptions, and what the path says")
    func forms() throws {
        var search = RateLimit(requests: 30, per: .seconds(60), by: .credential)
        search.name = "search"
        search.routes = [try pattern("GET /search/**")]
        var core = RateLimit(requests: 5000, per: .seconds(3600), by: .credential)
        core.countsRest = true
        var others = RateLimit(requests: 900, per: .seconds(60), by: .credential)
        others.exceptions = search.routes
        var base = RateLimit(requests: 5, per: .seconds(1), by: .path(["base"]))
        base.routes = [try pattern("* /v0/{base}/**")]
        var methods = RateLimit(requests: 20, per: .seconds(60), by: .combined([.credential, .operation]))
        methods.operations = [try pattern("POST /a"), try pattern("POST /b")]
        let found = try limits(
            """
            [{ name: search, requests: 30, per: 1m, by: credential, routes: GET /search/** },
             { requests: 5000, per: 1h, by: credential, routes: rest },
             { requests: 900, per: 1m, by: credential, routes: { except: GET /search/** } },
             { requests: 5, per: 1s, by: 'path {base}', routes: '* /v0/{base}/**' },
             { requests: 20, per: 1m, by: [credential, operation], operations: [POST /a, POST /b] }]
            """)
        #expect(found == [search, core, others, base, methods])
        #expect(methods.by.name == "credential, operation")
        #expect(base.by.name == "path {base}")
    }

    @Test(
        "what contradicts itself is reported at its place, with what is allowed",
        arguments: [
            ("{ requests: 1, per: 1s, name: A }", "[0].name", "must be a lower-case letter"),
            ("{ requests: 1, per: 1s, name: weir-a }", "[0].name", "does not begin with weir-"),
            ("{ requests: 1, per: 1s, by: 'path {base}' }", "[0].by", "needs `routes` that name it"),
            ("{ requests: 1, per: 1s, by: 'path {a}', routes: '* /{b}' }", "[0].by", "needs {a} in each"),
            ("{ requests: 1, per: 1s, by: 'path {a}', routes: rest }", "[0].by", "needs `routes`"),
            ("{ requests: 1, per: 1s, by: path base, routes: '* /{b}' }", "[0].by", "is not one of"),
            ("{ requests: 1, per: 1s, by: operation }", "[0].by", "needs `operations`"),
            ("{ requests: 1, per: 1s, operations: POST /a }", "[0].operations", "needs `by: operation`"),
            (
                "{ requests: 1, per: 1s, by: operation, operations: POST /a, routes: POST /b }", "[0].routes",
                "excludes `operations`"
            ),
            ("{ requests: 1, per: 1s, by: [credential, credential] }", "[0].by", "different ones of"),
            ("{ requests: 1, per: 1s, by: [credential, group] }", "[0].by", "must not combine `group`"),
            ("{ requests: 1, per: 1s, by: [] }", "[0].by", "at least one element"),
            ("{ requests: 1, per: 1s, routes: { but: POST /a } }", "[0].routes.but", "allowed: except"),
            ("{ requests: 1, per: 1s, routes: '* /a/{b' }", "[0].routes", "as a whole step"),
            ("{ requests: 1, per: 1s, routes: '* /{a}/{a}' }", "[0].routes", "two steps {a}"),
            (
                "{ requests: 1, per: 1s, name: a }, { requests: 2, per: 2s, name: a }", "[1]",
                "another limit is named 'a'"
            ),
        ])
    func contradictions(limits: String, key: String, reason: String) {
        let mistakes = providerMistakes("limits: [\(limits)]")
        #expect(mistakes.count == 1)
        #expect(mistakes.first?.hasPrefix("providers.api.limits\(key): ") == true, "\(mistakes)")
        #expect(mistakes.first?.contains(reason) == true, "\(mistakes)")
    }

    // MARK: Tiers

    private static let profile = """
        name: api
        limits: [{ name: day, requests: 1000, per: day }]
        tiers:
          free: [{ name: burst, requests: 10, per: 1s }]
          growth: [{ name: burst, requests: 90, per: 1s }]
        """

    private func profile(_ text: String) throws -> Profile {
        try ProfileReader.read(text: text, file: "api.yaml", generic: nil)
    }

    /// The numbers of requests, or the mistakes, of a provider with the profile.
    private func requests(_ members: String, tier: String? = nil) throws -> [String] {
        var profile = try profile(Self.profile)
        profile.tier = tier
        let defaults = ProfileDefaults(profile)
        do {
            let configuration = try ConfigurationReader.read(
                text: "providers: { api: { upstream: 'http://127.0.0.1:9', \(members) } }",
                file: "weir.yaml", surroundings: .none, profiles: { _ in defaults },
                overrides: ConfigurationOverrides())
            return try #require(configuration.providers.first).limits.map { "\($0.requests)" }
        } catch let error as ConfigurationMistakes {
            return error.all.map { "\($0.line):\($0.column) \($0.key): \($0.reason)" }
        }
    }

    @Test("a tier of the profile is selected by name, or by the profile")
    func tiers() throws {
        #expect(try requests("tier: free") == ["1000", "10"])
        #expect(try requests("tier: growth") == ["1000", "90"])
        #expect(try requests("", tier: "growth") == ["1000", "90"])
        #expect(try requests("tier: free", tier: "growth") == ["1000", "10"])
        #expect(try requests("limits: [{ requests: 7, per: 1s }]") == ["7"])
    }

    @Test("a tier that is missing or unknown is a mistake that lists the tiers")
    func wrongTiers() throws {
        #expect(
            try requests("").first?.hasSuffix(
                "providers.api: needs `tier`, one of those of the profile 'api': free, growth") == true)
        #expect(
            try requests("tier: gold").first?.hasSuffix(
                "providers.api.tier: 'gold' is not one of the tiers of the profile 'api': free, growth")
                == true)
        #expect(providerMistakes("tier: free").first?.contains("'generic' has no tiers") == true)
        #expect(
            try requests("tier: free, limits: []").first?.contains("has no effect: the provider has `limits`")
                == true)
    }

    @Test(
        "the tiers of a profile fit its limits",
        arguments: [
            ("tier: gold", "tier", "'gold' is not one of the `tiers`: free, growth"),
            ("limits: [{ name: burst, requests: 1, per: 9s }]", "tiers.free", "has a limit 'burst'"),
            (
                "limits: [\(Array(repeating: "{ requests: 1, per: 1s }", count: 8).enumerated().map { $1.replacing("1s", with: "\($0 + 2)s") }.joined(separator: ", "))]",
                "tiers.free", "9 limits"
            ),
        ])
    func fittingTiers(member: String, key: String, reason: String) throws {
        let text = Self.profile.replacing("limits: [{ name: day, requests: 1000, per: day }]", with: member)
        do {
            _ = try profile(text)
            Issue.record("no mistake")
        } catch let error as ConfigurationMistakes {
            let found = error.all.first { $0.key == key }
            #expect(found?.reason.contains(reason) == true, "\(error)")
            #expect(found.map { $0.line > 0 && $0.column > 0 } == true)
        }
    }
}
