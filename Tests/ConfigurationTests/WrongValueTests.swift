import Configuration
import Core
import Testing

/// Each key of both languages with values that it cannot have: each is a mistake with its place, and nothing is ignored.
@Suite("wrong values")
struct WrongValueTests {
    /// A key, as a line of a file with `@` in place of its value.
    struct Key: Sendable, CustomTestStringConvertible {
        var line: String
        /// Values that are wrong for this key.
        var wrong: [String] = []
        /// Values that are wrong for most keys, and right for this one.
        var right: [String] = []

        var testDescription: String { line }
    }

    /// Nothing, and each kind of value that hardly any key has.
    private static let general = ["~", "null", "''", "[]", "{}", "[[]]", "[~]", "{ nonsense: 1 }"]
    private static let numbers = [
        "-1", "1.5", "99999999999999999999999999", "1e3", "0x10", "many", "NaN", "1 2",
    ]
    private static let times = ["-1s", "1", "1 s", "1x", "1S", "1e3s", "99999999999999999999d", "s", "off_"]
    private static let sizes = [
        "-1", "1.5KiB", "1kb", "99999999999999999999GiB", "KiB", "1 KiB", "9999999GiB",
    ]
    private static let words = ["nonsense", "ON_", "1.5"]

    private static let profileKeys: [Key] = [
        Key(line: "name: @", right: []), Key(line: "upstream: @"),
        Key(line: "credential: @", wrong: ["bearer"]),
        Key(
            line: "credential: { found_in: @ }",
            wrong: [
                "cookie", "header", "header Host", "header Content-Length", "query a&b", "bearer x",
                "[bearer, cookie]",
            ]),
        Key(
            line: "credential: { sent_as: @ }",
            wrong: ["cookie", "[cookie]", "header Host", "query a=b", "Bearer"]),
        Key(line: "credential: { secrets_begin_with: @ }"),
        Key(line: "limits: @", wrong: ["1", "[{ requests: 1 }]"], right: ["[]"]),
        Key(line: "limits: [{ requests: @, per: 1s }]", wrong: numbers + ["0"]),
        Key(line: "limits: [{ requests: 1, per: @ }]", wrong: times + ["0s", "year"]),
        Key(line: "limits: [{ concurrent: @ }]", wrong: numbers + ["0"]),
        Key(
            line: "limits: [{ requests: 1, per: 1s, by: @ }]",
            wrong: words + [
                "query a&b", "query a=b", "query a#b", "query", "header", "header a b", "{ query: 'a b' }",
            ]),
        Key(
            line: "limits: [{ requests: 1, per: 1s, routes: @ }]",
            wrong: ["/a", "post /a", "POST a", "POST /a/**/b"]),
        Key(
            line: "limits: [{ requests: 1, per: 1s, cost: @ }]",
            wrong: ["{ POST /a: 0 }", "{ post /a: 1 }", "{ /a: 1 }"]),
        Key(line: "quota_requests: @", wrong: ["/a", "POST", "Post /a", "POST /a*"]),
        Key(
            line: "request_defaults: @", wrong: ["Accept", "{ 'a b': c }", "{ Host: a }"],
            right: ["{ nonsense: 1 }"]),
        Key(line: "request_defaults: { X-A: @ }", wrong: ["\"a\\nb\"", "\"a\\rb\"", "\"a\\0b\""]),
        Key(line: "idempotency: @"),
        Key(line: "idempotency: { header: @, requests: POST /a }", wrong: ["/a", "a b"]),
        Key(line: "idempotency: { header: A, requests: @ }", wrong: ["/a", "post /a", "POST /a?b"]),
        Key(line: "probe: @", wrong: ["GET /a"]),
        Key(line: "probe: { request: @ }", wrong: ["/a", "POST /a", "GET a", "GET /a/*"]),
        Key(line: "probe: { request: GET /a, account: @ }", wrong: ["a", "'/a '"], right: ["''"]),
        Key(line: "request_id: @", wrong: ["/a", "a b", "[A, /b]"]), Key(line: "waits: @", wrong: ["A"]),
        Key(line: "waits: [{ header: @ }]", wrong: ["/a", "a b"]),
        Key(line: "waits: [{ milliseconds: @ }]", wrong: ["/a"]),
        Key(line: "waits: [{ reset: @ }]", wrong: ["/a"]),
        Key(line: "waits: [{ body: @ }]", wrong: ["a", "/a~2", "/a if sentence", "'/a '"], right: ["''"]),
        Key(line: "waits: [{ from: @ }]", wrong: words + ["[rate_fields]"]),
        Key(
            line: "waits: [{ header: A, on: @ }]", wrong: numbers + ["99", "1000", "500-400", "500-", "4xx"]),
        Key(line: "rate_fields: @", wrong: ["A"]),
        Key(line: "rate_fields: { limit: @ }", wrong: ["/a", "a b"]),
        Key(line: "rate_fields: { remaining: @ }", wrong: ["/a"]),
        Key(line: "rate_fields: { reset: @ }", wrong: ["/a"]),
        Key(line: "rate_fields: { used: @ }", wrong: ["/a"]),
        Key(line: "rate_fields: { state: @ }", wrong: ["/a"]),
        Key(line: "rate_fields: { policy: @ }", wrong: ["/a"]),
        Key(line: "rate_fields: { remaining: [A, B], reset: @ }", wrong: ["A", "[A]", "[A, B, C]"]),
        Key(line: "rate_fields: { remaining: [A, B], limit: @ }", wrong: ["A", "[A]", "[A, B, C]"]),
        Key(line: "rate_fields: { limit: [A, B], reset: @ }", wrong: ["A", "[A]", "[A, B, C]"]),
        Key(line: "read: @", wrong: ["/a"]),
        Key(
            line: "read: { message: @ }",
            wrong: [
                "a", "/a if sentense", "/a if", "/a  if x", "/a IF sentence", "/a unless x", "'/a '", "/a~",
            ], right: ["''"]),
        Key(
            line: "read: { code: @ }", wrong: ["a", "/a if identifer", "/a if sentence if identifier"],
            right: ["''"]),
        Key(line: "read: { fields: @ }", wrong: ["a", "/a if sentence"], right: ["''"]),
        Key(line: "read: { request_id: @ }", wrong: ["a"], right: ["''"]),
        Key(line: "keep: @", wrong: ["/a", "code"]),
        Key(line: "field_phrases: @", wrong: ["a"], right: ["[]"]),
        Key(line: "field_phrases: [{ required: @ }]"), Key(line: "rules: @", wrong: ["a"], right: ["[]"]),
        Key(line: "rules: [{ name: @, is: gone }]"),
        Key(line: "rules: [{ name: r, is: @ }]", wrong: words + ["Gone", "throttled"]),
        Key(line: "rules: [{ name: r, is: gone, when: @ }]", wrong: ["400"]),
        Key(line: "rules: [{ name: r, is: gone, transient: @ }]", wrong: words + ["1"]),
        Key(line: "rules: [{ name: r, is: gone, effect: @ }]", wrong: words),
        Key(line: "rules: [{ name: r, is: gone, answer_with: @ }]", wrong: numbers + ["200", "399", "600"]),
        Key(line: "rules: [{ name: r, is: gone, pause: @ }]", wrong: words),
        Key(line: "rules: [{ name: r, is: gone, waits: @ }]", wrong: ["A"], right: ["[]"]),
        Key(line: "rules: [{ name: r, is: gone, mapped: @ }]", wrong: words),
        Key(line: "rules: [{ name: r, is: gone, when: { status: @ } }]", wrong: numbers + ["99", "500-400"]),
        Key(
            line: "rules: [{ name: r, is: gone, when: { request: @ } }]",
            wrong: ["/a", "post /a", "POST /**/a", "P*T /a"]),
        Key(line: "rules: [{ name: r, is: gone, when: { content: @ } }]", wrong: words),
        Key(line: "rules: [{ name: r, is: gone, when: { content_type: @ } }]"),
        Key(
            line: "rules: [{ name: r, is: gone, when: { header: @ } }]",
            wrong: ["A", "{ name: A }", "{ name: A, equals: [] }"]),
        Key(
            line: "rules: [{ name: r, is: gone, when: { code: @ } }]",
            wrong: ["1.5", "[A, 1.5]", "{ equals: 1e3 }", "007"]),
        Key(line: "rules: [{ name: r, is: gone, when: { message: @ } }]"),
        Key(line: "rules: [{ name: r, is: gone, when: { message: { contains: @ } } }]"),
        Key(
            line: "rules: [{ name: r, is: gone, when: { message: { matches: @ } } }]",
            wrong: [
                "'('", "'a{,5}'", "'a{2, 5}'", "'a{-1}'", "'a{1000}'", "'(a{100}){100}'", "'a{5,2}'",
                "'a{1001}'",
            ]),
        Key(
            line: "rules: [{ name: r, is: gone, when: { has: @ } }]", wrong: ["a", "/a if sentence"],
            right: ["''"]),
        Key(line: "rules: [{ name: r, is: gone, when: { lacks: @ } }]", wrong: ["a"], right: ["''"]),
        Key(line: "rules: [{ name: r, is: gone, when: { fields: @ } }]", wrong: words),
        Key(line: "rules: [{ name: r, is: gone, when: { used_up: @ } }]", wrong: words),
        Key(line: "cases: @", wrong: ["a"], right: ["[]"]),
        Key(line: "cases: [{ id: @, status: 400, expect: untouched }]"),
        Key(line: "cases: [{ id: a, status: @, expect: untouched }]", wrong: numbers + ["99", "1000"]),
        Key(line: "cases: [{ id: a, name: @, status: 400, expect: untouched }]"),
        Key(
            line: "cases: [{ id: a, request: @, status: 400, expect: untouched }]",
            wrong: ["/a", "POST", "post /a"]),
        Key(
            line: "cases: [{ id: a, headers: @, status: 400, expect: untouched }]",
            wrong: ["A", "{ 'a b': c }"], right: ["{}", "{ nonsense: 1 }"]),
        Key(line: "cases: [{ id: a, body: @, status: 400, expect: untouched }]", right: ["''"]),
        Key(
            line: "cases: [{ id: a, body_base64: @, status: 400, expect: untouched }]", wrong: ["'*'"],
            right: ["''"]),
        Key(line: "cases: [{ id: a, status: 400, expect: @ }]", wrong: words),
        Key(line: "cases: [{ id: a, status: 400, expect: { code: @, transient: no } }]", wrong: words),
        Key(line: "cases: [{ id: a, status: 400, expect: { code: gone, transient: @ } }]", wrong: words),
        Key(
            line: "cases: [{ id: a, status: 400, expect: { code: gone, transient: no, fields: @ } }]",
            wrong: ["a", "[{}]"], right: ["[]"]),
        Key(
            line: "cases: [{ id: a, status: 400, expect: { code: gone, transient: no, retry_after: @ } }]",
            wrong: numbers + ["0"]),
        Key(
            line: "cases: [{ id: a, status: 400, expect: { code: gone, transient: no, effect: @ } }]",
            wrong: words),
        Key(
            line: "cases: [{ id: a, status: 400, expect: { code: gone, transient: no, status: @ } }]",
            wrong: numbers + ["200"]),
    ]

    private static let section = ["~", "null", "{}"]
    private static let configurationKeys: [Key] =
        [
            Key(
                line: "listen: @",
                wrong: ["8080", "a:1:2", "127.0.0.1:99999", "unix:", "{ address: 127.0.0.1:1, mode: 0660 }"]),
            Key(line: "listen: { address: unix:/a, mode: @ }", wrong: ["999", "-1", "rw", "07777777"]),
            Key(line: "listen: { address: 127.0.0.1:1, tls: @ }", wrong: ["a.pem"]),
            Key(line: "listen: { address: 127.0.0.1:1, tls: { certificate: @ } }", wrong: ["/none"]),
            Key(
                line: "listen: { address: 127.0.0.1:1, tls: { certificate: /pem, key: @ } }", wrong: ["/none"]
            ),
            Key(
                line: "listen: { address: 127.0.0.1:1, tls: { certificate: /pem, min_version: @ } }",
                wrong: words + ["1.2.3"]),
            Key(line: "hosts: @", wrong: ["a", "['a b']", "[a:1]"], right: ["[]"]),
            Key(line: "admin: @", wrong: ["127.0.0.1:1"], right: section),
            Key(line: "admin: { listen: @ }", wrong: ["1", "on"]),
            Key(line: "admin: { token: @ }", wrong: ["short", "'a blank in sixteen'"]),
            Key(line: "access: @", wrong: ["on"], right: section),
            Key(
                line: "access: { token: @ }",
                wrong: ["short", "'a blank in sixteen'", "[0123456789abcdef, short]"]),
            Key(line: "log: { level: @ }", wrong: words + ["DEBUG"]),
            Key(
                line: "listen: { address: 127.0.0.1:1, tls: { certificate: /pem, client_ca: @ } }",
                wrong: ["/none"]),
            Key(line: "workers: @", wrong: numbers + ["0", "257"]),
            Key(line: "replicas: @", wrong: numbers + ["0"]),
            Key(line: "replicas: 2\nledger: @", wrong: ["redis", "http://a"]),
            Key(line: "log: @", wrong: ["on"], right: section), Key(line: "log: { access: @ }", wrong: words),
            Key(line: "tracing: @", wrong: ["on", "http://127.0.0.1:4318"], right: section),
            Key(
                line: "tracing: { endpoint: @ }",
                wrong: ["a", "ftp://a", "http://", "http://a?b", "http://u:p@a"]),
            Key(
                line: "tracing: { endpoint: 'http://a', sample: @ }",
                wrong: numbers + ["101%", "-1%", "1.23456%", "on"]),
            Key(
                line: "tracing: { endpoint: 'http://a', headers: @ }",
                wrong: [
                    "a", "[a]", "{ 'a b': c }", "{ Host: c }", "{ Content-Type: c }", "{ traceparent: c }",
                ],
                right: ["{}", "{ nonsense: 1 }"]),
            Key(line: "tracing: { endpoint: 'http://a', headers: { A: @ } }", wrong: ["' a'", "\"a\\nb\""]),
            Key(line: "tracing: { endpoint: 'https://a', ca_file: @ }", wrong: ["/none"]),
            Key(line: "tracing: { sample: @ }", wrong: ["10%"]),
            Key(line: "reload: @", wrong: ["on"], right: section),
            Key(line: "reload: { on_change: @ }", wrong: words),
            Key(line: "type_base: @", wrong: ["a", "/a/", "ftp://a", "/a?b", "/a b"]),
            Key(line: "limits: @", wrong: ["1", "[]"], right: section),
            Key(line: "limits: { request_body: @ }", wrong: sizes),
            Key(line: "limits: { request_head: @ }", wrong: sizes + ["1"]),
            Key(line: "limits: { response_head: @ }", wrong: sizes + ["1"]),
            Key(line: "limits: { uri: @ }", wrong: sizes + ["1"]),
            Key(line: "limits: { error_body: @ }", wrong: sizes + ["1"]),
            Key(line: "limits: { header_count: @ }", wrong: numbers + ["0"]),
            Key(line: "limits: { connections: @ }", wrong: numbers + ["0"]),
            Key(line: "limits: { queue: @ }", wrong: numbers),
            Key(line: "limits: { keys: @ }", wrong: numbers + ["0"]),
            Key(line: "limits: { client_idle: @ }", wrong: times + ["0s"]),
            Key(line: "limits: { client_stall: @ }", wrong: times + ["0s"]),
            Key(line: "limits: { drain: @ }", wrong: times),
            Key(line: "providers: @", wrong: ["a"]),
        ]
        + providerKeys.map {
            Key(
                line: "providers: { p: { profile: generic, upstream: 'http://127.0.0.1:9', \($0.line) } }",
                wrong: $0.wrong, right: $0.right)
        } + [
            Key(line: "providers: { p: @ }", wrong: ["a"]),
            Key(line: "providers: { p: { profile: @, upstream: 'http://127.0.0.1:9' } }", wrong: words),
            Key(
                line: "providers: { p: { profile: generic, upstream: @ } }",
                wrong: ["a", "ftp://a", "http://", "http://a?b", "http://a#b"]),
        ]

    private static let providerKeys: [Key] = [
        Key(line: "mount: @", wrong: ["a", "/-/x", "/a?b"]), Key(line: "listen: @", wrong: ["a", "1"]),
        Key(line: "credential: @", wrong: ["'a b'", "\"a\\nb\"", "[a, a]", "[a, 'b c']"]),
        Key(line: "errors: @", wrong: words),
        Key(line: "status: @", wrong: words), Key(line: "upstream_body: @", wrong: words),
        Key(line: "limits: @", wrong: ["1"], right: ["[]"]),
        Key(line: "limits: [{ requests: @, per: 1s }]", wrong: numbers),
        Key(line: "limits: [{ requests: 1, per: @ }]", wrong: times), Key(line: "guarantee: @", wrong: words),
        Key(
            line: "limits: [{ requests: 1, per: 1s, by: @ }]",
            wrong: ["query a&b", "query 'a b'", "query a=b"]),
        Key(line: "pacing: @", wrong: words),
        Key(line: "limits: [{ requests: 1, per: 1s, by: group }], group: @", wrong: ["A b", "-a"]),
        Key(line: "max_wait: @", wrong: times + ["off"]),
        Key(line: "timeouts: @", wrong: ["1s"], right: section),
        Key(line: "timeouts: { connect: @ }", wrong: times + ["0s", "off"]),
        Key(line: "timeouts: { response: @ }", wrong: times + ["0s"]),
        Key(line: "timeouts: { idle: @ }", wrong: times),
        Key(line: "timeouts: { error_body: @ }", wrong: times),
        Key(line: "timeouts: { total: @ }", wrong: times), Key(line: "quarantine: @", wrong: words),
        Key(line: "circuit_breaker: @", wrong: words, right: section),
        Key(line: "circuit_breaker: { failure_ratio: @ }", wrong: numbers + ["0%", "101%", "1.5%", "50"]),
        Key(line: "circuit_breaker: { window: @ }", wrong: times),
        Key(line: "circuit_breaker: { minimum: @ }", wrong: numbers),
        Key(line: "circuit_breaker: { open_for: @ }", wrong: times),
        Key(line: "retries: @", wrong: ["1"], right: section),
        Key(line: "retries: { max: @ }", wrong: numbers + ["6"]),
        Key(line: "retries: { max: 1, on: @ }", wrong: words + ["[nonsense]"]),
        Key(line: "retries: { max: 1, base: @ }", wrong: times),
        Key(line: "retries: { max: 1, cap: @ }", wrong: times),
        Key(line: "retries: { max: 1, budget: @ }", wrong: numbers + ["0%", "50"]),
        Key(line: "tls: @", wrong: ["on"], right: section),
        Key(line: "tls: { ca_file: @ }", wrong: ["/none"]),
        Key(line: "tls: { min_version: @ }", wrong: words),
        Key(line: "http: @", wrong: words + ["3"]), Key(line: "proxy: @", wrong: ["ftp://a", "http://[::1"]),
        Key(line: "forward_trace: @", wrong: words), Key(line: "rewrite_locations: @", wrong: words),
        Key(line: "allow_private: @", wrong: words),
    ]

    @Test("each key of a profile refuses what it cannot have, with the place", arguments: profileKeys)
    func profiles(key: Key) {
        expectMistakes(key, before: "name: x") { text in
            _ = try ProfileReader.read(text: text, file: "f", generic: nil)
        }
    }

    @Test(
        "each key of a configuration refuses what it cannot have, with the place",
        arguments: configurationKeys)
    func configuration(key: Key) {
        expectMistakes(key, before: "") { text in _ = try read(text, files: ["/pem": "pem"]) }
    }

    @Test(
        "no field of the connection, of the message or of Weir is set by a profile",
        arguments: [
            "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection",
            "TE", "Trailer", "Upgrade",
            "Expect", "HTTP2-Settings", "Proxy-Authorization", "Via", "Max-Forwards", "X-Forwarded-For",
            "X-Error-Format", "X-Weir-Token",
        ])
    func reservedFields(name: String) {
        for spelling in [name, name.lowercased(), name.uppercased(), name.replacing("-", with: "_")] {
            for line in [
                "request_defaults: { \(spelling): a }", "credential: { sent_as: header \(spelling) }",
            ] {
                do {
                    _ = try ProfileReader.read(text: "name: x\n\(line)", file: "f", generic: nil)
                    Issue.record("\(line) is accepted")
                } catch {
                    let mistake = error.all[0]
                    #expect(
                        mistake.line == 2 && mistake.column > 1 && mistake.reason.contains("allowed"),
                        "\(mistake)")
                }
            }
        }
    }

    @Test("a default is no credential", arguments: ["Authorization", "Cookie", "X-API-Key", "x_api_key"])
    func credentialDefaults(name: String) {
        let text = "name: x\ncredential: { found_in: header X-API-Key }\nrequest_defaults: { \(name): a }"
        #expect(throws: ConfigurationMistakes.self) {
            try ProfileReader.read(text: text, file: "f", generic: nil)
        }
    }

    @Test(
        "the name of a parameter has no separator, escape or control character",
        arguments: [
            "a&b", "a=b", "a#b", "a;b", "a+b", "a%26b", "a?b", "a b", "\"a\\rb\"", "\"a\\nb\"", "a/b", "é",
        ])
    func parameters(name: String) {
        let quoted = name.hasPrefix("\"") ? "\"query \(name.dropFirst())" : "'query \(name)'"
        for line in [
            "credential: { sent_as: \(quoted) }", "credential: { found_in: \(quoted) }",
            "limits: [{ requests: 1, per: 1s, by: \(quoted) }]",
        ] {
            do {
                _ = try ProfileReader.read(text: "name: x\n\(line)", file: "f", generic: nil)
                Issue.record("\(line) is accepted")
            } catch {
                #expect(error.all.count == 1 && error.all[0].line == 2 && error.all[0].column > 1, "\(error)")
            }
        }
        #expect(LimitScope("query \(name)") == nil)
    }

    @Test(
        "the name of a parameter may be one that frameworks use",
        arguments: ["api_key", "filter[key]", "$key", "a.b-c~d", "x:y", "@id"])
    func goodParameters(name: String) throws {
        let text = "name: x\ncredential: { sent_as: 'query \(name)' }"
        #expect(
            try ProfileReader.read(text: text, file: "f", generic: nil).credentialInjections.first?.place
                == .query(name))
    }

    private func expectMistakes(_ key: Key, before: String, _ read: (String) throws -> Void) {
        for value in Self.general.filter({ !key.right.contains($0) }) + key.wrong {
            let text =
                (key.line.hasPrefix("name:") ? "" : before + "\n") + key.line.replacing("@", with: value)
            do {
                try read(text)
                Issue.record("\(value) is accepted in \(key.line)")
            } catch let mistakes as ConfigurationMistakes {
                for mistake in mistakes.all {
                    #expect(
                        mistake.line > 0 && mistake.column > 0 && mistake.reason.count > 5,
                        "\(text): \(mistake)")
                }
                #expect(Set(mistakes.all).count == mistakes.all.count, "\(text): \(mistakes) is said twice")
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}
