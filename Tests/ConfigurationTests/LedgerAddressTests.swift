import Core
import Testing

@Suite("where a ledger is")
struct LedgerAddressTests {
    @Test(
        "Redis URLs in common use are accepted",
        arguments: [
            ("redis://cache", "redis://cache:6379/0"), ("redis://cache:7000/3", "redis://cache:7000/3"),
            ("redis://u:p%40ss@10.0.0.1", "redis://10.0.0.1:6379/0"),
            ("redis://[::1]", "redis://[::1]:6379/0"), ("redis://[::1]:7000/", "redis://[::1]:7000/0"),
            ("redis+unix:///run/redis.sock", "redis+unix:///run/redis.sock?db=0"),
            ("redis+unix://:p@/run/redis.sock?db=2", "redis+unix:///run/redis.sock?db=2"),
        ])
    func valid(_ text: String, _ description: String) throws {
        #expect(try LedgerAddress(parsing: text).description == description)
    }

    @Test("user and password are percent-decoded and never shown")
    func credentials() throws {
        let address = try LedgerAddress(parsing: "redis://us%3Aer:p%40s%3As@host")
        #expect(address.user == "us:er" && address.password?.value == "p@s:s")
        #expect(try LedgerAddress(parsing: "redis://:only@host").user == nil)
        #expect(!"\(address)".contains("p@s") && !String(reflecting: address).contains("p@s"))
    }

    @Test(
        "any other ledger address is an error that shows no part of it",
        arguments: [
            "", "redis", "http://host", "redis://", "redis://host:0", "redis://host:port", "redis://host/x",
            "redis://host/-1", "redis://host/65536", "redis://secret@host", "redis://u:@host",
            "redis://:%4@host",
            "redis://[::1", "redis://a b", "redis+unix://run", "redis+unix:///s?x=1", "redis+unix:///s?db=x",
            "rediss://secret@host", "redis://host?x=1",
        ])
    func invalid(_ text: String) {
        let error = #expect(throws: InvalidSetting.self) { try LedgerAddress(parsing: text) }
        #expect(error?.reason.contains("secret") == false)
    }

    @Test("rediss:// means TLS, with the same parts as redis://")
    func tls() throws {
        let address = try LedgerAddress(parsing: "rediss://u:p@host:7000/3")
        #expect(address.tls == TLSConfiguration())
        #expect(address.place == .tcp(host: "host", port: 7000))
        #expect((address.user, address.password?.value, address.database) == ("u", "p", 3))
        #expect("\(address)" == "rediss://host:7000/3")
        #expect(try LedgerAddress(parsing: "redis://host").tls == nil)
    }

    @Test("a ledger can be a mapping with its user, password and TLS")
    func mapping() throws {
        let ledger = try #require(
            try read(
                "{ replicas: 2, ledger: { url: 'rediss://host', user: u, password: 'p@:/', tls: { min_version: '1.3' } } }"
            )
            .ledger)
        #expect((ledger.user, ledger.password?.value) == ("u", "p@:/"))
        #expect(ledger.tls?.minimumVersion == .tls13)
        #expect(
            try read("{ replicas: 2, ledger: { url: 'redis://host' } }").ledger
                == LedgerAddress(parsing: "redis://host"))
    }

    @Test(
        "a mapping that lacks its address or contradicts itself is an error that shows no password",
        arguments: [
            ("{ password: secret }", "needs `url`"),
            ("{ url: memory, password: secret }", "no user, password or TLS"),
            ("{ url: 'redis://:secret@host', password: secret }", "is also in `url`"),
            ("{ url: 'redis://host', user: u }", "requires `password`"),
            ("{ url: 'redis://host', tls: {} }", "has no effect"),
            ("{ url: 'redis://host', tsl: {} }", "tsl"),
            ("{ url: 'rediss://host', tls: { client_key: /dev/null } }", "requires `client_certificate`"),
            ("{ url: 'rediss://host', tls: { ca_file: /none/secret.pem } }", "ca_file"),
        ])
    func contradictions(ledger: String, words: String) {
        let found = mistakes("replicas: 2\nledger: \(ledger)")
        #expect(found.contains(words), "\(found)")
        #expect(!found.contains("password: secret") && !found.contains(":secret@"))
    }

    @Test("a ledger requires replicas, and changes of it wait for a restart like those of replicas")
    func replicas() throws {
        #expect(mistakes("ledger: redis://host").contains("requires `replicas`"))
        #expect(mistakes("ledger: memory").isEmpty)
        var configuration = try read("{ replicas: 3, ledger: 'redis://other' }")
        let started = try read("{ replicas: 2, ledger: 'redis://host' }")
        #expect(
            configuration.keepWhatNeedsRestart(started: started, running: started) == ["ledger", "replicas"])
        #expect(configuration == started)
    }

    @Test("limits too small for a share are allowed if instances share a ledger")
    func small() { #expect(mistakes("replicas: 8\nledger: redis://host").isEmpty) }
}
