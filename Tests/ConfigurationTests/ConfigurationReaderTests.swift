import Configuration
import Core
import Testing

struct ConfigurationReaderTests {
    @Test("no file means lemlist and Lettr on 127.0.0.1:8080")
    func builtIn() throws {
        let built = try ProxyConfiguration.builtIn(profiles: knownProfiles)
        #expect(built.listen.description == "127.0.0.1:8080")
        #expect(built.providers.map(\.name) == ["lemlist", "lettr"])
        #expect(built.providers.map(\.mount?.path) == ["/lemlist", "/lettr"])
        #expect(built.providers.map(\.profile) == ["lemlist", "lettr"])
        #expect(
            built.providers.map(\.upstream.description)
                == ["https://api.lemlist.com/api", "https://app.lettr.com/api"])
        #expect(built.providers[0].limits == knownProfiles("lemlist")?.limits)
        #expect(built.providers[1].limits == knownProfiles("lettr")?.limits)
        #expect(built.workers == nil)
        #expect(built.adminListen == nil)
    }

    @Test(
        "an empty file means the defaults",
        arguments: ["", "\n", "# nothing\n", "---\n", "{}", "admin:\nlog:\nlimits:\n", "\u{FEFF}# mark\n"])
    func emptyFile(text: String) throws {
        #expect(try read(text) == ProxyConfiguration.builtIn(profiles: knownProfiles))
    }

    @Test("a provider without keys has the profile and the mount of its name")
    func bareProvider() throws {
        let provider = try #require(try read("providers:\n  lettr:\n").providers.first)
        #expect(provider.profile == "lettr")
        #expect(provider.mount?.path == "/lettr")
        #expect(provider.group == "lettr")
        #expect(provider.limits == [RateLimit(requests: 3, per: .seconds(1), by: .group)])
    }

    @Test("a provider with an unknown name uses the generic profile and requires an upstream")
    func genericProvider() throws {
        let provider = try #require(
            try read("providers: { api: { upstream: 'http://10.0.0.1' } }").providers.first)
        #expect(provider.profile == "generic")
        #expect(provider.limits.isEmpty)
        #expect(provider.mayReachPrivateAddresses)
        #expect(
            mistakes("providers:\n  api:\n    mount: /x\n")
                == "weir.yaml:3:5: providers.api: needs `upstream`: there is no profile 'api' (`weir profile list` has them all), and 'generic' has none"
        )
    }

    @Test("a provider with a port of its own needs no mount, and may have both")
    func ownPort() throws {
        let alone = try #require(try readProvider("listen: '127.0.0.1:8081'"))
        #expect(alone.mount == nil)
        #expect(alone.listen?.description == "127.0.0.1:8081")
        let both = try #require(try readProvider("listen: '127.0.0.1:8081', mount: /x"))
        #expect(both.mount?.path == "/x")
    }

    @Test("every key of a provider is applied")
    func everyProviderKey() throws {
        let files = ["/ca": "PEM", "/cert": "PEM", "/key": "PEM"]
        let provider = try read(
            """
            providers:
              api:
                profile: lemlist
                mount: /v1/api
                listen: "[::1]:8081"
                upstream: https://example.com/v1/
                credential: ${KEY}
                errors: raw
                status: canonical
                upstream_body: on
                limits:
                  - { requests: 5, per: 250ms, by: group }
                  - { requests: 1000, per: 1d, by: group }
                  - { requests: 100, per: day, by: header X-Tenant, routes: [POST /a, GET /b/**] }
                  - { requests: 3000, per: month, by: { header: X-Tenant }, cost: { POST /a: 5 } }
                  - { concurrent: 10, by: credential }
                guarantee: fast
                pacing: observe
                group: team
                max_wait: 0s
                timeouts: { connect: 1s, response: 1.5s, idle: 1m, error_body: 2s, total: 1h }
                retries: { max: 2, on: [timeout, rate_limited], base: 1s, cap: 1m, budget: 5% }
                quarantine: off
                circuit_breaker: { failure_ratio: 30%, window: 1m, minimum: 7, open_for: 2s }
                tls: { ca_file: /ca, client_certificate: /cert, client_key: /key }
                allow_private: on
            """, variables: ["KEY": "secret"], files: files
        ).providers.first
        var expected = ProviderConfiguration(
            name: "api", profile: "lemlist", mount: try MountPath(parsing: "/v1/api"),
            listen: .tcp(.v6(high: 0, low: 1), port: 8081),
            upstream: try UpstreamURL(parsing: "https://example.com/v1"),
            limits: [
                RateLimit(requests: 5, per: .milliseconds(250), by: .group),
                RateLimit(requests: 1000, per: .seconds(86400), by: .group),
                RateLimit(requests: 100, counted: .day, by: .header("X-Tenant")),
                RateLimit(requests: 3000, counted: .month, by: .header("X-Tenant")),
                RateLimit(requests: 10, counted: .concurrent, by: .credential),
            ])
        let patterns = try ["POST /a", "GET /b/**"].map { try #require(RequestPattern($0)) }
        expected.limits[2].routes = patterns
        expected.limits[3].costs = [RateLimit.Cost(request: patterns[0], slots: 5)]
        expected.guarantee = .fast(margin: .milliseconds(100))
        expected.isPacingObserved = true
        expected.credential = Secret("secret")
        expected.errors = .raw
        expected.sendsCanonicalStatus = true
        expected.includesUpstreamBody = true
        expected.group = "team"
        expected.maximumWait = .zero
        expected.timeouts = TimeoutConfiguration(
            connect: .seconds(1), response: .milliseconds(1500), idle: .seconds(60),
            errorBody: .seconds(2), total: .seconds(3600))
        expected.tls = TLSConfiguration(caFile: "/ca", clientCertificate: "/cert", clientKey: "/key")
        expected.retries.maximum = 2
        expected.retries.causes = [.timeout, .rateLimited]
        expected.retries.base = .seconds(1)
        expected.retries.cap = .seconds(60)
        expected.retries.budgetPercent = 5
        expected.quarantinesCredentials = false
        var circuit = CircuitBreaker.Policy()
        circuit.failurePercent = 30
        circuit.window = .seconds(60)
        circuit.minimum = 7
        circuit.openFor = .seconds(2)
        expected.circuitBreaker = circuit
        expected.allowsPrivate = true
        #expect(provider == expected)
    }

    @Test(
        "a circuit breaker is off, or on with defaults",
        arguments: [("off", false), ("on", true), ("{}", true), ("~", false)])
    func circuitBreaker(text: String, isOn: Bool) throws {
        let provider = try readProvider("circuit_breaker: \(text)")
        #expect(provider?.circuitBreaker == (isOn ? CircuitBreaker.Policy() : nil))
        #expect(try readProvider("max_wait: 1s")?.circuitBreaker == nil)
    }

    @Test("a timeout can be switched off")
    func noTimeouts() throws {
        let provider = try readProvider("timeouts: { response: off, idle: off, total: off }")
        #expect(provider?.timeouts == TimeoutConfiguration(response: nil, idle: nil))
    }

    @Test("every top-level key is applied")
    func everyTopKey() throws {
        let configuration = try read(
            """
            listen: 0.0.0.0:80
            admin: { listen: 127.0.0.1:81 }
            workers: 3
            log: { access: off }
            type_base: https://example.com/errors
            limits: { request_body: 1KiB, request_head: 2KiB, uri: 1024, header_count: 7, error_body: 2MiB,
              connections: 9, queue: 0, keys: 11, client_idle: 12s, client_stall: 13s, drain: 0s }
            """)
        var expected = try ProxyConfiguration.builtIn(profiles: knownProfiles)
        expected.listen = .tcp(.v4(0), port: 80)
        expected.adminListen = .tcp(.v4(0x7F00_0001), port: 81)
        expected.workers = 3
        expected.logsAccess = false
        expected.typeBase = "https://example.com/errors"
        expected.limits.requestBody = 1024
        expected.limits.requestHead = 2048
        expected.limits.uri = 1024
        expected.limits.headerCount = 7
        expected.limits.errorBody = 2 << 20
        expected.limits.connections = 9
        expected.limits.queue = 0
        expected.limits.keys = 11
        expected.clientTimeouts = ClientTimeouts(idle: .seconds(12), stall: .seconds(13))
        expected.drain = .zero
        #expect(configuration == expected)
    }

    @Test("an empty list of limits is no limit, whatever the profile says")
    func noLimits() throws {
        #expect(try readProvider("profile: lemlist, limits: []")?.limits == [])
    }

    @Test("a limit counts by provider by default")
    func defaultScope() throws {
        #expect(try readProvider("limits: [{ requests: 1, per: 1s }]")?.limits.first?.by == .provider)
    }

    @Test("a running proxy routes to a provider by its mount; a provider with only a port has no mount")
    func routeTable() throws {
        let configuration = try read("providers: { lettr: { listen: '127.0.0.1:1' }, lemlist: }")
        let path = Array("/lemlist/team".utf8)
        #expect(configuration.routeTable.route(path.span)?.provider == 1)
        let other = Array("/lettr/emails".utf8)
        #expect(configuration.routeTable.route(other.span) == nil)
    }
}
