import Testing
import Wire

@testable import Core

@Suite("what a request weighs, and whose it is")
struct PacingPlanTests {
    private func weigh(_ plan: PacingPlan, _ method: String, _ path: String) -> ([UInt16], Bool) {
        let (weights, usesQuota) = plan.weigh(method: Array(method.utf8).span, path: Array(path.utf8).span)
        return ((0..<plan.windows.count).map { weights[$0] }, usesQuota)
    }

    private func pattern(_ text: String) throws -> RequestPattern { try #require(RequestPattern(text)) }

    @Test("limits of one `by` share a scope, and a quota has one of its own")
    func scopes() throws {
        let plan = PacingPlan(
            limits: [
                RateLimit(requests: 3, per: .seconds(1), by: .group),
                RateLimit(requests: 9, per: .seconds(1), by: .header("X-Tenant")),
                RateLimit(requests: 100, counted: .day, by: .group),
            ], quotaRequests: [try pattern("POST /emails")])
        #expect(plan.scopes == [.group, .header("X-Tenant"), .group])
        #expect(plan.windows.map(\.scope) == [0, 1, 0])
        #expect(plan.windows[2].span == .day)
        #expect(plan.quotaScope == 2)
        #expect(weigh(plan, "POST", "/emails?x=1").1)
        #expect(!weigh(plan, "GET", "/emails").1)
        #expect(PacingPlan(limits: []).scopes == [.provider])
    }

    @Test("routes and costs are looked up by method and path, the first that fits")
    func weights() throws {
        var bulk = RateLimit(requests: 50, per: .seconds(1), by: .provider)
        bulk.costs = [
            .init(request: try pattern("POST /emails/bulk"), slots: 20),
            .init(request: try pattern("POST /**"), slots: 2),
        ]
        var sending = RateLimit(requests: 100, counted: .day, by: .provider)
        sending.routes = [try pattern("POST /emails/**"), try pattern("* /campaigns/*/send")]
        let plan = PacingPlan(limits: [bulk, sending])
        for (method, path, expected) in [
            ("GET", "/emails", [1, 0]), ("POST", "/emails/bulk", [20, 1]), ("POST", "/emails/x", [2, 1]),
            ("PUT", "/campaigns/7/send?now", [1, 1]), ("PUT", "/campaigns//send", [1, 0]),
            ("POST", "/other", [2, 0]), ("post", "/emails/bulk", [1, 0]), ("GET", "", [1, 0]),
        ] as [(String, String, [UInt16])] {
            #expect(weigh(plan, method, path).0 == expected, "\(method) \(path)")
        }
    }

    @Test("a pattern fits bytes as it fits texts")
    func patterns() throws {
        let paths = ["/", "", "/a", "/a/", "/a/b", "/a/b/c", "/a//c", "/a?x=/b", "a", "/*", "/**"]
        for text in ["GET /", "* /a", "GET /a/", "* /a/*", "GET /a/*/c", "* /**", "GET /a/**", "* /*"] {
            let pattern = try pattern(text)
            for method in ["GET", "get", "POST", "*"] {
                for path in paths {
                    #expect(
                        pattern.matches(method: Array(method.utf8).span, path: Array(path.utf8).span)
                            == pattern.matches(method: Text(method), path: Text(path)),
                        "\(text) of \(method) \(path)")
                }
            }
        }
    }

    @Test("each scope has its own key, and requests without one share a key")
    func keys() {
        let credentials = CredentialReader(
            places: [.bearer], injected: nil, isShared: false)
        let reader = LedgerKeyReader(
            scopes: [.credential, .header("X-Tenant"), .query("team"), .provider], credentials: credentials,
            provider: LedgerKey(hash: 9))
        func keys(_ target: String, _ fields: [(String, String)]) -> SIMD4<UInt64> {
            reader.keys(target: Array(target.utf8).span) { body in
                for (name, value) in fields { body(Array(name.utf8).span, Array(value.utf8).span) }
            }
        }
        let first = keys("/a?team=1", [("authorization", "Bearer k"), ("x-tenant", "t")])
        let second = keys("/b?x&team=%31", [("X-Tenant", "u"), ("Authorization", "Bearer k")])
        #expect(first[0] == second[0])
        #expect(first[1] != second[1])
        #expect(first[2] == second[2])
        #expect(first[3] == 9)
        #expect(keys("/", []) == SIMD4(0, 0, 0, 9))
    }

    @Test(
        "keys that are remembered are those that would be read again, whatever a request has in common with the last one",
        arguments: [
            [CredentialPlace.basicPassword, .bearer], [.header("X-Key"), .bearer], [.query("key"), .bearer],
        ])
    func rememberedKeys(places: [CredentialPlace]) {
        let credentials = CredentialReader(places: places, injected: nil, isShared: false)
        for scopes in [
            [LimitScope.credential], [.provider, .credential], [.credential, .header("X-Tenant")],
        ] {
            let reader = LedgerKeyReader(
                scopes: scopes, credentials: credentials, provider: LedgerKey(hash: 9))
            var memo = LedgerKeyMemo(reader)
            let authorizations = [
                [], ["Bearer k"], ["Bearer k"], ["bearer k"], ["Bearer other"], ["Basic OnNlY3JldA=="],
                ["Basic ?"],
                ["Basic ?"], ["Bearer k", "Bearer other"], ["Bearer k", "Bearer other"], ["Bearer other"],
                ["Bearer k"],
                [""], [""], [],
            ]
            for authorization in authorizations {
                for rest in [[], [("X-Tenant", "t")], [("X-Key", "a")], [("X-Key", "b"), ("X-Tenant", "u")]] {
                    for target in ["/", "/?key=q", "/?key=r"] {
                        let fields = rest + authorization.map { ("authorization", $0) }
                        func each(_ body: (Span<UInt8>, Span<UInt8>) -> Void) {
                            for (name, value) in fields {
                                body(Array(name.utf8).span, Array(value.utf8).span)
                            }
                        }
                        let target = Array(target.utf8)
                        let expected = reader.keys(target: target.span, forEachField: each)
                        #expect(memo.keys(target: target.span, forEachField: each) == expected)
                    }
                }
            }
        }
    }

    @Test("a scope is read as it is written, and names no field that cannot be")
    func scopeNames() {
        for scope in [LimitScope.credential, .provider, .group, .header("X-A"), .query("q")] {
            #expect(LimitScope(scope.name) == scope)
        }
        #expect(LimitScope("header: X-A") == .header("X-A"))
        for text in ["", "key", "header", "header a b", "header X\u{7F}", "query a=b", "group x"] {
            #expect(LimitScope(text) == nil, "\(text)")
        }
    }

    @Test("each limit has a name of its own, and its policy says what it counts")
    func policy() {
        let windows: [PacingPolicy.Window] = [
            .init(requests: 20, per: .seconds(2)), .init(requests: 20, per: .milliseconds(1500), scope: 1),
            .init(requests: 100, counted: .day), .init(requests: 9, counted: .month),
            .init(requests: 4, counted: .concurrent),
        ]
        #expect(
            String(decoding: RateLimitFields.policy(windows), as: UTF8.self)
                == #""20-per-2s";q=20;w=2, "20-per-2s-2";q=20;w=2, "100-per-day";q=100;w=86400, "#
                + #""9-per-month";q=9;w=2678400, "4-concurrent";q=4;qu="concurrent-requests""#)
        #expect(RateLimitFields.names(of: [windows[0]]) == ["default"])
    }

    @Test("the rest is what no other limit names, and exceptions are not counted")
    func rest() throws {
        var search = RateLimit(requests: 30, per: .seconds(60), by: .credential)
        search.routes = [try pattern("GET /search/**")]
        search.exceptions = [try pattern("GET /search/code")]
        var rest = RateLimit(requests: 100, per: .seconds(60), by: .credential)
        rest.countsRest = true
        var others = RateLimit(requests: 9, per: .seconds(1), by: .credential)
        others.exceptions = [try pattern("POST /free")]
        let limits = [search, rest, others]
        let plan = PacingPlan(limits: limits)
        for (method, path, expected) in [
            ("GET", "/search/users", [1, 0, 1]), ("GET", "/search/code", [0, 1, 1]),
            ("POST", "/free", [0, 1, 0]), ("GET", "/", [0, 1, 1]),
        ] as [(String, String, [UInt16])] {
            #expect(weigh(plan, method, path).0 == expected, "\(method) \(path)")
            let counting = limits.counting(method: Text(method), path: Text(path))
            #expect(limits.map { counting.contains($0) ? 1 : 0 } == expected, "\(method) \(path)")
        }
    }

    private func read(_ plan: PacingPlan, _ body: String?) -> (keys: SIMD4<UInt64>, weights: SIMD8<UInt16>) {
        var keys = SIMD4<UInt64>(repeating: 7)
        var weights = plan.weigh(method: Array("POST".utf8).span, path: Array("/a".utf8).span).weights
        plan.read(body: body.map { Array($0.utf8) }, keys: &keys, weights: &weights)
        return (keys, weights)
    }

    @Test("a limit by the body has a count for each value there, and one for all other requests")
    func bodyKeys() throws {
        let place = try LimitPlace(parsing: "/model", allowsHeader: false)
        let model = RateLimit(requests: 5, per: .seconds(1), by: .combined([.credential, .body(place)]))
        var unrelated = RateLimit(requests: 9, per: .seconds(1), by: .provider)
        unrelated.countsRest = true
        let plan = PacingPlan(limits: [model, unrelated])
        #expect(plan.readsBody && !plan.readsPath && !PacingPlan(limits: [unrelated]).readsBody)
        let first = read(plan, #"{"model":"a"}"#).keys
        #expect(first == read(plan, #"{"x":1,"model":"a"}"#).keys)
        #expect(first[0] != read(plan, #"{"model":"b"}"#).keys[0])
        #expect(first[1] == 7)
        for other in [nil, "", "no JSON", "{}", #"{"model":null}"#, #"{"model":{}}"#, "[[["] {
            #expect(read(plan, other).keys == SIMD4(repeating: 7), "\(other ?? "none")")
        }
    }

    @Test(
        "a cost is the number in the body, or the number of its values",
        arguments: [
            ("/n", false, #"{"n":3}"#, 3), ("/n", false, #"{"n":"2.1"}"#, 3), ("/n", false, #"{"n":0}"#, 1),
            ("/n", false, #"{"n":-5}"#, 1), ("/n", false, #"{"n":1e300}"#, 20), ("/n", false, "{}", 1),
            ("/n", false, "", 1), ("$.to", true, #"{"to":["a","b"]}"#, 2), ("$.to", true, #"{"to":"a"}"#, 1),
            ("$.m[*].to[*]", true, #"{"m":[{"to":[1,2]},{"to":[3]}]}"#, 3), ("/to", true, #"{"to":[]}"#, 1),
            ("/to", true, #"{"to":[\#((1...40).map(String.init).joined(separator: ","))]}"#, 20),
        ])
    func bodyCosts(place: String, isCount: Bool, body: String, slots: UInt16) throws {
        var limit = RateLimit(requests: 20, per: .seconds(1), by: .provider)
        limit.bodyCost = RateLimit.BodyCost(
            place: try LimitPlace(parsing: place, allowsHeader: false), isCount: isCount)
        #expect(read(PacingPlan(limits: [limit]), body).weights[0] == slots)
    }

    @Test("a cost that the response says is reserved, and read in its body or a field")
    func answerCosts() throws {
        var points = RateLimit(requests: 2000, per: .seconds(20), by: .credential)
        points.answerCost = RateLimit.AnswerCost(
            place: try LimitPlace(parsing: "/cost/actual", allowsHeader: true), reserve: 50)
        var units = RateLimit(requests: 100, per: .seconds(20), by: .credential)
        units.answerCost = RateLimit.AnswerCost(
            place: try LimitPlace(parsing: "header X-Cost", allowsHeader: true), reserve: 1)
        let plan = PacingPlan(limits: [points, units])
        #expect(weigh(plan, "POST", "/a").0 == [50, 1])
        var fields = FieldBlock()
        fields.append("X-Cost", "7")
        let answer = ProviderAnswer(status: 200, fields: fields, body: Array(#"{"cost":{"actual":12}}"#.utf8))
        #expect(plan.costs(of: answer, fields: fields)[0] == 12)
        #expect(plan.costs(of: answer, fields: fields)[1] == .max)
        #expect(plan.costs(of: nil, fields: fields)[1] == 7)
        for body in [
            "", "x", #"{"cost":null}"#, #"{"cost":{"actual":null}}"#, #"{"cost":{"actual":"many"}}"#,
        ] {
            let other = ProviderAnswer(status: 200, fields: fields, body: Array(body.utf8))
            #expect(plan.costs(of: other, fields: fields)[0] == .max)
        }
        let absurd = ProviderAnswer(
            status: 200, fields: fields, body: Array(#"{"cost":{"actual":1e99}}"#.utf8))
        #expect(plan.costs(of: absurd, fields: fields)[0] == 2000)
    }

    @Test(
        "the number of a limit is read from a field",
        arguments: [
            ("100", 100), (" 100;w=60", 100), ("100, 100;window=60", 100), ("0", 0), ("-1", 0), ("many", 0),
            ("99999999999999999999", 0), ("", 0), ("10000001", 0),
        ] as [(String, Int32)])
    func capacities(value: String, number: Int32) {
        var limit = RateLimit(requests: 20, per: .seconds(1), by: .provider)
        limit.learnedFrom = "X-Limit"
        let plan = PacingPlan(limits: [limit])
        var fields = FieldBlock()
        fields.append("X-Limit", value)
        #expect(plan.capacities(fields: fields)[0] == number)
        #expect(plan.capacities(fields: fields, share: 3)[0] == (number > 0 ? max(number / 3, 1) : 0))
        fields.append("Age", "1")
        #expect(plan.capacities(fields: fields)[0] == 0)
    }

    private func marks(_ plan: PacingPlan, _ path: String) -> SIMD4<UInt64> {
        plan.marks(method: Array("POST".utf8).span, path: Array(path.utf8).span)
    }

    @Test("a limit by a part of the path has a count for each text that stands there")
    func pathMarks() throws {
        var base = RateLimit(requests: 5, per: .seconds(1), by: .path(["base"]))
        base.routes = [try pattern("* /v0/{base}/**"), try pattern("* /meta/x/{base}")]
        let plan = PacingPlan(limits: [base])
        #expect(plan.readsPath)
        #expect(weigh(plan, "POST", "/v0/app1/t").0 == [1])
        #expect(weigh(plan, "POST", "/v0").0 == [0])
        let first = marks(plan, "/v0/app1/t")
        #expect(first == marks(plan, "/v0/app1/other?x=1"))
        #expect(first == marks(plan, "/meta/x/app1?x"))
        #expect(first != marks(plan, "/v0/app2/t"))
        #expect(marks(plan, "/other") == .zero)
        #expect(!PacingPlan(limits: []).readsPath)
    }

    @Test("a limit by operation has a count for each entry, and counts nothing else")
    func operationMarks() throws {
        var limit = RateLimit(requests: 5, per: .seconds(1), by: .combined([.credential, .operation]))
        limit.operations = [try pattern("POST /a"), try pattern("POST /b"), try pattern("POST /**")]
        let plan = PacingPlan(limits: [limit])
        let marks = ["/a", "/b", "/c", "/d", "/a?x"].map { self.marks(plan, $0)[0] }
        #expect(Set(marks).count == 3)
        #expect(marks[2] == marks[3] && marks[0] == marks[4])
        #expect(weigh(plan, "GET", "/a").0 == [0])
        #expect(LimitScope.combined([.credential, .operation]).base == .credential)
        #expect(LimitScope.operation.base == .provider)
    }

    @Test("limits whose patterns say whose a request is share a scope only with equal patterns")
    func counters() throws {
        var first = RateLimit(requests: 5, per: .seconds(1), by: .path(["base"]))
        first.routes = [try pattern("* /a/{base}")]
        var second = first
        second.requests = 100
        second.per = .seconds(60)
        var third = first
        third.routes = [try pattern("* /b/{base}")]
        #expect(PacingPlan(limits: [first, second, third]).windows.map(\.scope) == [0, 0, 1])
    }
}
