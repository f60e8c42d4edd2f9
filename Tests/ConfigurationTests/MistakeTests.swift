import Configuration
import Core
import Testing

struct MistakeTests {
    @Test("all mistakes of a file are reported at once, in its order, each with its position")
    func everything() {
        let text = """
            listen: 8080
            workers: 0
            retry: 3
            log: on
            type_base: errors/
            providers:
              lemlist:
                mount: lemlist
                upstream: ftp://example.com
                errors: nice
                max_wait: 2
                limits:
                  - { requests: 0, per: 2s }
                  - { requests: 1, per: 2s, by: credential }
                  - { requests: 9, per: 9s, by: group }
                  - { per: 3s, burst: 1 }
                timeouts: { connect: 10m, read: 1s }
                retries: { max: 6 }
                tls: { ca_file: /nowhere.pem, client_key: /nowhere.key }
                ledger: redis
              Lettr:
                profile: lettr
              lettr:
                profile: unknown
                mount: /metrics
                listen: 127.0.0.1:8080
              other: []
            limits:
              request_head: 1MiB
              queue: many
            """
        let expected = """
            weir.yaml:1:9: listen: '8080' must be an address and a port (127.0.0.1:8080, [::1]:8080, \
            0.0.0.0:8080) or \
            unix:/PATH
            weir.yaml:2:10: workers: '0' must be auto or a whole number from 1 to 256
            weir.yaml:3:1: retry: unknown key; allowed: listen, hosts, admin, access, workers, replicas, ledger, log, tracing, reload, \
            type_base, providers, \
            limits
            weir.yaml:4:6: log: must be a mapping (`key: value` lines), not a single value
            weir.yaml:5:12: type_base: 'errors/' must be a path (/-/errors) or an http(s) URL, without user, \
            password, query, fragment or '/' at the end, at most 256 bytes long
            weir.yaml:8:12: providers.lemlist.mount: 'lemlist' must begin with '/'
            weir.yaml:9:15: providers.lemlist.upstream: 'ftp://example.com' must begin with http:// or \
            https://
            weir.yaml:10:13: providers.lemlist.errors: 'nice' is not one of: problem, merged, raw
            weir.yaml:11:15: providers.lemlist.max_wait: '2' must be a time from 0ms to 1h, with its unit: \
            250ms, 1.5s, \
            10m, 1h, 1d
            weir.yaml:13:21: providers.lemlist.limits[0].requests: '0' must be a whole number from 1 to \
            10000000
            weir.yaml:16:9: providers.lemlist.limits[3]: needs `requests`
            weir.yaml:16:20: providers.lemlist.limits[3].burst: unknown key; allowed: name, \
            requests, per, align, concurrent, by, routes, operations, cost, learn, note
            weir.yaml:17:26: providers.lemlist.timeouts.connect: '10m' must be a time from 1ms to 5m, with \
            its unit: \
            250ms, 1.5s, 10m, 1h, 1d
            weir.yaml:17:31: providers.lemlist.timeouts.read: unknown key; allowed: connect, response, \
            idle, error_body, total
            weir.yaml:18:21: providers.lemlist.retries.max: '6' must be a whole number from 0 to 5
            weir.yaml:19:21: providers.lemlist.tls.ca_file: '/nowhere.pem' must be a readable file
            weir.yaml:19:47: providers.lemlist.tls.client_key: '/nowhere.key' must be a readable file
            weir.yaml:19:47: providers.lemlist.tls.client_key: requires `client_certificate`, to \
            which the key belongs
            weir.yaml:20:5: providers.lemlist.ledger: unknown key; allowed: profile, mount, listen, \
            upstream, variables, hosts, credential, \
            errors, status, upstream_body, tier, limits, learn, guarantee, pacing, group, max_wait, timeouts, quarantine, retries, circuit_breaker, \
            tls, http, proxy, rewrite_locations, forward_trace, allow_private
            weir.yaml:22:5: providers.Lettr: a provider's name must be a lower-case letter, then letters, \
            digits, '-' or \
            '_', at most 32 in all
            weir.yaml:24:14: providers.lettr.profile: 'unknown' is neither a built-in profile nor a profile \
            file that can \
            be read
            weir.yaml:25:12: providers.lettr.mount: '/metrics' must not begin with /-, /metrics, /livez or \
            /readyz: these \
            paths are reserved for Weir
            weir.yaml:27:10: providers.other: must be a mapping (`key: value` lines), not a list
            weir.yaml:29:17: limits.request_head: '1MiB' must be a size from 1KiB to 14KiB, such as 4096, \
            64KiB or 16MiB
            weir.yaml:30:10: limits.queue: 'many' must be a whole number from 0 to 1000000
            """
        let found = mistakes(text).split(separator: "\n")
        for (found, expected) in zip(found, expected.split(separator: "\n")) { #expect(found == expected) }
        #expect(found.count == expected.split(separator: "\n").count)
    }

    @Test("two providers cannot share a mount or a port")
    func duplicates() {
        let text = """
            listen: 0.0.0.0:80
            admin:
              listen: 127.0.0.1:80
            providers:
              lemlist: { mount: /x, listen: "127.0.0.1:81" }
              lettr:
                mount: /x
                listen: 0.0.0.0:81
            """
        #expect(
            mistakes(text) == """
                weir.yaml:3:11: admin.listen: `listen` (0.0.0.0:80) and `admin.listen` (127.0.0.1:80) cannot \
                both be open; without `admin.listen` the admin paths are on `listen`
                weir.yaml:7:12: providers.lettr.mount: '/x' is already the mount of the provider 'lemlist'
                weir.yaml:8:13: providers.lettr.listen: 0.0.0.0:81 is already used by the provider 'lemlist' \
                (127.0.0.1:81)
                """)
        #expect(
            mistakes("providers: { a: { mount: /lettr, upstream: 'http://a' }, lettr: }").contains(
                "'/lettr' is already the"))
    }

    @Test("a file has at least one provider, and a bounded number of them")
    func numberOfProviders() {
        #expect(mistakes("providers:\n").contains("providers: must have at least one provider, or leave"))
        #expect(mistakes("providers: {}") == "weir.yaml:1:12: providers: must have at least one provider")
        #expect(
            mistakes("providers: []")
                == "weir.yaml:1:12: providers: must be a mapping (`key: value` lines), not a list")
        func many(_ count: Int) -> String {
            "providers:\n" + (0..<count).map { "  p\($0): { upstream: 'http://a' }\n" }.joined()
        }
        #expect(mistakes(many(256)) == "")
        #expect(mistakes(many(257)) == "weir.yaml:2:3: providers: has 257 providers; allowed: at most 256")
    }

    @Test("`hosts` accepts only names, and a bounded number of them")
    func hosts() throws {
        #expect(
            mistakes("hosts: [a, 'b:80', '*.c', d.]") == """
                weir.yaml:1:12: hosts[1]: 'b:80' must be a name without a port (api.internal), *.NAME for those \
                below it, or *
                weir.yaml:1:27: hosts[3]: 'd.' must be a name without a port (api.internal), *.NAME for those \
                below it, or *
                """)
        #expect(mistakes("hosts: a").contains("hosts: must be a list, not a single value"))
        let many = (0...64).map { "h\($0)" }.joined(separator: ", ")
        #expect(mistakes("hosts: [\(many)]").contains("hosts: has 65 names; allowed: at most 64"))
        #expect(try read("hosts: ['*', A.b]").hosts.map(\.description) == ["*", "a.b"])
    }

    @Test("a profile must exist, and must have a usable upstream if the file has none")
    func profiles() throws {
        func found(_ profiles: @escaping (String) -> ProfileDefaults?) -> String {
            do {
                _ = try ConfigurationReader.read(
                    text: "", file: "weir.yaml", surroundings: .none, profiles: profiles)
                return ""
            } catch {
                return error.description
            }
        }
        #expect(
            found { _ in nil } == """
                weir.yaml: providers.lemlist: needs `profile`: there is no profile 'lemlist'
                weir.yaml: providers.lettr: needs `profile`: there is no profile 'lettr'
                """)
        #expect(
            found { _ in ProfileDefaults(upstream: "x", limits: []) }.contains(
                "the upstream of the profile 'lettr'"))
    }

    @Test("two providers of one group must have the same limits")
    func groups() throws {
        func text(_ requests: Int) -> String {
            """
            providers:
              one: { profile: lettr, group: team }
              two: { profile: lettr, group: team, limits: [{ requests: \(requests), per: 1s, by: group }] }
            """
        }
        #expect(try read(text(3)).providers.map(\.group) == ["team", "team"])
        #expect(
            mistakes(text(4))
                == "weir.yaml:3:47: providers.two.limits: shares the group 'team' with the provider 'one', "
                + "so both must have the same limits")
        #expect(providerMistakes("group: g").first?.contains("has no effect") == true)
    }

    @Test(
        "each invalid value of a provider is one mistake at its key",
        arguments: [
            ("mount: /a/", "mount"), ("mount: /-/x", "mount"), ("listen: nowhere", "listen"),
            ("errors: 1", "errors"), ("status: 200", "status"),
            ("upstream_body: maybe", "upstream_body"), ("limits: 3", "limits"), ("limits: {}", "limits"),
            ("limits: [1]", "limits[0]"), ("limits: [~]", "limits[0]"),
            ("limits: [{ requests: 1, per: 0s }]", "limits[0].per"),
            ("limits: [{ requests: 1, per: 32d }]", "limits[0].per"),
            ("limits: [{ requests: 1.5, per: 1s }]", "limits[0].requests"),
            ("limits: [{ requests: 10000001, per: 1s }]", "limits[0].requests"),
            ("limits: [{ requests: 99999999999999999999, per: 1s }]", "limits[0].requests"),
            ("limits: [{ requests: 1, per: 1s, by: key }]", "limits[0].by"),
            ("limits: [{ requests: 1, per: 1s }, { requests: 2, per: 1000ms }]", "limits[1]"),
            ("limits: [{ requests: 1, per: week }]", "limits[0].per"),
            ("limits: [{ concurrent: 0 }]", "limits[0].concurrent"),
            ("limits: [{ concurrent: 2, per: 1s }]", "limits[0].per"),
            ("limits: [{ requests: 1, per: 1s, by: header }]", "limits[0].by"),
            ("limits: [{ requests: 1, per: 1s, by: { header: 'X Y' } }]", "limits[0].by"),
            ("limits: [{ requests: 1, per: 1s, routes: emails }]", "limits[0].routes"),
            ("limits: [{ requests: 3, per: 1s, cost: { POST /x: 4 } }]", "limits[0].cost"),
            ("limits: [{ requests: 3, per: 1s, cost: { POST /x: 0 } }]", "limits[0].cost.POST /x"),
            ("limits: [{ requests: 3, per: 1s, cost: { x: 1 } }]", "limits[0].cost.x"),
            (
                "limits: [{ requests: 1, per: 1s, by: group }, { requests: 1, per: 1s, by: credential }, "
                    + "{ requests: 1, per: 1s, by: query a }, { requests: 1, per: 1s, by: header b }]",
                "limits[3]"
            ),
            ("guarantee: sure", "guarantee"), ("pacing: off", "pacing"),
            ("max_wait: 61m", "max_wait"), ("max_wait: -1s", "max_wait"),
            ("max_wait: 999999999d", "max_wait"),
            ("max_wait: nans", "max_wait"), ("max_wait: s", "max_wait"), ("max_wait: [1s]", "max_wait"),
            ("timeouts: { idle: 0s }", "timeouts.idle"),
            ("timeouts: { error_body: off }", "timeouts.error_body"),
            ("timeouts: { error_body: 0s }", "timeouts.error_body"),
            ("timeouts: { response: on }", "timeouts.response"),
            ("timeouts: { total: never }", "timeouts.total"),
            ("circuit_breaker: maybe", "circuit_breaker"), ("circuit_breaker: [on]", "circuit_breaker"),
            ("circuit_breaker: { minimum: 0 }", "circuit_breaker.minimum"),
            ("circuit_breaker: { failure_ratio: 0.5 }", "circuit_breaker.failure_ratio"),
            ("circuit_breaker: { window: 0s }", "circuit_breaker.window"),
            ("circuit_breaker: { open_for: 2h }", "circuit_breaker.open_for"),
            ("retries: { max: x }", "retries.max"), ("retries: { on: [] }", "retries.on"),
            ("retries: { on: connection }", "retries.on"), ("retries: { on: [404] }", "retries.on[0]"),
            ("retries: { base: 0s }", "retries.base"), ("retries: { cap: 11m }", "retries.cap"),
            ("retries: { budget: 20 }", "retries.budget"), ("retries: { budget: 0% }", "retries.budget"),
            ("retries: 0", "retries"), ("group: 'a b'", "group"),
            ("credential: ''", "credential"), ("credential: []", "credential"), ("profile: ''", "profile"),
            ("allow_private: 2", "allow_private"), ("rewrite_locations: 2", "rewrite_locations"),
            ("tls: { ca_file: /x }", "tls.ca_file"),
        ])
    func providerValues(members: String, key: String) {
        let found = providerMistakes(members)
        #expect(found.contains { $0.hasPrefix("providers.api.\(key): ") }, "\(found)")
        #expect(found.count == 1 || members.hasPrefix("tls"), "\(found)")
    }

    @Test(
        "each invalid top-level limit is a mistake at its key",
        arguments: [
            "request_body: -1", "request_body: 1TiB", "request_body: 99999999999GiB", "request_body: 1.5MiB",
            "request_head: 16KiB", "uri: 13KiB", "uri: 1", "header_count: 0", "error_body: 17MiB",
            "connections: 0",
            "queue: -1", "keys: 0", "client_idle: 10ms", "client_stall: 2h", "drain: 11m", "buffer: 1",
        ])
    func topLimits(member: String) {
        let key = member.prefix { $0 != ":" }
        #expect(mistakes("limits: { \(member) }").hasPrefix("weir.yaml:1:"))
        #expect(mistakes("limits: { \(member) }").contains(" limits.\(key): "))
        #expect(mistakes("limits: { \(member) }").split(separator: "\n").count == 1)
    }

    @Test("a file that expands without bound, or is not a configuration, is a clear mistake")
    func notAConfiguration() {
        let bomb =
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + (0..<9).map { level in
                let (name, before) = (
                    ["b", "c", "d", "e", "f", "g", "h", "i", "j"][level], Array("abcdefghi")[level]
                )
                return "\(name): &\(name) [" + Array(repeating: "*\(before)", count: 9).joined(separator: ",")
                    + "]\n"
            }.joined()
        #expect(mistakes(bomb) == "weir.yaml:1:1: has 81 aliases (`*name`); allowed: at most 32")
        #expect(
            mistakes(String(repeating: "# much\n", count: 1_500_000))
                == "weir.yaml:1:1: has 10500000 bytes; allowed: at most 1MiB")
        #expect(mistakes("[1, 2]") == "weir.yaml:1:1: must be a mapping (`key: value` lines), not a list")
        #expect(
            mistakes("hello") == "weir.yaml:1:1: must be a mapping (`key: value` lines), not a single value")
        #expect(mistakes("a: 1\n---\nb: 2\n").contains("is not YAML: but found another document"))
        #expect(mistakes("listen: [\n").hasPrefix("weir.yaml:2:1: is not YAML: "))
        #expect(
            mistakes("workers: 1\nworkers: 2\n")
                == "weir.yaml:2:1: workers: duplicate key (first defined at line 1)")
        #expect(mistakes("x: *nothing").hasPrefix("weir.yaml:1:4: is not YAML: found undefined alias"))
        #expect(
            mistakes("a: 1\nb: \u{1}sk_secret\n")
                == "weir.yaml:2:4: is not YAML: control characters are not allowed")
        #expect(mistakes(String(repeating: "[", count: 500_000)).contains("is not YAML: "))
        #expect(mistakes(String(repeating: "- ", count: 500_000)).contains("is not YAML: "))
        #expect(mistakes(String(repeating: "{a: ", count: 200_000)).contains("is not YAML: "))
        #expect(mistakes(String(repeating: "? ", count: 500_000)).contains("is not YAML: "))
    }

    @Test("parsing of aliases as keys, which the parser compares deeply, terminates")
    func keyBomb() {
        var text = "- &a [x, x, x]\n"
        var before: Character = "a"
        for level in "bcdefghijk" {
            text += "- &\(level) [*\(before), *\(before), *\(before)]\n"
            before = level
        }
        text += "- { *k : 1, *k : 2 }\n"
        #expect(mistakes(text).hasPrefix("weir.yaml:"))
    }

    @Test("arbitrary bytes are reported as mistakes and never trap", arguments: 0..<64)
    func garbage(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        let alphabet: [UInt8] =
            Array(0...255) + Array(repeating: Array("{}[]:-&*!|>'\"%@`#?,~ \n\t".utf8), count: 8).joined()
        let bytes = (0..<400).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return alphabet[Int(state % UInt64(alphabet.count))]
        }
        let found = mistakes(String(decoding: bytes, as: UTF8.self))
        #expect(found.isEmpty || found.hasPrefix("weir.yaml:"))
    }

    @Test("at most a hundred mistakes are reported")
    func bounded() {
        let text = (0..<5000).map { "key\($0): 1\n" }.joined()
        #expect(mistakes(text).split(separator: "\n").count == 100)
    }

    @Test("a mistake is one line: control characters are not printed, and long values are truncated")
    func printable() {
        #expect(mistakes("workers: \"a\\e[2Jb\\nc\"").contains("'a\u{FFFD}[2Jb\u{FFFD}c' must be auto"))
        let long = mistakes("workers: \(String(repeating: "x", count: 10000))")
        #expect(long.utf8.count < 250)
    }
}
