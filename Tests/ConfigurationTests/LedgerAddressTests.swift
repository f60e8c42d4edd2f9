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
            "rediss://u:secret@host", "redis://host?x=1",
        ])
    func invalid(_ text: String) {
        let error = #expect(throws: InvalidSetting.self) { try LedgerAddress(parsing: text) }
        #expect(error?.reason.contains("secret") == false)
    }

    @Test("rediss:// is reported as not supported")
    func tls() {
        let found = mistakes("replicas: 2\nledger: rediss://u:secret@host")
        #expect(found.contains("speaks no TLS") && !found.contains("secret"))
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
