import Configuration
import Core
import Testing
import Wire

@Suite("Profile reader")
struct ProfileReaderTests {
    private func read(_ text: String) throws -> Profile {
        try ProfileReader.read(
            text: text, file: "p.yaml", generic: BuiltInProfiles.all.first { $0.name == "generic" })
    }

    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try ProfileReader.read(text: text, file: "p.yaml", generic: nil)
            return []
        } catch {
            return error.all.map(\.description)
        }
    }

    @Test("a profile of one line is as good as the generic one")
    func smallest() throws {
        let profile = try read("name: mine")
        #expect(profile.name == "mine")
        #expect(profile.rules.count == BuiltInProfiles.all.first { $0.name == "generic" }?.rules.count)
        #expect(!profile.reading.message.isEmpty && !profile.waits.isEmpty)
    }

    @Test("all keys are understood")
    func everything() throws {
        let profile = try read(
            """
            name: mine
            upstream: https://api.example.com/v1
            credential: { found_in: [basic, header X-Key, query key], sent_as: bearer, secrets_begin_with: sk_ }
            limits: [{ requests: 5, per: 500ms, by: provider }]
            request_defaults: { Accept: application/json }
            idempotency: { header: Idempotency-Key, requests: [POST /a, 'PUT /b/*/c', '* /d/**'] }
            request_id: X-Id
            waits: [{ header: Retry-After, on: [429, 500-503] }, { reset: X-Reset }, { body: /wait }]
            rate_fields: { limit: L, remaining: M, reset: N }
            read: { message: [/m, /e if sentence], code: /e if identifier, code_headers: X-Code, fields: /f, request_id: /id }
            keep: message
            field_phrases: [{ duplicate: [was here before] }]
            rules:
              - name: teapot
                when: { status: 418, request: GET /pot, content: [json, text], message: { matches: '^te+a' } }
                is: conflict
                transient: yes
                effect: unknown
                pause: none
            cases: [{ id: a-1, name: n, request: GET /pot, status: 418, body: teea, expect: { code: conflict, transient: yes } }]
            """)
        #expect(profile.upstream == "https://api.example.com/v1")
        #expect(profile.credentialPlaces == [.basicPassword, .header("X-Key"), .query("key")])
        #expect(profile.credentialInjections == [CredentialInjection(.bearer)])
        #expect(profile.limits == [RateLimit(requests: 5, per: .milliseconds(500), by: .provider)])
        #expect(profile.honoursIdempotencyKey(method: "PUT", path: "/b/7/c?x"))
        #expect(!profile.honoursIdempotencyKey(method: "PUT", path: "/b/7/c/"))
        #expect(profile.honoursIdempotencyKey(method: "GET", path: "/d/x/y"))
        #expect(profile.fieldPhrases.code(of: "It was here before, required") == .duplicate)
        let normalizer = ErrorNormalizer(profile: profile)
        #expect(profile.cases.flatMap { $0.run(with: normalizer, decode: { body, _ in body }) } == [])
        #expect(profile.reading.codeFields.first?.string == "X-Code")
        let facts = RequestFacts(method: "GET", path: "/cup")
        let other = normalizer.normalize(
            ProviderAnswer(status: 418, fields: .init(), body: Array("tea".utf8)), of: facts, at: 0)
        #expect(other?.code == .invalidRequest && other?.profile == "generic")
    }

    @Test("a profile says where milliseconds stand, and that used-up windows are waited for")
    func waits() throws {
        let profile = try read(
            """
            name: mine
            waits: [{ milliseconds: X-Wait-Ms, on: 503 }, { from: rate_fields, on: 429 }]
            rate_fields: { remaining: [Now-Left, Day-Left], reset: [Now-Reset, Day-Reset] }
            cases:
              - { id: a, name: n, status: 503, headers: { X-Wait-Ms: '2001' }, expect: { code: provider_unavailable, transient: yes, retry_after: 3 } }
              - { id: b, name: n, status: 429, headers: { X-Wait-Ms: '2001' }, expect: { code: rate_limited, transient: yes } }
              - id: c
                name: n
                status: 429
                headers: { Now-Left: '3', Now-Reset: '1', Day-Left: '0', Day-Reset: 1m30s }
                expect: { code: rate_limited, transient: yes, retry_after: 90 }
            """)
        let normalizer = ErrorNormalizer(profile: profile)
        #expect(profile.cases.flatMap { $0.run(with: normalizer, decode: { body, _ in body }) } == [])
    }

    @Test("a case that does not hold says what differs")
    func mismatches() throws {
        let profile = try read(
            """
            name: mine
            cases:
              - { id: a, name: n, status: 404, expect: { code: gone, transient: yes, retry_after: 3, effect: applied } }
              - { id: b, name: n, status: 404, expect: untouched }
              - { id: c, name: n, status: 200, expect: { code: gone, transient: no } }
            """)
        let normalizer = ErrorNormalizer(profile: profile)
        let found = profile.cases.map { $0.run(with: normalizer, decode: { body, _ in body }) }
        #expect(
            found == [
                [
                    "code is not_found, should be gone", "transient is false, should be true",
                    "retry_after is absent, should be 3 s", "effect is none, should be applied",
                ],
                ["became not_found, should pass untouched"], ["passed untouched, should be an error"],
            ])
    }

    @Test("all mistakes are told at once, with their places")
    func tellsMistakes() {
        let found = mistakes(
            """
            name: mine
            upstram: https://x.example
            keep: [code]
            rules:
              - { name: a, when: { status: 99, code: { matches: '(' } }, is: nonsense }
              - { name: b, when: { status: 200 } }
              - { name: c, when: { header: { name: X } }, is: throttled }
            waits: [{ on: 429 }, { from: elsewhere }, { from: rate_fields, milliseconds: X }]
            read: { message: error }
            credential: { sent_as: cookie }
            cases: [{ name: x, expect: {} }]
            """)
        let places = found.map { String($0.prefix { $0 != " " }) }
        #expect(places.starts(with: ["p.yaml:2:1:", "p.yaml:3:8:"]))
        #expect(found[0].contains("upstram: unknown key; allowed: name, inherit, upstream"))
        #expect(found.contains { $0.contains("rules[0].when.code.matches: '(' is not a regular expression") })
        #expect(found.contains { $0.contains("rules[0].when.status: '99' must be a status") })
        #expect(found.contains { $0.contains("rules[0].is: 'nonsense' is not one of") })
        #expect(found.contains { $0.contains("rules[1]: needs 'is'") })
        #expect(found.contains { $0.contains("rules[1]: is about answers below 400") })
        #expect(found.contains { $0.contains("rules[2].is: 'throttled' is not one of") })
        #expect(found.contains { $0.contains("waits[0]: needs one of") })
        #expect(found.contains { $0.contains("waits[1].from: 'elsewhere' must be rate_fields") })
        #expect(found.contains { $0.contains("waits[2]: needs one of") })
        #expect(!found.contains { $0.contains("waits[1]: needs") })
        #expect(found.contains { $0.contains("read.message: 'error' must be a JSON Pointer") })
        #expect(found.contains { $0.contains("credential.sent_as: 'cookie' is not one of") })
        #expect(found.contains { $0.contains("cases[0]: needs 'id'") })
        #expect(mistakes("").count == 1 && mistakes("[").count == 1 && mistakes("keep: [message]").count == 1)
    }

    @Test(
        "a place in the body is not taken for the name of a header field, nor anything else",
        arguments: [
            ("waits: [{ milliseconds: /retry_after_ms }]", "waits[0].milliseconds", 25),
            ("waits: [{ header: /a }]", "waits[0].header", 19),
            ("waits: [{ reset: 'X Reset' }]", "waits[0].reset", 18),
            ("request_id: /request_id", "request_id", 13),
            ("request_id: [X-Id, 'X Id']", "request_id[1]", 20),
            ("read: { code_headers: /code }", "read.code_headers", 23),
            ("rate_fields: { remaining: /left }", "rate_fields.remaining", 27),
            ("rate_fields: { state: 'a:b' }", "rate_fields.state", 23),
            ("idempotency: { header: /key, requests: POST /a }", "idempotency.header", 24),
            ("request_defaults: { /a: b }", "request_defaults./a", 25),
            ("request_defaults: { A: \"b\\nc\" }", "request_defaults.A", 24),
            ("credential: { found_in: header /x }", "credential.found_in", 25), ("keep: /message", "keep", 7),
            (
                "rules: [{ name: r, when: { header: { name: /x, equals: y } }, is: gone }]",
                "rules[0].when.header.name", 44
            ),
            ("rules: [{ name: r, waits: [{ header: 'é' }], is: gone }]", "rules[0].waits[0].header", 38),
        ])
    func wrongPlaces(line: String, key: String, column: Int) throws {
        do {
            _ = try ProfileReader.read(text: "name: x\n\(line)", file: "p.yaml", generic: nil)
            Issue.record("no mistake")
        } catch {
            #expect(error.all.count == 1)
            let mistake = try #require(error.all.first)
            #expect(mistake.key == key && mistake.line == 2 && mistake.column == column)
            #expect(mistake.reason.contains("must be") || mistake.reason.contains("is not one of"))
        }
    }

    @Test("the conditions `fields` and `used_up` are read, and tested")
    func newConditions() throws {
        let profile = try read(
            """
            name: mine
            rules:
              - { name: a, when: { status: 400, fields: yes }, is: validation_failed }
              - { name: b, when: { status: 400, fields: no }, is: gone }
              - { name: c, when: { status: 418, used_up: yes }, is: rate_limited }
              - { name: d, when: { status: 418, used_up: no }, is: gone }
            """)
        func rule(_ status: Int, _ body: String, _ fields: [(String, String)] = []) -> String? {
            var block = FieldBlock()
            for (name, value) in fields { block.append(name, value) }
            let answer = ProviderAnswer(status: status, fields: block, body: Array(body.utf8))
            return ErrorNormalizer(profile: profile).normalize(
                answer, of: RequestFacts(method: "GET", path: "/"), at: 0)?.rule
        }
        #expect(rule(400, #"{"errors":{"a":["is required"]}}"#) == "a")
        #expect(rule(400, #"{"errors":[]}"#) == "b")
        #expect(rule(418, "", [("X-RateLimit-Remaining", "0")]) == "c")
        #expect(rule(418, "", [("X-RateLimit-Remaining", "1")]) == "d")
        #expect(rule(418, "", [("X-RateLimit-Remaining", "0"), ("Age", "3")]) == "d")
        #expect(rule(418, "") == "d")
    }
}
