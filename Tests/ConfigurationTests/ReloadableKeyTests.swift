import Core
import Testing

@Suite("what a running Weir takes of another configuration")
struct ReloadableKeyTests {
    /// What remains of `text` for a Weir that began with `started` and runs with `running`, and the keys that wait.
    private func taken(
        _ text: String, started: String, running: String? = nil
    ) throws -> (configuration: ProxyConfiguration, keys: [String]) {
        var configuration = try read(text)
        let keys = configuration.keepWhatNeedsRestart(
            started: try read(started), running: try read(running ?? started))
        return (configuration, keys)
    }

    @Test("changes of sockets, workers and their limits wait for a restart; all others are applied")
    func fixedKeys() throws {
        let (configuration, keys) = try taken(
            """
            listen: 127.0.0.1:1
            admin: { listen: 127.0.0.1:2 }
            workers: 3
            limits: { connections: 7, client_idle: 7s, client_stall: 7s, queue: 7, uri: 1KiB }
            providers:
              a: { upstream: 'http://127.0.0.1:9', listen: 127.0.0.1:3, max_wait: 7s }
              c: { upstream: 'http://127.0.0.1:9', listen: 127.0.0.1:4 }
            """,
            started: """
                providers:
                  a: { upstream: 'http://127.0.0.1:9', mount: /a }
                  b: { upstream: 'http://127.0.0.1:9', listen: 127.0.0.1:5 }
                """)
        #expect(
            keys == [
                "listen", "admin.listen", "workers", "providers.a.listen", "providers.c.listen",
                "providers.b.listen", "limits.connections", "limits.client_idle",
            ])
        #expect(configuration.listen.description == "127.0.0.1:8080" && configuration.adminListen == nil)
        #expect(configuration.workers == nil && configuration.providers.allSatisfy { $0.listen == nil })
        #expect(configuration.limits.connections == 4096 && configuration.clientTimeouts.idle == .seconds(75))
        #expect(configuration.limits.queue == 7 && configuration.clientTimeouts.stall == .seconds(7))
        #expect(configuration.providers[0].maximumWait == .seconds(7))
    }

    @Test("a provider that is added again gets its own port again")
    func ownPort() throws {
        let own = "providers: { a: { upstream: 'http://127.0.0.1:9', listen: 127.0.0.1:3 } }"
        let (configuration, keys) = try taken(
            own, started: own, running: "providers: { b: { upstream: 'http://127.0.0.1:9' } }")
        #expect(keys.isEmpty && configuration.providers[0].listen?.description == "127.0.0.1:3")
    }

    private static func limited(_ requests: Int, by scope: String, group: String = "g") -> String {
        let name = scope == "group" ? ", group: \(group)" : ""
        return
            "{ upstream: 'http://127.0.0.1:9', limits: [{ requests: \(requests), per: 2s, by: \(scope) }]\(name) }"
    }

    @Test("changed numbers of a limit are applied", arguments: ["credential", "provider", "group"])
    func numbers(scope: String) throws {
        let (configuration, keys) = try taken(
            "providers: { a: \(Self.limited(5, by: scope)) }",
            started: "providers: { a: \(Self.limited(20, by: scope)) }")
        #expect(keys.isEmpty && configuration.providers[0].limits[0].requests == 5)
    }

    @Test("an added or removed limit is applied", arguments: ["credential", "group"])
    func newLimit(scope: String) throws {
        let none = "providers: { a: { upstream: 'http://127.0.0.1:9', limits: [] } }"
        let some = "providers: { a: \(Self.limited(5, by: scope)) }"
        #expect(try taken(some, started: none).configuration.providers[0].limits.count == 1)
        #expect(try taken(none, started: some).configuration.providers[0].limits.isEmpty)
        #expect(try taken(some, started: none).keys.isEmpty && taken(none, started: some).keys.isEmpty)
    }

    @Test("a changed grouping of requests waits for a restart, together with the limits of all providers")
    func scope() throws {
        let (configuration, keys) = try taken(
            """
            providers:
              a: \(Self.limited(5, by: "provider"))
              b: \(Self.limited(6, by: "group", group: "h"))
              c: \(Self.limited(7, by: "credential"))
              d: \(Self.limited(7, by: "group"))
            """,
            started: """
                providers:
                  a: \(Self.limited(20, by: "credential"))
                  b: \(Self.limited(20, by: "group"))
                  c: \(Self.limited(20, by: "credential"))
                """)
        #expect(keys == ["providers.a.limits[].by", "providers.b.group"])
        #expect(configuration.providers.map(\.limits[0].requests) == [20, 20, 20, 20])
        #expect(configuration.providers[0].limits[0].by == .credential)
        #expect(configuration.providers[1].group == "g" && configuration.providers[3].group == "g")
    }

    @Test("connections are kept as long as no connection setting has changed")
    func connections() throws {
        let base = try #require(try readProvider("max_wait: 1s"))
        let same = try #require(
            try readProvider(
                "max_wait: 2s, mount: /other, credential: k, errors: raw, timeouts: { response: 1s },"
                    + " limits: [{ requests: 1, per: 1s }]"))
        #expect(same.connects(like: base))
        for members in ["timeouts: { connect: 1s }", "allow_private: on"] {
            #expect(try #require(try readProvider(members)).connects(like: base) == false)
        }
        var moved = base
        moved.upstream = try UpstreamURL(parsing: "http://127.0.0.1:9/v2")
        #expect(moved.connects(like: base))
        moved.upstream = try UpstreamURL(parsing: "http://127.0.0.1:10")
        #expect(!moved.connects(like: base))
        var renewed = base
        renewed.tls.contents = 1
        #expect(!renewed.connects(like: base))
    }

    @Test("automatic reload can be switched off")
    func watching() throws {
        #expect(try read("").reloadsOnChange)
        #expect(try read("reload: { on_change: off }").reloadsOnChange == false)
        #expect(
            mistakes("reload: { on_change: maybe }").contains("reload.on_change: 'maybe' must be on or off"))
    }
}
