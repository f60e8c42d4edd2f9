import Configuration
import Core
import Testing

/// What looks nearly like a value, and is none, is a mistake with its place: nothing is guessed, or left to a library.
@Suite("values of a configuration that are not what they look like")
struct WrittenFormTests {
    /// Values of a provider's keys.
    static let providerValues: [(key: String, value: String)] =
        [
            "http://[::1", "http://::1]:80", "http://[zz]:80", "http://[::1]x", "http://[::1]:99999",
            "http://[]",
            "http://[127.0.0.1]", "http://[fe80::1%25eth0]", "http://::1", "http://x:+80", "http://x:-1",
            "http://x:0",
            "http://x:", "http://x:y:80", "http://x:٨٠", "http://exa..mple:80", "http://.a", "http://a.",
            "http://h%20:80",
            "http://-h", "http://256.1.1.1:80", "http://127.1", "http://0x7f.0.0.1", "http://u%zz@h:80",
            "http://u%4@h",
            "http://@h", "http://u:p@", "http://u:[@h", "http://h/path", "http://h?x", "http://h#x",
            "socks5://h",
            "socks5h://", "https://[::1", "socks5h://[::1", "[::1", "h:port", "http:/h", "//h",
            "http://h\\\\x",
        ].map { ("proxy", "\"\($0)\"") }
        + [
            "http://[::1", "http://h:+80", "http://h:0", "http://exa..mple", "http://h/a%zz", "http://h/../x",
            "http://[::1]]",
            "http://u@h", "https://h:65536",
        ].map { ("upstream", "\"\($0)\"") }
        + [
            "1e99s", "-1s", "+1s", "-0s", "0x10s", "1e3s", "infs", "nans", "s", "1", "1 s", "1,5s", "1.5.5s",
            "٣s",
            "99999999999999999999d", "1S", "1sec",
        ].map { ("max_wait", $0) }
        + [
            ("limits", "[{ requests: 99999999999999999999, per: 1s }]"),
            ("limits", "[{ requests: 1e3, per: 1s }]"),
            ("limits", "[{ requests: 1, per: 1s, by: header X Y }]"),
            ("limits", "[{ requests: 1, per: 1s, by: header Ä }]"),
            ("limits", "[{ requests: 1, per: 1s, by: 'header X:' }]"),
            ("limits", "[{ requests: 1, per: 1s, by: 'header ' }]"),
            ("limits", "[{ requests: 1, per: 1s, routes: GET x }]"), ("credential", "\"a b\""),
            ("credential", "\"a\\nb\""),
            ("mount", "\"/a b\""), ("mount", "/a/../b"), ("mount", "/a%zz"), ("mount", "\"/a\\nb\""),
            ("listen", "\"127.0.0.1:+80\""), ("listen", "\"[::1:80\""), ("listen", "\"unix:/tmp/a\\nb\""),
            ("listen", "unix:/tmp/.."), ("listen", "{ address: 'unix:/a', mode: 660 }"),
        ]

    @Test("of a provider", arguments: providerValues.indices)
    func provider(index: Int) {
        let (key, value) = Self.providerValues[index]
        let upstream = key == "upstream" ? "" : "    upstream: http://127.0.0.1:9\n"
        let found = mistakes("providers:\n  p:\n    profile: generic\n\(upstream)    \(key): \(value)\n")
        let line = key == "upstream" ? 4 : 5
        #expect(
            found.hasPrefix("weir.yaml:\(line):") && found.contains("providers.p.\(key)"),
            "\(value): \(found)")
    }

    /// Values of the top level.
    static let topValues: [(key: String, value: String)] =
        [
            "redis://[nonsense]:6379", "redis://h:+5", "redis://h/+5", "redis://h/ 5", "redis://a:b:6379",
            "redis://::1:6379",
            "redis://[::1", "redis://exa..mple", "redis://h:6379/1/2", "redis://127.1", "redis+unix:///a%00b",
            "redis+unix://a", "redis://h:65536",
        ].map { ("ledger", "\"\($0)\"") }
        + [
            "https://[::1", "https://h:99999/x", "https://h:+1/x", "//evil", "//evil/x", "/a%zz", "https://",
            "https:///x",
            "https://a..b/x", "ftp://h/x", "errors", "/x/",
        ].map { ("type_base", "\"\($0)\"") }
        + ["a..b", "-a", "a-", "a:80", "*.*.a", ".a", "a.", "*.", "", "a b", "ä"].map {
            ("hosts", "[\"\($0)\"]")
        }
        + [
            "unix:/", "unix:/tmp/..", "unix:/tmp/.", "unix:/tmp/", "unix:a", "unix:/tmp/a\\nb",
            "unix:/tmp/\\e[31m", "127.1:80",
        ]
        .map { ("listen", "\"\($0)\"") }
        + [
            "660", "\"660\"", "432", "01777", "00660", "0888", "rw", "0o66", "0b110", "-0660", "[0660]", "",
            "u=rw",
        ].map {
            ("listen", "{ address: 'unix:/tmp/x', mode: \($0) }")
        }
        + [
            ("listen", "{ address: '127.0.0.1:1', mode: 0660 }"), ("listen", "{ mode: 0660 }"),
            ("admin", "{ listen: { address: 'unix:/tmp/x', mode: 660 } }"),
            ("admin", "{ listen: { mode: 0660 } }"),
            ("admin", "{ listen: { address: 'unix:/tmp/x', tls: {} } }"),
            ("admin", "{ listen: { address: '127.0.0.1:1', mode: 0600 } }"),
        ]
        + [
            "99999999999GiB", "9223372036854775807KiB", "+5KiB", "-5KiB", "1.5MiB", "5kb", "0x10", "KiB",
            "5 KiB",
        ].map {
            ("limits", "{ request_body: \($0) }")
        }
        + [
            ("limits", "{ drain: 1e99s }"), ("limits", "{ drain: -1s }"),
            ("limits", "{ queue: 99999999999999999999 }"),
            ("workers", "99999999999999999999"), ("workers", "1e1"), ("workers", "-1"), ("replicas", "1e3"),
        ]

    @Test("of the top level", arguments: topValues.indices)
    func top(index: Int) {
        let (key, value) = Self.topValues[index]
        let text =
            "replicas: \(key == "replicas" ? value : "2")\n" + (key == "replicas" ? "" : "\(key): \(value)\n")
        let found = mistakes(text)
        #expect(
            found.hasPrefix("weir.yaml:\(key == "replicas" ? 1 : 2):") && found.contains(key),
            "\(value): \(found)")
        #expect(
            !found.contains { $0.isNewline && false }
                && !found.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }

    @Test("what they look like, spelled well, is taken")
    func sound() throws {
        for proxy in [
            "http://[::1]", "http://[2001:db8::1]:3128", "http://u:p%40ss@proxy.example:3128", "proxy",
            "PROXY.example:1",
            "socks5h://u@10.0.0.1:1080", "https://xn--mnchen-3ya.example", "http://a_b:1/",
        ] {
            #expect(try readProvider("proxy: \"\(proxy)\"")?.egressProxy != nil)
        }
        for base in ["/-/errors", "https://errors.example/weir", "http://[::1]:80/x", "/a%20b", "https://h"] {
            #expect(try read("type_base: \"\(base)\"").typeBase == base)
        }
        for (mode, bits) in [
            ("0660", 0o660), ("\"0660\"", 0o660), ("0o660", 0o660), ("0000", 0), ("0777", 0o777),
        ] {
            let address = try read("listen: { address: 'unix:/tmp/x', mode: \(mode) }").listen
            #expect(address == .unix(path: "/tmp/x", mode: try FileMode(parsing: mode.filter { $0 != "\"" })))
            guard case .unix(_, let mode) = address else { continue }
            #expect(mode.bits == bits)
        }
        #expect(
            try read("admin: { listen: { address: 'unix:/tmp/x', mode: 0640 } }").adminListen?.description
                == "unix:/tmp/x")
        #expect(try read("listen: 'unix:/tmp/x'").listen == .unix(path: "/tmp/x", mode: .ownerOnly))
        #expect(FileMode.ownerOnly.description == "0600")
        #expect(try read("limits: { drain: .5s, request_body: 0 }").drain == .milliseconds(500))
    }

    @Test(
        "variables with such values name the variable",
        arguments: [
            ("WEIR_WORKERS", "abc"), ("WEIR_WORKERS", "0"), ("WEIR_WORKERS", "1e2"), ("WEIR_WORKERS", " 2"),
            ("WEIR_LISTEN", "80"), ("WEIR_LISTEN", "unix:x"), ("WEIR_LISTEN", "[::1"),
            ("WEIR_ADMIN_LISTEN", "127.0.0.1"),
            ("WEIR_LOG_LEVEL", "loud"), ("WEIR_ACCESS_LOG", "maybe"),
        ])
    func variables(name: String, value: String) {
        #expect(mistakes("", variables: [name: value]).hasPrefix("\(name): '\(value)' "))
        #expect(mistakes("", variables: [name: ""]).isEmpty)
    }

    @Test("aliases are counted wherever they are written")
    func aliases() {
        let bomb =
            "a: &a { k: x }\n"
            + (0..<9).map { level in
                let (name, former) = (
                    Character(UnicodeScalar(UInt8(98 + level))), Character(UnicodeScalar(UInt8(97 + level)))
                )
                return "\(name): &\(name) {" + (0..<9).map { "\"k\($0)\":*\(former)" }.joined(separator: ",")
                    + "}"
            }.joined(separator: "\n")
        #expect(mistakes(bomb).contains("81 aliases (`*name`); allowed: at most 32"))
    }
}
