internal import BuiltIn
internal import Core
internal import Engine
internal import Glibc
internal import JSONLog
internal import Logging
internal import Loop
internal import Wire

/// Sends the profiles' probes through a Weir of its own, so that limits, credentials and problems are the real ones.
///
/// That Weir listens on a Unix socket in a folder that only this user can enter: nobody else can use its keys.
final class ProbeSender: Sendable {
    /// How much of a response is read.
    private static let limit = 1 << 20
    /// The longest time that a probe may take at the provider.
    private static let longest = Duration.seconds(15)

    private let server: ProxyServer
    private let address: ListenAddress
    private let folder: String
    private let configuration: ProxyConfiguration
    private let profiles: [Profile]

    /// Starts it.
    ///
    /// - Throws: ``ProbeFailure``
    init(_ loaded: LoadedConfiguration) throws(ProbeFailure) {
        folder = try Self.makeFolder()
        address = .unix(path: folder + "/weir.sock")
        configuration = Self.privately(loaded.configuration, at: address)
        profiles = loaded.normalizers.map(\.profile)
        let logger = Logger(label: "weir", factory: { _ in SwiftLogNoOpLogHandler() })
        do {
            server = try ProxyServer(
                configuration: configuration, normalizers: loaded.normalizers,
                environment: ProxyServer.Environment(
                    build: Versions.build, problemSchema: BuiltIn.problemSchema, logger: logger))
        } catch {
            unsafe rmdir(folder)
            throw ProbeFailure("\(error)")
        }
    }

    /// Ends it; to be called once.
    func stop() {
        server.drain()
        server.join()
        server.removeSocketFiles()
        unsafe rmdir(folder)
    }

    /// Sends a probe to the provider at `index` in the configuration.
    func send(_ probe: ProfileProbe, to index: Int) -> ProviderFacts.Probe {
        let provider = configuration.providers[index]
        let time =
            provider.maximumWait + provider.timeouts.connect + Self.longest + provider.timeouts.errorBody
            + .seconds(5)
        let sentAt = Self.now
        let bytes: [UInt8]
        do throws(ProbeFailure) {
            bytes = try ReadinessProbe(address: address).answer(
                to: "/\(index)\(probe.path)", limit: Self.limit, within: time)
        } catch {
            return .failed("\(error)")
        }
        guard let response = LoopbackResponse(bytes) else { return .failed("no HTTP response") }
        var answer = ProviderFacts.Answer(status: response.status, sentAt: sentAt, receivedAt: Self.now)
        if response.status >= 400 {
            answer.code =
                response.fields.first("X-Error-Code").flatMap { ProblemCode(name: $0) }
                ?? .internalError
            answer.detail = response.detail
        } else {
            answer.account = probe.accountName(fields: response.fields, body: response.body).map {
                redacted($0, provider)
            }
        }
        if answer.code?.origin ?? .provider == .provider {
            answer.date = ProviderDate.seconds(in: response.fields)
            answer.limits = ReportedLimits.read(response.fields, names: profiles[index].rateFields)
        }
        return .answered(answer)
    }

    private func redacted(_ text: String, _ provider: ProviderConfiguration) -> String {
        let secrets = provider.credential.map { [Array($0.value.utf8)] } ?? []
        return SecretRedactor(secrets: secrets, prefixes: [], findsSchemes: false)
            .redacted(Text(text)).string
    }

    private static var now: Double { Double(SystemClock.wallNanoseconds) / 1e9 }

    /// The configuration with one listener, on which each provider has a mount of its index.
    private static func privately(
        _ configuration: ProxyConfiguration, at address: ListenAddress
    ) -> ProxyConfiguration {
        var own = configuration
        (own.listen, own.listenTLS, own.adminListen) = (address, nil, nil)
        (own.workers, own.logsAccess, own.drain) = (1, false, .milliseconds(100))
        // Its socket is guard enough, and its requests are no app's.
        (own.accessTokens, own.adminToken, own.tracing) = (AccessTokens(), nil, nil)
        // It must not become a member of the ledger: the running instances would count on a share that is not used as theirs.
        (own.ledger, own.replicas) = (nil, 1)
        for index in own.providers.indices {
            own.providers[index].mount = try? MountPath(parsing: "/\(index)")
            (own.providers[index].listen, own.providers[index].listenTLS) = (nil, nil)
            own.providers[index].errors = .problem
            own.providers[index].retries = RetryPolicy()
            own.providers[index].circuitBreaker = nil
            let timeouts = own.providers[index].timeouts
            own.providers[index].timeouts.response = min(timeouts.response ?? longest, longest)
        }
        return own
    }

    private static func makeFolder() throws(ProbeFailure) -> String {
        let parent = Environment.variable("TMPDIR") ?? "/tmp"
        var template = Array("\(parent)/weir-doctor-XXXXXX\0".utf8CString.dropLast())
        guard template.count < 90, unsafe mkdtemp(&template) != nil else {
            throw ProbeFailure("no temporary folder in \(parent): \(Files.lastError)")
        }
        return String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A response of a Weir on this machine, which ended with the connection.
struct LoopbackResponse {
    var status: Int
    var fields = FieldBlock()
    var body: [UInt8]

    /// Reads a whole response; `nil` for anything else.
    init?(_ bytes: [UInt8]) {
        let mark = Array("\r\n\r\n".utf8)
        guard bytes.starts(with: "HTTP/1.".utf8), bytes.count > 12,
            let end = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }),
            let status = Int(String(decoding: bytes[9..<12], as: UTF8.self))
        else { return nil }
        self.status = status
        body = Array(bytes[(end + mark.count)...])
        for line in bytes[..<end].split(separator: 0x0A).dropFirst() {
            let text = String(decoding: line, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else { continue }
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            fields.append(String(text[..<colon]), String(value.filter { $0 != "\r" && $0 != "\r\n" }))
        }
    }

    /// The member `detail` of a problem.
    var detail: String? {
        guard let json = JSONDocument(body), let pointer = JSONPointer("/detail"),
            let node = json.value(at: pointer)
        else { return nil }
        return json.scalarText(node)?.string
    }
}
