import Core
import Testing

@Suite("the diagnosis of the process, its files and the ledger")
struct ProcessDiagnosisTests {
    private static let now: Int64 = 1_800_000_000
    private static let day: Int64 = 86_400
    private var configuration: ProxyConfiguration
    private var facts = ProcessFacts(descriptors: 1_000_000, workers: 2)

    init() throws {
        var provider = ProviderConfiguration(
            name: "p", profile: "generic", mount: try MountPath(parsing: "/p"),
            upstream: try UpstreamURL(parsing: "https://api.example.com"))
        provider.credential = Secret("sk-live-4f9a8b7c6d5e")
        configuration = ProxyConfiguration(providers: [provider])
    }

    private func findings(_ check: Finding.Check) -> [Finding] {
        ProcessDiagnosis(configuration, facts).findings.filter { $0.check == check }
    }

    @Test("descriptors are enough for two per client of each worker")
    mutating func descriptors() {
        configuration.limits.connections = 1000
        facts.descriptors = 4064
        #expect(findings(.descriptors).map(\.level) == [.ok])
        facts.descriptors = 4063
        #expect(findings(.descriptors).map(\.level) == [.warning])
        #expect(findings(.descriptors)[0].fact.contains("2000 clients at once may need 4064"))
    }

    @Test("a secret that all users can access is a warning, a file that cannot be read is wrong")
    mutating func files() {
        facts.files = [
            .init(path: "/a", mode: 0o100644), .init(path: "/b", mode: 0o100640, isSecret: true),
            .init(path: "/c", mode: 0o100600, isSecret: true),
        ]
        #expect(findings(.files).map(\.level) == [.ok] && findings(.files)[0].fact.hasPrefix("3 files"))
        facts.files.append(.init(path: "/d", mode: 0o100644, isSecret: true))
        facts.files.append(.init(path: "/e", failure: "Permission denied"))
        #expect(findings(.files).map(\.level) == [.warning, .wrong])
        #expect(findings(.files)[0].fact.contains("/d") && findings(.files)[0].fact.contains("0644"))
        #expect(findings(.files)[1].fact == "/e cannot be read: Permission denied")
        facts.files = []
        #expect(findings(.files).isEmpty)
    }

    @Test("an address is free, in use by Weir, or a finding that says why not")
    mutating func ports() {
        facts.ports = [
            ("127.0.0.1:1", .free), ("127.0.0.1:2", .weir), ("127.0.0.1:3", .unknown),
            ("127.0.0.1:4", .taken),
            ("127.0.0.1:5", .failed("Permission denied")),
        ]
        #expect(findings(.ports).map(\.level) == [.ok, .ok, .skipped, .wrong, .wrong])
        #expect(findings(.ports)[4].fact == "127.0.0.1:5 cannot be used: Permission denied")
        #expect(findings(.ports).allSatisfy { ($0.advice != nil) == ($0.level == .wrong) })
    }

    @Test("keys that others can use are warnings")
    mutating func hosts() throws {
        #expect(findings(.hosts).map(\.level) == [.ok])
        configuration.listen = try ListenAddress(parsing: "0.0.0.0:8080")
        #expect(findings(.hosts).map(\.level) == [.warning])
        #expect(findings(.hosts)[0].fact.contains("0.0.0.0:8080 can use the key of p"))
        configuration.hosts = [try HostPattern(parsing: "*")]
        #expect(findings(.hosts).map(\.level) == [.warning, .warning])
        configuration.listen = try ListenAddress(parsing: "unix:/run/weir.sock")
        configuration.hosts = []
        #expect(findings(.hosts).map(\.level) == [.ok])
        configuration.providers[0].listen = try ListenAddress(parsing: "[::]:9000")
        #expect(findings(.hosts).map(\.level) == [.warning])
        configuration.providers[0].credential = nil
        #expect(findings(.hosts).isEmpty)
    }

    private func certificate(days: Int64) -> CertificateFacts {
        CertificateFacts(
            subject: "weir.internal", issuer: "CA", begins: Self.now - 10 * Self.day,
            ends: Self.now + days * Self.day)
    }

    @Test("certificates of Weir's own are worth a warning two weeks before their end")
    func certificates() {
        let diagnosis = ConfigurationDiagnosis(
            configuration,
            certificates: [
                ("listen.tls", [certificate(days: 14), certificate(days: 900)]),
                ("a", [certificate(days: 13)]), ("b", [certificate(days: 30), certificate(days: -2)]),
                ("c", []),
            ], at: Self.now)
        #expect(diagnosis.certificateFindings.map(\.level) == [.ok, .warning, .wrong])
        #expect(diagnosis.certificateFindings[2].fact == "b: weir.internal, expired 2 days ago")
        #expect(diagnosis.troubles.map(\.check) == [.certificate, .certificate])
    }

    @Test("placeholders are troubles that need no network, once for a provider and its hosts")
    mutating func placeholders() {
        configuration.providers[0].credential = Secret("changeme")
        var host = configuration.providers[0]
        (host.name, host.account) = ("p-uploads", "p")
        configuration.providers.append(host)
        let troubles = ConfigurationDiagnosis(configuration, certificates: [], at: Self.now).troubles
        #expect(troubles.map(\.subject) == ["p"] && troubles.map(\.level) == [.wrong])
    }

    // MARK: The ledger

    private func ledger(_ facts: LedgerFacts) throws -> [Finding] {
        LedgerDiagnosis(
            try LedgerAddress(parsing: "redis://user:hunter22@redis.internal"), replicas: 2, facts
        ).findings
    }

    @Test("a ledger in order has a finding for each check")
    func goodLedger() throws {
        let found = try ledger(
            LedgerFacts(version: "7.0.15", milliseconds: 0.42, members: [("p.p", 2), ("g.g", 0)]))
        #expect(found.allSatisfy { $0.level == .ok && !$0.fact.contains("hunter22") })
        #expect(found.map(\.check) == [.reachable, .version, .permissions, .latency, .replicas, .replicas])
        #expect(found[3].fact.contains("0.4 ms"))
        #expect(found[4].fact == "p.p: 2 of 2 instances use the ledger now")
    }

    @Test("whatever a ledger lacks is wrong, a slow one is a warning")
    func badLedger() throws {
        let down = try ledger(LedgerFacts(failure: "Connection refused"))
        #expect(down.map(\.level) == [.wrong] && !down[0].fact.contains("hunter22"))
        let bad = try ledger(
            LedgerFacts(
                version: "4.0.9", milliseconds: 25, refusals: ["ZADD NOPERM"], members: [("p.p", 3)]))
        #expect(bad.map(\.level) == [.ok, .wrong, .wrong, .warning, .wrong])
        #expect(try ledger(LedgerFacts(milliseconds: 1)).map(\.level) == [.ok, .skipped, .ok, .ok])
    }
}
