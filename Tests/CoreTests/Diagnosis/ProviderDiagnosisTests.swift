import Core
import Testing
import Wire

@Suite("the diagnosis of a provider")
struct ProviderDiagnosisTests {
    private static let now: Int64 = 1_800_000_000
    private static let day: Int64 = 86_400

    private var provider: ProviderConfiguration
    private var facts = ProviderFacts(now: Self.now)

    init() throws {
        provider = ProviderConfiguration(
            name: "p", profile: "generic", upstream: try UpstreamURL(parsing: "https://api.example.com/v1"),
            limits: [RateLimit(requests: 20, per: .seconds(2), by: .credential)])
        provider.credential = Secret("sk-live-4f9a8b7c6d5e")
    }

    private func finding(_ check: Finding.Check) -> Finding? {
        ProviderDiagnosis(provider, facts).findings.first { $0.check == check }
    }

    private func chain(days: Int64...) -> [CertificateFacts] {
        days.enumerated().map { index, days in
            CertificateFacts(
                subject: index == 0 ? "api.example.com" : "R\(index)", issuer: "R\(index + 1)",
                begins: Self.now - 100 * Self.day, ends: Self.now + days * Self.day)
        }
    }

    private mutating func answer(_ answer: ProviderFacts.Answer) {
        facts.connection = ProviderFacts.Connection()
        facts.probe = .answered(answer)
    }

    @Test("addresses are listed by family; a name without any is wrong, with the system's words")
    mutating func names() throws {
        facts.lookup = .init(
            host: "api.example.com",
            addresses: ["192.0.2.1", "192.0.2.2", "2001:db8::1"].compactMap { IPAddress(parsing: $0) })
        // Documentation addresses count as private.
        provider.allowsPrivate = true
        #expect(
            finding(.names)
                == Finding(
                    .ok, .names, of: "p",
                    "api.example.com: IPv4 192.0.2.1 and 1 more, IPv6 2001:db8::1"))
        facts.lookup = .init(host: "api.example.com", addresses: [IPAddress.v4(0x0808_0808)])
        #expect(finding(.names)?.fact == "api.example.com: IPv4 8.8.8.8, no IPv6")
        facts.lookup = .init(host: "api.example.com", addresses: [], failure: "Name or service not known")
        let wrong = finding(.names)
        #expect(wrong?.level == .wrong && wrong?.advice != nil)
        #expect(wrong?.fact == "api.example.com has no address: Name or service not known")
    }

    @Test("a name with private addresses alone is wrong, unless that is allowed or a proxy is used")
    mutating func privateAddress() throws {
        facts.lookup = .init(host: "api.example.com", addresses: [IPAddress.v4(0x0A00_0001)])
        #expect(
            finding(.names)?.level == .wrong && finding(.names)?.advice?.contains("allow_private") == true)
        provider.allowsPrivate = true
        #expect(finding(.names)?.level == .ok)
        provider.allowsPrivate = false
        provider.egressProxy = try EgressProxy(parsing: "http://proxy.example:3128")
        #expect(finding(.names)?.level == .ok)
    }

    @Test("each fault of a connection has one wrong finding, with advice")
    mutating func connection() throws {
        let faults: [(ProviderFacts.ConnectionFault, Finding.Check, String)] = [
            (.nameNotResolved, .connection, "does not resolve"),
            (.failed("Connection refused"), .connection, "port 443: Connection refused"),
            (.timedOut, .connection, "within 5.0 s"), (.privateAddress, .connection, "private"),
            (.untrusted("self-signed certificate"), .tls, "not trusted: self-signed certificate"),
            (.handshake("wrong version number"), .tls, "wrong version number"),
            (.files("could not load PEM client certificate"), .tls, "PEM client certificate"),
        ]
        for (fault, check, words) in faults {
            facts.connection = .init(fault: fault)
            let wrong = ProviderDiagnosis(provider, facts).findings.filter { $0.level == .wrong }
            #expect(wrong.count == 1 && wrong.first?.check == check, "\(fault)")
            #expect(wrong.first?.fact.contains(words) == true && wrong.first?.advice != nil, "\(fault)")
        }
    }

    @Test("a broken way to the proxy is a finding about the proxy, without its password")
    mutating func proxy() throws {
        provider.egressProxy = try EgressProxy(parsing: "http://user:hunter22@proxy.example:3128")
        for status in [0, 403, 407] {
            facts.connection = .init(fault: .proxy(status: status))
            let wrong = ProviderDiagnosis(provider, facts).findings.filter { $0.level == .wrong }
            #expect(wrong.map(\.check) == [.proxy] && wrong.allSatisfy { !$0.fact.contains("hunter22") })
        }
        #expect(finding(.proxy)?.fact == "http://proxy.example:3128 rejects the tunnel with 407")
        facts.connection = .init()
        #expect(finding(.proxy)?.level == .ok)
    }

    @Test("the certificate that ends first decides, from a week before its end")
    mutating func certificates() {
        facts.connection = .init(tlsVersion: "TLSv1.3", chain: chain(days: 60, 900))
        #expect(
            finding(.tls)
                == Finding(
                    .ok, .tls, of: "p",
                    "TLSv1.3, api.example.com, issued by R1, 2 certificates, expires in 60 days"))
        facts.connection = .init(tlsVersion: "TLSv1.3", chain: chain(days: 60, 6))
        #expect(finding(.tls)?.level == .warning && finding(.tls)?.fact.hasSuffix("in 6 days") == true)
        facts.connection = .init(tlsVersion: "TLSv1.3", chain: chain(days: 7))
        #expect(finding(.tls)?.level == .ok && finding(.tls)?.fact.contains("1 certificate,") == true)
        facts.connection = .init(fault: .untrusted("certificate has expired"), chain: chain(days: -3))
        #expect(finding(.tls)?.level == .wrong && finding(.tls)?.fact.hasSuffix("expired 3 days ago") == true)
        #expect(finding(.tls)?.advice?.contains("renew") == true)
    }

    @Test("days are whole days, rounded down")
    func days() {
        func days(_ left: Int64) -> Int {
            CertificateFacts(subject: "", issuer: "", begins: 0, ends: Self.now + left).days(at: Self.now)
        }
        #expect(days(0) == 0 && days(86_399) == 0 && days(86_400) == 1)
        #expect(days(-1) == -1 && days(-86_400) == -1 && days(-86_401) == -2)
    }

    @Test("an upstream without TLS is a warning, unless it is an address or this machine")
    mutating func plain() throws {
        facts.connection = .init()
        provider.upstream = try UpstreamURL(parsing: "http://api.example.com")
        #expect(finding(.tls)?.level == .warning)
        provider.upstream = try UpstreamURL(parsing: "http://127.0.0.1:9000")
        #expect(finding(.tls) == nil)
    }

    @Test(
        "a clock may differ by less than 5 s; from a minute on it is wrong",
        arguments: [
            (0, Finding.Level.ok, ""), (5, .ok, ""), (7, .warning, "6 s ahead of"),
            (-6, .warning, "6 s behind"),
            (61, .wrong, "60 s ahead of"), (-600, .wrong, "600 s behind"),
        ])
    mutating func clock(difference: Int, level: Finding.Level, words: String) {
        let clock = Double(Self.now + Int64(difference))
        answer(.init(status: 200, date: Self.now, sentAt: clock, receivedAt: clock))
        #expect(finding(.clock)?.level == level && finding(.clock)?.fact.contains(words) == true)
    }

    @Test("a slow response is no difference of clocks, and none is known without a date")
    mutating func slowClock() {
        answer(
            .init(
                status: 200, date: Self.now, sentAt: Double(Self.now - 20), receivedAt: Double(Self.now + 20))
        )
        #expect(finding(.clock)?.level == .ok)
        answer(.init(status: 200))
        #expect(finding(.clock) == nil)
    }

    @Test("an accepted credential names the account")
    mutating func accepted() {
        answer(.init(status: 200, account: "Acme"))
        #expect(finding(.credential) == Finding(.ok, .credential, of: "p", "accepted as Acme (200)"))
        answer(.init(status: 204))
        #expect(finding(.credential)?.fact == "accepted (204)")
        answer(.init(status: 302))
        #expect(finding(.credential)?.level == .warning)
    }

    @Test(
        "the code of a problem decides about the credential",
        arguments: [
            (ProblemCode.unauthenticated, Finding.Level.wrong, "rejected with 401 unauthenticated: no"),
            (.accountBlocked, .wrong, "account"), (.paymentRequired, .wrong, "account"),
            (.permissionDenied, .ok, "without permission"), (.validationFailed, .ok, "accepted"),
            (.rateLimited, .warning, "not checked"), (.quotaExceeded, .warning, "not checked"),
            (.throttled, .warning, "not checked"), (.notFound, .warning, "finds nothing"),
            (.providerUnavailable, .wrong, "could not be checked"),
            (.providerTimeout, .wrong, "could not be checked"),
            (.internalError, .wrong, "could not be checked"),
        ])
    mutating func code(code: ProblemCode, level: Finding.Level, words: String) {
        answer(.init(status: 401, code: code, detail: "no"))
        let found = finding(.credential)
        #expect(found?.level == level && found?.fact.contains(words) == true, "\(String(describing: found))")
        #expect((found?.advice != nil) == (level != .ok))
    }

    @Test("without a probe, the finding says why the credential was not checked")
    mutating func notProbed() {
        for (probe, words) in [
            (.offline, "offline"), (.noCredential, "the app sends it"), (.noProbe, "names no request"),
            (.noConnection, "without a connection"),
        ] as [(ProviderFacts.Probe, String)] {
            facts.probe = probe
            #expect(finding(.credential)?.level == .skipped)
            #expect(finding(.credential)?.fact.contains(words) == true)
        }
        facts.probe = .failed("no file descriptor")
        #expect(finding(.credential)?.level == .wrong)
    }

    @Test("a placeholder is wrong without being sent, and no finding contains the credential")
    mutating func placeholder() {
        facts.probe = .offline
        provider.credential = Secret("YOUR_API_KEY")
        #expect(finding(.credential)?.level == .wrong && finding(.credential)?.fact.contains("YOUR") == false)
    }

    @Test("a web token that ends soon is a warning, even if it is accepted; one that has ended is wrong")
    mutating func expiry() {
        // `{"alg":"none"}.{"exp":1800000000}`
        provider.credential = Secret("eyJhbGciOiJub25lIn0.eyJleHAiOjE4MDAwMDAwMDB9.x")
        facts.now = 1_800_000_000 - 3 * Self.day
        facts.probe = .answered(.init(status: 200))
        #expect(finding(.credential)?.level == .warning)
        #expect(finding(.credential)?.fact == "expires in 3 days")
        facts.now = 1_800_000_000 + 3 * Self.day
        facts.probe = .offline
        #expect(finding(.credential)?.level == .wrong)
        facts.now = 1_800_000_000 - 30 * Self.day
        facts.probe = .answered(.init(status: 200))
        #expect(finding(.credential)?.level == .ok)
    }

    @Test("reported limits are compared with the configured ones")
    mutating func limits() {
        answer(.init(status: 200))
        #expect(finding(.limits) == nil)
        answer(.init(status: 200, limits: [20, 1000]))
        #expect(finding(.limits)?.level == .ok)
        answer(.init(status: 200, limits: [10]))
        #expect(finding(.limits)?.level == .warning && finding(.limits)?.advice?.hasPrefix("lower") == true)
        answer(.init(status: 200, limits: [50]))
        #expect(finding(.limits)?.level == .warning && finding(.limits)?.advice?.hasPrefix("compare") == true)
        provider.limits = []
        #expect(finding(.limits)?.level == .ok)
    }

    @Test("the sizes of windows are read from the fields that the profile names, without Weir's own")
    func reported() {
        var names = RateFields()
        (names.limit, names.remaining) = (["X-Limit", "X-Day"], ["X-Left", "X-Day-Left"])
        (names.state, names.policy) = (["RateLimit"], ["RateLimit-Policy"])
        var fields = FieldBlock()
        for (name, value) in [
            ("X-Limit", "20"), ("X-Left", "19"), ("X-Day", "1000"), ("X-Day-Left", "7"),
            ("RateLimit", #""a";r=5;t=1"#), ("RateLimit-Policy", #""a";q=55;w=2"#),
        ] {
            fields.append(name, value)
        }
        #expect(ReportedLimits.read(fields, names: names) == [20, 1000])
        #expect(ReportedLimits.read(FieldBlock(), names: names) == [])
        var hostile = FieldBlock()
        hostile.append("X-Limit", "-5")
        hostile.append("X-Left", "99999999999999999999999999")
        #expect(ReportedLimits.read(hostile, names: names) == [])
    }
}
