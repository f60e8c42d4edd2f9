import BuiltIn
import Configuration
import Core
import Engine
import Foundation
import Locking
import Logging
import TestSupport
import Testing

/// Runs `body` with Weir in this process, listening on a port that the kernel chooses, and checks that it leaves nothing behind.
///
/// - Parameters:
///   - upstream: the provider `p`, reached at `/p`. Its connections must be closed in the end.
///   - prefix: what stands behind the upstream's port in its URL.
///   - provider: more keys of the provider, as YAML in flow style: `timeouts: { response: 1s }`.
///   - settings: more keys of the configuration, a line each.
func withProxy(
    to upstream: ScriptedUpstream, prefix: String = "", provider: String = "", workers: Int = 1,
    limits: String = "", settings: String = "", _ body: (ProxyFixture) throws -> Void
) throws {
    let more = provider.isEmpty ? "" : ", \(provider)"
    let providers = "providers: { p: { profile: generic, upstream: '\(upstream.url)\(prefix)'\(more) } }"
    try withProxy(
        providers, upstreams: [upstream], workers: workers, limits: limits, settings: settings, body)
}

/// Runs `body` with Weir in this process, and checks that it leaves nothing behind.
///
/// - Parameters:
///   - providers: the configuration's `providers`, as YAML.
///   - upstreams: those whose connections must be closed in the end.
///   - limits: members of the configuration's `limits`, in flow style.
///   - settings: more keys of the configuration, a line each.
func withProxy(
    _ providers: String, upstreams: [ScriptedUpstream] = [], workers: Int = 1, limits: String = "",
    settings: String = "", _ body: (ProxyFixture) throws -> Void
) throws {
    let drain = limits.contains("drain") ? "" : limits.isEmpty ? "drain: 1s" : ", drain: 1s"
    let fixture = try ProxyFixture(
        yaml: """
            listen: 127.0.0.1:0
            workers: \(workers)
            limits: { \(limits)\(drain) }
            \(settings)
            \(providers)
            """)
    do {
        try body(fixture)
    } catch {
        fixture.stop()
        throw error
    }
    if fixture.isRunning { try fixture.expectNothingInFlight() }
    fixture.stop()
    for upstream in upstreams { try upstream.expectAllClosed() }
}

/// Weir in this process; see ``withProxy(to:prefix:provider:workers:limits:settings:_:)``.
final class ProxyFixture: Sendable {
    /// The port of the providers' mounts, and of the admin paths unless they have their own.
    let port: UInt16
    /// The ports of the providers that have their own.
    let providerPorts: [String: UInt16]
    /// The port of the admin paths.
    let adminPort: UInt16
    /// What was logged.
    let log = LogRecord()
    /// The token for the metrics, where one is required.
    let token = Lock<String?>(nil)

    private let server: Lock<ProxyServer?>
    /// The built-in profiles, and those of tests.
    private static let profiles = Result {
        let all = try ProfileReader.builtIn(BuiltIn.profiles)
        let generic = all.first { $0.name == "generic" }
        return all + [
            try ProfileReader.read(text: DisguiseProfile.yaml, file: "disguise.yaml", generic: generic)
        ]
    }

    /// No variables; the files that a configuration names are there, empty where they are not.
    private static let surroundings = Surroundings(
        variable: { _ in nil }, file: { (try? String(contentsOfFile: $0, encoding: .utf8)) ?? "" },
        identityMistake: { ListenerTLS(certificate: Secret($0), key: Secret($1)).mistake },
        authorityMistake: { ListenerTLS.mistake(inAuthorities: $0) })

    /// Listens and serves, until ``stop()``.
    init(yaml: String) throws {
        let (configuration, normalizers) = try Self.read(yaml)
        let log = log
        var logger = Logger(label: "weir", factory: { _ in RecordingLogHandler(record: log) })
        logger.logLevel = .debug
        let started = try ProxyServer(
            configuration: configuration, normalizers: normalizers,
            environment: ProxyServer.Environment(
                build: BuildInfo(version: "test", swift: "test", libcurl: "test", libmicrohttpd: "test"),
                problemSchema: BuiltIn.problemSchema, logger: logger))
        port = try Self.port(of: started.address)
        adminPort = try Self.port(of: started.adminAddress ?? started.address)
        var ports: [String: UInt16] = [:]
        for (provider, address) in started.providerAddresses { ports[provider] = try Self.port(of: address) }
        providerPorts = ports
        server = Lock(started)
    }

    /// Changes over to another configuration.
    @discardableResult
    func reload(yaml: String) throws -> ConfigurationChange {
        let (configuration, normalizers) = try Self.read(yaml)
        let running = try #require(server.withLock { $0 })
        return running.reload(configuration, normalizers: normalizers)
    }

    /// Says that a configuration had these mistakes.
    func reject(_ mistakes: [String]) throws {
        try #require(server.withLock { $0 }).rejectConfiguration(mistakes)
    }

    private static func read(_ yaml: String) throws -> (ProxyConfiguration, [ErrorNormalizer]) {
        let profiles = try profiles.get()
        let configuration = try ConfigurationReader.read(
            text: yaml, file: "test.yaml", surroundings: surroundings,
            profiles: { name in
                profiles.first { $0.name == name }.map {
                    ProfileDefaults($0)
                }
            })
        let normalizers = try configuration.providers.map { provider in
            ErrorNormalizer(
                profile: try #require(profiles.first { $0.name == provider.profile }),
                limits: configuration.ownLimits(of: provider),
                bodyLimit: provider.includesUpstreamBody ? configuration.limits.errorBody : 0)
        }
        return (configuration, normalizers)
    }

    private static func port(of address: String) throws -> UInt16 {
        try #require(address.split(separator: ":").last.flatMap { UInt16($0) }, "a port in \(address)")
    }

    // MARK: Clients

    /// A client of the providers' mounts; every problem that it reads is validated.
    func client(receiveBuffer: Int? = nil) throws -> RawClient {
        try client(on: port, receiveBuffer: receiveBuffer)
    }

    /// A client of any of the ports; every problem that it reads is validated.
    func client(on port: UInt16, receiveBuffer: Int? = nil) throws -> RawClient {
        try RawClient(port: port, receiveBuffer: receiveBuffer, observing: expectValidProblem)
    }

    /// One request on a connection of its own.
    @discardableResult
    func exchange(
        _ method: String, _ target: String, fields: [(String, String)] = [], body: String = "",
        within patience: Duration = .patience
    ) throws -> RawResponse {
        try client().exchange(method, target, fields: fields, body: body, within: patience)
    }

    // MARK: Metrics

    /// The value of a series, spelled as `/metrics` does: `weir_requests_in_flight{provider="p"}`.
    func metric(_ series: String) throws -> Double {
        let line = try metricLines().first { $0.hasPrefix(series + " ") }
        let value = line?.split(separator: " ").last.flatMap { Double($0) }
        return try #require(value, "\(series) is a series")
    }

    /// The lines of `/metrics`.
    func metricLines() throws -> [String] {
        let fields = token.withLock { $0 }.map { [("X-Weir-Token", $0)] } ?? []
        let response = try client(on: adminPort).exchange("GET", "/metrics", fields: fields)
        #expect(response.status == 200)
        return response.text.components(separatedBy: "\n")
    }

    /// Waits until a single worker has acted on all that has happened: it has answered requests that came later.
    func settle() throws {
        for _ in 0..<3 { #expect(try client(on: adminPort).exchange("GET", "/livez").status == 200) }
    }

    /// Waits until no exchange is in flight, of any provider.
    func expectNothingInFlight(within patience: Duration = .patience) throws {
        try eventually("the requests in flight to be none", within: patience) {
            try metricLines().filter { $0.hasPrefix("weir_requests_in_flight{") }
                .allSatisfy { $0.hasSuffix(" 0") }
        }
    }

    // MARK: The end

    /// Whether ``stop()`` has not been called.
    var isRunning: Bool { server.withLock { $0 != nil } }

    /// Begins to drain, without waiting for its end.
    func drain() { server.withLock { $0 }?.drain() }

    /// Drains, and waits until all workers have ended; what is still in flight then is broken off.
    func stop() {
        let running = server.withLock { server in
            defer { server = nil }
            return server
        }
        running?.drain()
        running?.join()
    }
}
