import Configuration
import Core
import Testing
import Wire

/// What a profile makes of responses, for one key of the language each.
@Suite("The language of profiles")
struct ProfileLanguageTests {
    /// A profile without generic's rules and places.
    private func profile(_ text: String, generic: Bool = false) throws -> Profile {
        try ProfileReader.read(
            text: "name: mine\n" + text, file: "p.yaml",
            generic: generic ? BuiltInProfiles.all.first { $0.name == "generic" } : nil)
    }

    private func error(
        _ profile: Profile, _ status: Int = 400, _ body: String = "", _ fields: [String: String] = [:],
        request: (String, String) = ("GET", "/things")
    ) -> NormalizedError? {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name, value) }
        return ErrorNormalizer(profile: profile).normalize(
            ProviderAnswer(status: status, fields: block, body: Array(body.utf8)),
            of: RequestFacts(method: request.0, path: request.1), at: 1_795_132_800)
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try ProfileReader.read(text: "name: mine\n" + text, file: "p.yaml", generic: nil)
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    // MARK: Places

    @Test(
        "a code is found at any kind of place",
        arguments: [
            ("/error/code", #"{"error":{"code":"a_b"}}"#, [:], "a_b"),
            ("/code", #"{"code":21610}"#, [:], "21610"),
            ("'$.errors[*].code'", #"{"errors":[{"code":null},{"code":"x_y"}]}"#, [:], "x_y"),
            (
                "\"$.error.details[?@['@type']=='ErrorInfo'].reason\"",
                #"{"error":{"details":[{"@type":"Help","reason":"no"},{"@type":"ErrorInfo","reason":"API_KEY_INVALID"}]}}"#,
                [:], "API_KEY_INVALID"
            ),
            ("'$.error if identifier'", #"{"error":"Some words"}"#, [:], nil),
            (
                "{ at: header X-Error-Type, match: '^([^:]+)' }", "", ["x-error-type": "Throttling:http"],
                "Throttling"
            ),
            (
                "{ at: text, match: '<Code>([^<]+)</Code>' }", "<E><Code>NoSuchKey</Code></E>", [:],
                "NoSuchKey"
            ),
            ("{ at: text, match: 'error=(\\w+)' }", "ok=0&error=bad_key", [:], "bad_key"),
            (
                "{ at: message, match: '^\\[([A-Z_]+)\\]' }", #"{"message":"[NO_CREDIT] Buy more."}"#, [:],
                "NO_CREDIT"
            ),
            (
                "{ at: /message, then: /error/code }", #"{"message":"{\"error\":{\"code\":\"in_side\"}}"}"#,
                [:], "in_side"
            ),
            (
                "{ at: /message, match: '^upstream: (.*)$', then: { at: '$..code', match: '[a-z]+$' } }",
                #"{"message":"upstream: {\"e\":{\"code\":\"a.b\"}}"}"#, [:], "b"
            ),
            ("{ at: /code, match: '^E' }", #"{"code":"F1"}"#, [:], nil),
            ("[{ at: header X-None }, /code]", #"{"code":"second"}"#, [:], "second"),
        ] as [(String, String, [String: String], String?)])
    func codePlaces(place: String, body: String, fields: [String: String], code: String?) throws {
        let mine = try profile("read: { message: /message, code: \(place) }")
        #expect(error(mine, 400, body, fields)?.upstream.code?.string == code)
    }

    @Test("a message is found by JSONPath, in a header, in the text, and in JSON within a string")
    func messagePlaces() throws {
        let mine = try profile(
            """
            read:
              message:
                - $.errors[?@.level=='fatal'].text
                - { at: /raw, then: /why }
                - { at: header X-Reason }
                - { at: text, match: 'reason: (.*)' }
            """)
        #expect(
            error(
                mine, 400, #"{"errors":[{"level":"info","text":"x"},{"level":"fatal","text":"It broke."}]}"#)?
                .detail?.string == "It broke.")
        #expect(error(mine, 400, #"{"raw":"{\"why\":\"inner words\"}"}"#)?.detail?.string == "inner words")
        #expect(error(mine, 400, "", ["X-Reason": "no luck"])?.detail?.string == "no luck")
        #expect(error(mine, 400, "a\nreason: it rains")?.detail?.string == "it rains")
    }

    @Test("secrets are taken out of what a place finds")
    func secrets() throws {
        let mine = try profile("read: { message: { at: text, match: 'key (.*)' } }")
        var facts = RequestFacts(method: "GET", path: "/")
        facts.credential = Array("sk_verysecret_1".utf8)
        let answer = ProviderAnswer(
            status: 400, fields: .init(), body: Array("key sk_verysecret_1 is bad".utf8))
        let error = ErrorNormalizer(profile: mine).normalize(answer, of: facts, at: 0)
        #expect(error?.detail?.string.contains("verysecret") == false)
    }

    // MARK: Waits

    @Test(
        "a wait is read by its form, or by its unit",
        arguments: [
            (
                "{ at: message, match: 'in ([0-9.]+) ?s', unit: s }", #"{"message":"Try again in 6.5s."}"#,
                [:], 7
            ),
            (
                "{ at: message, match: 'in ([0-9.]+ ?(?:ms|s|m))' }", #"{"message":"Try again in 250ms"}"#,
                [:], 1
            ),
            ("{ at: /w, unit: ms }", #"{"w":2500}"#, [:], 3),
            ("{ at: /w, unit: min }", #"{"w":"1.5"}"#, [:], 90),
            ("{ at: /w, unit: h }", #"{"w":2}"#, [:], 7200),
            ("{ at: /w, unit: s }", #"{"w":"37s"}"#, [:], 37),
            ("{ at: /w }", #"{"w":12.2}"#, [:], 13), ("{ at: /w }", #"{"w":"37s"}"#, [:], 37),
            ("{ at: /w }", #"{"w":"1m30s"}"#, [:], 90), ("{ at: /w }", #"{"w":1795132830}"#, [:], 30),
            ("{ at: /w }", #"{"w":1795132830000}"#, [:], 30),
            ("{ at: /w, unit: ms }", #"{"w":1795132830000}"#, [:], 30),
            ("{ at: /w }", #"{"w":"2026-11-20T00:00:30Z"}"#, [:], 30),
            ("{ at: /w }", #"{"w":"Fri, 20 Nov 2026 00:00:30 GMT"}"#, [:], 30),
            ("{ at: header X-Wait, unit: ms }", "", ["X-Wait": "1500"], 2),
            ("{ at: header X-Wait, match: 'retry=([0-9]+)' }", "", ["X-Wait": "limit=3; retry=9"], 9),
            (
                "{ at: \"$.d[?@.t=='RetryInfo'].retryDelay\" }",
                #"{"d":[{"t":"x"},{"t":"RetryInfo","retryDelay":"37s"}]}"#, [:], 37
            ),
            ("{ body: $..retry_after }", #"{"a":[{"retry_after":5}]}"#, [:], 5),
            ("{ seconds: 60 }", "", [:], 60),
            ("{ seconds: 60, on: 503 }", "", [:], nil),
            ("{ seconds: 60, when: { code: slow_down } }", #"{"code":"slow_down"}"#, [:], 60),
            ("{ seconds: 60, when: { code: slow_down } }", #"{"code":"other"}"#, [:], nil),
            ("{ seconds: 60, when: { status: 503 } }", "", [:], nil),
            (
                "{ seconds: 60, when: { header: { name: X-Scope, equals: user } } }", "", ["X-Scope": "user"],
                60
            ),
            ("{ at: /w, unit: s }", #"{"w":-3}"#, [:], nil),
            ("{ at: /w, unit: h }", #"{"w":1e300}"#, [:], 2_764_800),
            ("{ at: /w }", #"{"w":{}}"#, [:], nil),
            ("{ need: /n, have: /h, rate: /r }", #"{"n":752,"h":52,"r":100.0}"#, [:], 7),
            ("{ need: /n, have: /h, rate: /r }", #"{"n":"10","h":0.5,"r":"3"}"#, [:], 4),
            ("{ need: /n, rate: { at: header X-Rate } }", #"{"n":5}"#, ["X-Rate": "2"], 3),
            ("{ need: /n, have: /h, rate: /r }", #"{"n":1,"h":5,"r":1}"#, [:], nil),
            ("{ need: /n, have: /h, rate: /r }", #"{"n":1,"h":0,"r":0}"#, [:], nil),
            ("{ need: /n, have: /h, rate: /r }", #"{"n":1,"h":null,"r":1}"#, [:], nil),
            ("{ need: /n, have: /h, rate: /r }", #"{"n":1,"h":0,"r":-1}"#, [:], nil),
            ("{ need: /n, rate: /r }", #"{"n":1e308,"r":1e-308}"#, [:], 2_764_800),
            ("{ need: /n, rate: /r }", #"{"n":5e9,"r":1}"#, [:], 2_764_800),
        ] as [(String, String, [String: String], Int?)])
    func waits(wait: String, body: String, fields: [String: String], seconds: Int?) throws {
        // The clock of these tests stands at 2026-11-20T00:00:00Z.
        let mine = try profile("read: { message: /message, code: /code }\nwaits: [\(wait)]")
        #expect(error(mine, 429, body, fields)?.retryAfter == seconds)
    }

    @Test("a problem reports the limit that its rule names, whatever others count the request")
    func namedLimit() throws {
        let mine = try profile(
            """
            limits:
              - { name: second, requests: 5, per: 1s }
              - { name: day, requests: 100, per: day }
              - { name: running, concurrent: 4 }
            rate_fields: { limit: X-Limit, remaining: X-Left }
            rules:
              - { name: of a day, when: { status: 429, code: day }, is: quota_exceeded, limit: day }
              - { name: running, when: { status: 429, code: running }, is: rate_limited, limit: running }
              - { name: others, when: { status: 429 }, is: rate_limited }
            read: { code: /code }
            """)
        #expect(error(mine, 429, #"{"code":"day"}"#)?.limit?.name == "day")
        #expect(error(mine, 429, #"{"code":"running"}"#).map { $0.limit } == .some(nil))
        #expect(error(mine, 429)?.limit?.name == "second")
        let counted = ["X-Limit": "100", "X-Left": "0"]
        #expect(error(mine, 429, #"{"code":"day"}"#, counted)?.limit?.remaining == 0)
        let others = ["X-Limit": "5", "X-Left": "0"]
        let limit = try #require(error(mine, 429, #"{"code":"day"}"#, others)?.limit)
        #expect(limit.name == "day" && limit.remaining == nil)
    }

    @Test("of several waits the first that says something counts, and a rule has waits of its own")
    func waitOrder() throws {
        let mine = try profile(
            """
            waits: [{ header: Retry-After }, { seconds: 30 }]
            rules:
              - { name: secondary, when: { status: 403 }, is: rate_limited, waits: [{ seconds: 60 }] }
              - { name: disguised, when: { status: 200, has: /slow }, is: rate_limited, answer_with: 429, waits: [{ at: /slow }] }
            """)
        #expect(error(mine, 429, "", ["Retry-After": "4"])?.retryAfter == 4)
        #expect(error(mine, 429)?.retryAfter == 30)
        #expect(error(mine, 403, "", ["Retry-After": "4"])?.retryAfter == 60)
        #expect(error(mine, 200, #"{"slow":8}"#, ["Content-Type": "application/json"])?.retryAfter == 8)
    }

    // MARK: Conditions

    @Test(
        "a rule compares a value at any place",
        arguments: [
            ("{ at: /a, equals: B }", #"{"a":"b"}"#, true),
            ("{ at: /a, equals: 21610 }", #"{"a":21610}"#, true),
            ("{ at: /ok, equals: false }", #"{"ok":false}"#, true),
            ("{ at: /ok, equals: false }", #"{"ok":true}"#, false),
            ("{ at: /a, in: [x, y] }", #"{"a":"y"}"#, true), ("{ at: /a, in: [x, y] }", #"{"a":"z"}"#, false),
            ("{ at: /a, contains: oo }", #"{"a":"foo"}"#, true),
            ("{ at: /a, starts_with: fo }", #"{"a":"foo"}"#, true),
            ("{ at: /a, ends_with: fo }", #"{"a":"foo"}"#, false),
            ("{ at: /a, matches: '^f.o$' }", #"{"a":"foo"}"#, true),
            ("{ at: /a, less: 10 }", #"{"a":9.5}"#, true), ("{ at: /a, less: 10 }", #"{"a":10}"#, false),
            ("{ at: /a, more: 10 }", #"{"a":"11"}"#, true),
            ("{ at: /a, more: 1, less: 3 }", #"{"a":2}"#, true),
            ("{ at: /a, more: 1, less: 3 }", #"{"a":3}"#, false),
            ("{ at: /a, less: 10 }", #"{"a":"few"}"#, false),
            ("{ at: /a, less: 10 }", #"{"b":1}"#, false),
            ("{ at: '$.e[*].c', equals: x }", #"{"e":[{"c":"y"},{"c":"x"}]}"#, true),
            ("{ at: header X-Left, less: 1 }", "", true), ("{ at: header X-Left, more: 0 }", "", false),
            ("{ at: text, contains: '<Code>' }", "<Error><Code>x</Code></Error>", true),
            ("{ at: message, match: 'limit (.)', equals: A }", #"{"message":"limit A"}"#, true),
            ("{ at: 'path {table}', equals: users }", "", true),
            ("{ at: 'path {base}', equals: users }", "", false),
            ("[{ at: /a, equals: x }, { at: /b, equals: y }]", #"{"a":"x","b":"y"}"#, true),
            ("[{ at: /a, equals: x }, { at: /b, equals: y }]", #"{"a":"x","b":"z"}"#, false),
        ])
    func values(test: String, body: String, isMatched: Bool) throws {
        let mine = try profile(
            """
            read: { message: /message }
            rules:
              - { name: r, when: { status: 400, request: '* /v0/{base}/{table}', value: \(test) }, is: gone }
            """)
        let found = error(mine, 400, body, ["X-Left": "0"], request: ("GET", "/v0/b/users?x=1"))
        #expect((found?.code == .gone) == isMatched)
    }

    @Test("several header conditions must all hold, and so must one on the text of the body")
    func headersAndText() throws {
        let mine = try profile(
            """
            rules:
              - name: r
                when:
                  status: 403
                  header: [{ name: X-A, equals: 'yes' }, { name: X-B, starts_with: b }]
                  text: { contains: [blocked, banned] }
                is: edge_blocked
            """)
        #expect(error(mine, 403, "You are BANNED", ["X-A": "yes", "X-B": "bb"])?.code == .edgeBlocked)
        #expect(error(mine, 403, "You are BANNED", ["X-A": "yes", "X-B": "c"])?.code != .edgeBlocked)
        #expect(error(mine, 403, "You are BANNED", ["X-A": "yes"])?.code != .edgeBlocked)
        #expect(error(mine, 403, "You are late", ["X-A": "yes", "X-B": "bb"])?.code != .edgeBlocked)
        #expect(error(mine, 403, "", ["X-A": "yes", "X-B": "bb"])?.code != .edgeBlocked)
    }

    @Test("`has` and `lacks` take every kind of place")
    func presence() throws {
        let mine = try profile(
            """
            rules:
              - { name: a, when: { status: 400, has: ['$.errors[*].code', { at: header X-Code }] }, is: gone }
              - { name: b, when: { status: 400, lacks: { at: header X-Fine } }, is: conflict }
            """)
        #expect(error(mine, 400, #"{"errors":[{},{"code":1}]}"#)?.rule == "a")
        #expect(error(mine, 400, "", ["X-Code": "x"])?.rule == "a")
        #expect(error(mine, 400, #"{"errors":[{}]}"#)?.rule == "b")
        #expect(error(mine, 400, #"{"errors":[{}]}"#, ["X-Fine": "1"])?.rule == "none")
    }

    // MARK: Rules

    @Test("`is: success` ends the search and passes the response, below and above 400")
    func success() throws {
        let mine = try profile(
            """
            rules:
              - { name: fine, when: { status: 200, value: { at: /ok, equals: true } }, is: success }
              - { name: bad, when: { status: 200, content: json }, is: invalid_request, answer_with: 400 }
              - { name: no such thing, when: { status: 404, request: GET /exists/* }, is: success }
            """)
        let json = ["Content-Type": "application/json"]
        #expect(error(mine, 200, #"{"ok":true,"error":"x"}"#, json) == nil)
        #expect(error(mine, 200, #"{"ok":false}"#, json)?.rule == "bad")
        #expect(error(mine, 404, "", request: ("GET", "/exists/7")) == nil)
        #expect(error(mine, 404, "")?.rule == "none")
        // Nothing is collected for rules that only pass.
        let passing = ErrorNormalizer(
            profile: try profile("rules: [{ name: fine, when: { status: 200, has: /ok }, is: success }]"))
        var fields = FieldBlock()
        fields.append("Content-Type", "application/json")
        #expect(!passing.wants(status: 200, fields: fields, length: 10))
    }

    @Test(
        "what the provider says about a repeat counts more than the rule",
        arguments: [
            ("true", true, true), ("false", false, true), ("1", true, true), ("NO", false, true),
            ("maybe", false, false),
            (nil, false, false),
        ] as [(String?, Bool, Bool)])
    func repeating(value: String?, isTransient: Bool, isSaid: Bool) throws {
        let mine = try profile(
            """
            repeat: { at: header x-should-retry }
            rules:
              - { name: a, when: { status: 400 }, is: conflict, transient: no }
              - { name: b, when: { status: 409 }, is: conflict, transient: yes }
              - { name: c, when: { status: 410 }, is: conflict, transient: yes, repeat: no }
              - { name: d, when: { status: 418 }, is: conflict, transient: yes, repeat: /again }
            """)
        let fields = value.map { ["x-should-retry": $0] } ?? [:]
        #expect(error(mine, 400, "", fields)?.isTransient == isTransient)
        #expect(error(mine, 409, "", fields)?.isTransient == (isSaid ? isTransient : true))
        #expect(error(mine, 410, "", fields)?.isTransient == true)
        #expect(error(mine, 418, #"{"again":false}"#, fields)?.isTransient == false)
    }

    @Test("a repeat that the provider allows is no promise where the effect is unknown")
    func repeatIsNotSafe() throws {
        let mine = try profile(
            """
            repeat: { at: header x-should-retry }
            rules: [{ name: a, when: { status: 500 }, is: provider_error }]
            """)
        let fields = ["x-should-retry": "true"]
        #expect(error(mine, 500, "", fields, request: ("POST", "/x"))?.isRetryable == false)
        #expect(error(mine, 500, "", fields, request: ("GET", "/x"))?.isRetryable == true)
    }

    // MARK: Fields

    @Test(
        "fields have the form that a profile describes",
        arguments: [
            (
                "{ each: '$.detail[*]', name: { at: /loc, drop: [body, query] }, message: /msg, code: { at: /type, means: { missing: required } } }",
                #"{"detail":[{"loc":["body","to",0],"msg":"Oh no","type":"missing"},{"loc":["path","id"],"msg":"m","type":"string_too_short"}]}"#,
                ["to.0: Oh no (required)", "path.id: m (too_short)"]
            ),
            (
                "{ each: '$.e[*]', name: '$.fields[*]', message: /why }",
                #"{"e":[{"fields":["a","b"],"why":"x y"},{"fields":[]}]}"#,
                ["a: x y (invalid)", "b: x y (invalid)"]
            ),
            (
                "{ each: '$.e[*]', name: /f }", #"{"message":"All wrong","e":[{"f":"a"},{"g":1}]}"#,
                ["a: All wrong (invalid)"]
            ),
            (
                "{ each: /e, name: /f, message: /m }", #"{"e":[{"f":"a","m":"x y"},{"f":"b","m":"z z"}]}"#,
                ["a: x y (invalid)", "b: z z (invalid)"]
            ),
            ("{ names: /f }", #"{"message":"No","f":["a","b"]}"#, ["a: No (invalid)", "b: No (invalid)"]),
            (
                "{ map: /errors }",
                #"{"errors":{"to":["is required","is odd"],"id":"no","in":{"zip":"bad one"}}}"#,
                [
                    "to: is required (required)", "to: is odd (invalid)", "id: no (invalid)",
                    "in.zip: bad one (invalid)",
                ]
            ),
            (
                "{ names: '$[*].fields[*]', message: '$[0].message' }",
                #"[{"message":"Required fields are missing: [LastName]","fields":["LastName","Company"]}]"#,
                [
                    "LastName: Required fields are missing: [LastName] (required)",
                    "Company: Required fields are missing: [LastName] (required)",
                ]
            ),
            (
                "{ from: { at: message, match: \"^'?([A-Za-z_.]+)'? (?:is|must)\" } }",
                #"{"message":"'from.email' is not an address"}"#,
                ["from.email: 'from.email' is not an address (invalid)"]
            ),
            (
                "{ from: { at: text, match: 'name=\"([a-z]+)\"' }, code: { at: text, match: 'rule=\"(\\w+)\"', means: { dup: duplicate } } }",
                #"<error name="email" rule="dup"/>"#, ["email:  (duplicate)"]
            ),
            (
                "'$.errors[*]'", #"{"errors":[{"field":"a","message":"is required"}]}"#,
                ["a: is required (required)"]
            ),
            (
                "[{ map: /none }, { map: /errors, when: { status: 422 } }, { names: /f }]",
                #"{"message":"No","errors":{"a":"x y"},"f":"z"}"#, ["z: No (invalid)"]
            ),
            (
                "{ each: '$.e[*]', name: { at: /p, drop: [body] } }",
                #"{"e":[{"p":"body.a.b"},{"p":"bodywork"},{"p":"body"}]}"#,
                ["a.b:  (invalid)", "bodywork:  (invalid)", "body:  (invalid)"]
            ),
        ])
    func fields(places: String, body: String, expected: [String]) throws {
        let mine = try profile(
            "read: { message: /message, fields: \(places) }\nfield_phrases: [{ required: [is required, missing] }]"
        )
        let found = error(mine, 400, body)?.fields ?? []
        #expect(found.map { "\($0.field): \($0.detail?.string ?? "") (\($0.code.rawValue))" } == expected)
    }

    @Test("what a profile describes as fields counts whatever the status of the error, and decides rules")
    func fieldStatuses() throws {
        let mine = try profile(
            """
            read: { fields: { each: '$.userErrors[*]', name: /field, message: /message } }
            rules:
              - { name: refused, when: { status: [200, 403], fields: yes }, is: validation_failed, answer_with: 422 }
              - { name: other, when: { status: 404 }, is: not_found }
            """)
        let body = #"{"userErrors":[{"field":["input","title"],"message":"no"}]}"#
        for status in [200, 403, 404] {
            let found = error(mine, status, body, ["Content-Type": "application/json"])
            #expect(found?.fields.map(\.field.string) == ["input.title"], "\(status)")
        }
        #expect(error(mine, 200, "{}", ["Content-Type": "application/json"]) == nil)
    }

    // MARK: Inheritance

    @Test(
        "`inherit` says to which parts of `read` generic's places are added",
        arguments: [
            ("", true, true), ("inherit: yes, ", true, true), ("inherit: no, ", false, false),
            ("inherit: [message], ", true, false), ("inherit: [fields, code], ", false, true),
        ])
    func inheritance(inherit: String, message: Bool, fields: Bool) throws {
        let mine = try profile("read: { \(inherit)code: /mine }", generic: true)
        #expect((mine.reading.message.count > 1) == message)
        #expect((mine.reading.fields.count > 1) == fields)
    }

    // MARK: Mistakes

    @Test(
        "a mistake says where it is and what is allowed",
        arguments: [
            ("read: { code: '$.a[' }", "p.yaml:2:15: read.code: '$.a[' is not a JSONPath"),
            (
                "read: { code: 'code' }",
                "p.yaml:2:15: read.code: 'code' must be a JSON Pointer such as /error/message, or a JSONPath"
            ),
            (
                "read: { message: { at: message } }",
                "p.yaml:2:24: read.message.at: 'message' must be a JSON Pointer"
            ),
            ("read: { code: { at: header } }", "header NAME, message, text, or path {NAME}"),
            (
                "read: { code: { at: /a, match: '(' } }",
                "p.yaml:2:32: read.code.match: '(' is not a regular expression"
            ),
            ("read: { code: { match: a } }", "p.yaml:2:15: read.code: needs 'at'"),
            ("read: { code: { at: /a, unit: s } }", "read.code.unit: unknown key; allowed: at, match, then"),
            (
                "read: { code: { at: /a, then: { at: text } } }",
                "read.code.then.at: 'text' must be a JSON Pointer"
            ),
            (
                "read: { inherit: [mesage] }",
                "read.inherit[0]: 'mesage' is not one of: message, code, code_headers, fields, request_id"
            ),
            ("read: { fields: { each: /a } }", "read.fields: needs 'name'"),
            (
                "read: { fields: { each: /a, map: /b, name: /c } }",
                "read.fields: needs one of 'each', 'map', 'names' and 'from'"
            ),
            ("read: { fields: { map: /a, message: /b } }", "read.fields: has no 'message'"),
            (
                "read: { fields: { each: /a, name: /b, code: { at: /c, means: { x: odd } } } }",
                "read.fields.code.means.x: 'odd' is not one of: required"
            ),
            ("read: { fields: { map: /a, when: { fields: yes } } }", "read.fields.when.fields: unknown key"),
            (
                "waits: [{ at: /a, unit: sec }]",
                "p.yaml:2:25: waits[0].unit: 'sec' is not one of: ms, s, min, h"
            ),
            ("waits: [{ seconds: 0 }]", "waits[0].seconds: '0' must be a whole number from 1 to 2764800"),
            ("waits: [{ seconds: 1, at: /a }]", "waits[0]: needs one of"),
            ("waits: [{ header: X, unit: s }]", "waits[0]: needs 'at'"),
            (
                "rules: [{ name: r, when: { value: { at: /a } }, is: gone }]",
                "rules[0].when.value: needs what the value must be"
            ),
            (
                "rules: [{ name: r, when: { value: { at: /a, less: many } }, is: gone }]",
                "rules[0].when.value.less: 'many' must be a number"
            ),
            (
                "rules: [{ name: r, when: { value: { equals: a } }, is: gone }]",
                "rules[0].when.value: needs 'at'"
            ),
            (
                "rules: [{ name: r, when: { has: { at: 'path {id}' } }, is: gone }]",
                "looks at 'path {id}', which no `request` beside it has as a step"
            ),
            (
                "rules: [{ name: r, is: success, transient: yes }]",
                "rules[0].transient: says something about an error"
            ),
            (
                "rules: [{ name: r, when: { request: 'GET /a/{b' }, is: gone }]",
                "must have {name} as a whole step"
            ),
            (
                "rules: [{ name: r, is: gone, limit: 'a b' }]",
                "rules[0].limit: 'a b': the name of a limit"
            ),
            (
                "limits: [{ name: daily, requests: 1, per: 1s }]\nrules: [{ name: r, is: gone, limit: dayly }]",
                "p.yaml:3:37: rules[0].limit: 'dayly' is not the name of one of `limits`: they are daily"
            ),
            (
                "limits: [{ requests: 1, per: 1s }]\nrules: [{ name: r, is: gone, limit: daily }]",
                "is not the name of one of `limits`: none of them has a name"
            ),
            ("repeat: { at: nowhere }", "repeat.at: 'nowhere' must be a JSON Pointer"),
        ])
    func mistake(line: String, expected: String) {
        let found = mistakes(line)
        #expect(found.contains { $0.contains(expected) }, "\(found)")
        #expect(found.count == 1, "\(found)")
    }

    @Test("all mistakes of a profile are found at once")
    func allMistakes() {
        let found = mistakes(
            """
            waits: [{ at: $.., unit: x }]
            read: { code: { at: header 'é', match: '[' } }
            rules: [{ name: r, when: { value: [{ at: /a, more: x }, { at: $$, equals: a }] }, is: nothing }]
            """)
        #expect(found.count == 7, "\(found)")
    }

    // MARK: Requests

    @Test("a step of a pattern may have a name, and is found by it")
    func steps() throws {
        let pattern = try RequestPattern(parsing: "* /v0/{base}/*/{record}")
        #expect(pattern.stepNames == ["base", "record"])
        #expect(pattern.matches(method: "GET", path: "/v0/a/b/c"))
        #expect(pattern.step(named: "base", of: "/v0/app1/t/r?x=/y")?.string == "app1")
        #expect(pattern.step(named: "record", of: "/v0/app1/t/r?x=/y")?.string == "r")
        #expect(pattern.step(named: "table", of: "/v0/app1/t/r") == nil)
        #expect(pattern.step(named: "base", of: "/v1/app1/t/r") == nil)
        #expect(try RequestPattern(parsing: "GET /{a}/**").step(named: "a", of: "/x/y/z")?.string == "x")
        for wrong in ["GET /{a}{b}", "GET /{}", "GET /{a", "GET /a}", "GET /{a}/{a}", "GET /{a-b}"] {
            #expect(throws: InvalidSetting.self) { try RequestPattern(parsing: wrong) }
        }
    }
}
