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

    @Test("a limit counts by the body, and its cost is what the body or the response says")
    func bodies() throws {
        let place = try LimitPlace(parsing: "$.to", allowsHeader: false)
        var model = RateLimit(
            requests: 5, per: .seconds(1),
            by: .combined([.credential, .body(try LimitPlace(parsing: "/model", allowsHeader: false))]))
        (model.learnedFrom, model.note) = ("X-Limit", "by IP address")
        var recipients = RateLimit(requests: 50, per: .seconds(1), by: .provider)
        recipients.bodyCost = RateLimit.BodyCost(place: place, isCount: true)
        var points = RateLimit(requests: 2000, per: .seconds(20), by: .provider)
        points.answerCost = RateLimit.AnswerCost(
            place: try LimitPlace(parsing: "/cost", allowsHeader: true), reserve: 100)
        var units = RateLimit(requests: 20, per: .seconds(20), by: .provider)
        units.answerCost = RateLimit.AnswerCost(
            place: try LimitPlace(parsing: "header X-Cost", allowsHeader: true), reserve: 1)
        let found = try limits(
            """
            [{ requests: 5, per: 1s, by: [credential, body /model], learn: X-Limit, note: by IP address },
             { requests: 50, per: 1s, cost: { at: body $.to, count: yes } },
             { requests: 2000, per: 20s, cost: { answer: /cost, reserve: 100 } },
             { requests: 20, per: 20s, cost: { answer: header X-Cost } }]
            """)
        #expect(found == [model, recipients, points, units])
        #expect(found[0].by.name == "credential, body /model")
        #expect(found.map(\.notes.count) == [3, 1, 1, 1])
    }

    @Test(
        "a wrong place or cost is reported at its place, with what is allowed",
        arguments: [
            ("by: body model", "by", "JSON Pointer such as /model"),
            ("by: 'body $.['", "by", "is not a JSONPath"),
            ("by: body header X-A", "by", "JSON Pointer such as /model"), ("by: body", "by", "is not one of"),
            ("cost: { at: /n }", "cost.at", "must be body and a place"),
            ("cost: { at: body n }", "cost.at", "JSON Pointer such as /model"),
            ("cost: { answer: n }", "cost.answer", "or header NAME"),
            ("cost: { answer: /n, reserve: 0 }", "cost.reserve", "from 1 to 10000"),
            ("cost: { answer: /n, reserve: 9 }", "cost", "more than the limit's 5 slots"),
            ("cost: { answer: /n, at: body /n }", "cost", "needs either 'at'"),
            ("cost: { count: yes }", "cost", "needs either 'at'"),
            ("cost: { at: body /n, reserve: 2 }", "cost.reserve", "belongs to 'answer'"),
            ("cost: { answer: /n, count: yes }", "cost.count", "belongs to 'at'"),
            ("cost: { at: body /n, POST /a: 2 }", "cost.POST /a", "allowed: at, count, answer, reserve"),
            ("learn: X Limit", "learn", "header field"), ("note: ''", "note", "must not be empty"),
        ])
    func wrongBodies(member: String, key: String, reason: String) {
        let mistakes = providerMistakes("limits: [{ requests: 5, per: 1s, \(member) }]")
        #expect(mistakes.count == 1, "\(mistakes)")
        #expect(mistakes.first?.hasPrefix("providers.api.limits[0].\(key): ") == true, "\(mistakes)")
        #expect(mistakes.first?.contains(reason) == true, "\(mistakes)")
    }

    @Test("a window that begins at fixed times is as long as its unit, by UTC or by offsets")
    func alignment() throws {
        #expect(
            try limits(
                """
                [{ requests: 9, align: quarter }, { requests: 90, per: day, align: day +05:30 },
                 { requests: 4, per: 60s, align: minute UTC }, { requests: 5, align: 'hour -03:30' },
                 { requests: 7, align: day -08:00/-07:00 }]
                """) == [
                    RateLimit(requests: 9, per: .seconds(900), aligned: .utc, by: .provider),
                    RateLimit(
                        requests: 90, per: .seconds(86_400), aligned: ClockAlignment(offset: 19_800),
                        by: .provider),
                    RateLimit(requests: 4, per: .seconds(60), aligned: .utc, by: .provider),
                    RateLimit(
                        requests: 5, per: .seconds(3600), aligned: ClockAlignment(offset: -12_600),
                        by: .provider),
                    RateLimit(
                        requests: 7, per: .seconds(86_400),
                        aligned: ClockAlignment(offset: -25_200, slack: 3600), by: .provider),
                ])
    }

    @Test(
        "an alignment that is not known is reported at its place, with what is allowed",
        arguments: [
            ("align: week", "is not one of: minute, quarter"),
            ("align: day Europe/Berlin", "written with both of its offsets"),
            ("align: day +15:00", "from -14:00 to +14:00"), ("align: day +1", "is not UTC, an offset"),
            ("align: day +02:60", "is not UTC, an offset"), ("align: ''", "is not one of"),
            ("align: day +01:00/+02:00/+03:00", "two with a slash"),
            ("align: day +01:00/", "two with a slash"),
            ("align: day +01:00/+04:00", "differ by more than 2 hours"),
            ("align: day UTC now", "is not one of"), ("per: 2m, align: minute", "needs `per: 1m`"),
            ("per: month, align: day", "needs `per: 1d`"),
        ])
    func wrongAlignment(member: String, reason: String) {
        let mistakes = providerMistakes("limits: [{ requests: 1, \(member) }]")
        #expect(mistakes.count == 1)
        #expect(mistakes.first?.hasPrefix("providers.api.limits[0].align: ") == true, "\(mistakes)")
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
