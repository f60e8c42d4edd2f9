/// What was found out about the process and its machine.
public struct ProcessFacts: Sendable {
    /// A file that the configuration names, or the configuration itself.
    public struct File: Hashable, Sendable {
        /// Its path.
        public var path: String
        /// Why it cannot be read, in the system's words; `nil` if it can.
        public var failure: String?
        /// Its permissions, such as `0o640`.
        public var mode: UInt32
        /// Whether it contains a credential or a private key.
        public var isSecret: Bool

        /// A file.
        public init(path: String, failure: String? = nil, mode: UInt32 = 0, isSecret: Bool = false) {
            self.path = path
            self.failure = failure
            self.mode = mode
            self.isSecret = isSecret
        }
    }

    /// Whether Weir could listen on an address.
    public enum Availability: Hashable, Sendable {
        case free
        /// A running Weir listens there.
        case weir
        /// Another program listens there, or it is unknown which.
        case taken
        /// A program listens there that cannot be asked, since the address uses TLS.
        case unknown
        /// It cannot be used; in the system's words.
        case failed(String)
    }

    /// The most descriptors that the process may open.
    public var descriptors: Int
    /// How many event loops Weir would have.
    public var workers: Int
    /// The files.
    public var files: [File]
    /// Each address with its availability, in the order of the configuration.
    public var ports: [(address: String, availability: Availability)]

    /// Facts.
    public init(
        descriptors: Int, workers: Int, files: [File] = [],
        ports: [(address: String, availability: Availability)] = []
    ) {
        self.descriptors = descriptors
        self.workers = workers
        self.files = files
        self.ports = ports
    }
}

/// The findings about the process, its files and its listeners.
public struct ProcessDiagnosis {
    /// What a worker needs besides its connections.
    private static let ownDescriptors = 64

    private let configuration: ProxyConfiguration
    private let facts: ProcessFacts

    /// A diagnosis.
    public init(_ configuration: ProxyConfiguration, _ facts: ProcessFacts) {
        self.configuration = configuration
        self.facts = facts
    }

    /// All findings.
    public var findings: [Finding] { [descriptors] + files + ports + hosts }

    private func finding(
        _ level: Finding.Level, _ check: Finding.Check, _ fact: String, advice: String? = nil
    ) -> Finding {
        Finding(level, check, of: Finding.process, fact, advice: advice)
    }

    private var descriptors: Finding {
        let clients = facts.workers * configuration.limits.connections
        // Each client may need a connection to a provider.
        let wanted = 2 * clients + Self.ownDescriptors
        let fact = "\(facts.descriptors) file descriptors"
        guard facts.descriptors < wanted else { return finding(.ok, .descriptors, fact) }
        return finding(
            .warning, .descriptors, "\(fact), and \(clients) clients at once may need \(wanted)",
            advice:
                "raise the limit (ulimit -Hn, LimitNOFILE), or lower `limits.connections`: without descriptors, Weir pauses accepting"
        )
    }

    private var files: [Finding] {
        var findings: [Finding] = []
        for file in facts.files {
            if let failure = file.failure {
                findings.append(
                    finding(
                        .wrong, .files, "\(file.path) cannot be read: \(failure)",
                        advice: "give the user that runs Weir permission to read it"))
            } else if file.isSecret, file.mode & 0o007 != 0 {
                let digits = String(file.mode & 0o777, radix: 8)
                findings.append(
                    finding(
                        .warning, .files,
                        "\(file.path) holds a secret, and all users of this machine can access it (mode 0\(digits))",
                        advice: "chmod o= \(file.path)"))
            }
        }
        if findings.isEmpty, !facts.files.isEmpty {
            let count = facts.files.count
            findings.append(
                finding(
                    .ok, .files,
                    count == 1
                        ? "1 file is readable, and holds no secret that others can read"
                        : "\(count) files are readable, and hold no secret that others can read"))
        }
        return findings
    }

    private var ports: [Finding] {
        facts.ports.map { address, availability in
            switch availability {
            case .free: finding(.ok, .ports, "\(address) is free")
            case .weir: finding(.ok, .ports, "a running Weir listens on \(address)")
            case .taken:
                finding(
                    .wrong, .ports, "another program listens on \(address)",
                    advice: "end that program, or choose another address")
            case .unknown:
                finding(
                    .skipped, .ports,
                    "a program listens on \(address); whether it is Weir was not asked, since the address uses TLS"
                )
            case .failed(let words):
                finding(
                    .wrong, .ports, "\(address) cannot be used: \(words)",
                    advice: "choose an address of this machine, and a port that the user may use")
            }
        }
    }

    /// Who may use the keys that Weir adds.
    private var hosts: [Finding] {
        let held = configuration.providers.filter { $0.credential != nil }
        guard !held.isEmpty else { return [] }
        var findings: [Finding] = []
        if configuration.hosts.contains(where: { $0.description == "*" }) {
            findings.append(
                finding(
                    .warning, .hosts, "`hosts` allows any name, so that web pages may use Weir's keys",
                    advice: "name the hosts under which your apps reach Weir"))
        }
        var listeners = [(configuration.listen, held.filter { $0.mount != nil })]
        listeners += held.compactMap { provider in provider.listen.map { ($0, [provider]) } }
        for (address, providers) in listeners where !providers.isEmpty {
            guard case .tcp(let host, _) = address, !host.isLoopback else { continue }
            let names = providers.map(\.name).joined(separator: ", ")
            findings.append(
                finding(
                    .warning, .hosts, "any client that reaches \(address) can use the key of \(names)",
                    advice:
                        "listen on a loopback address or a Unix socket, or protect the port by the network"))
        }
        if findings.isEmpty {
            findings.append(finding(.ok, .hosts, "only this machine can use the keys that Weir adds"))
        }
        return findings
    }
}

/// The findings that need nothing but the configuration and the certificates in it: `weir run` reports them at its start.
public struct ConfigurationDiagnosis {
    /// How many days before its end a certificate of Weir's own is worth a warning.
    static let certificateNotice = 14

    private let configuration: ProxyConfiguration
    private let certificates: [(key: String, chain: [CertificateFacts])]
    private let now: Int64

    /// A diagnosis.
    ///
    /// - Parameters:
    ///   - certificates: those of listeners and clients, by the key that names them.
    ///   - now: in seconds since 1970.
    public init(
        _ configuration: ProxyConfiguration, certificates: [(key: String, chain: [CertificateFacts])],
        at now: Int64
    ) {
        self.configuration = configuration
        self.certificates = certificates
        self.now = now
    }

    /// Everything that is not as it should be, certificates first.
    public var troubles: [Finding] { certificateFindings.filter { $0.level != .ok } + credentialTroubles }

    /// Keys that look like placeholders, or that end.
    private var credentialTroubles: [Finding] {
        configuration.providers.filter { $0.account == nil }.flatMap { provider in
            provider.credentials.map(\.value).compactMap { key in
                if CredentialPlaceholder.matches(key) {
                    return ProviderDiagnosis.placeholder(of: provider.name)
                }
                return CredentialExpiry.seconds(of: key).flatMap {
                    ProviderDiagnosis.expiry(of: provider.name, at: $0, now: now)
                }
            }
        }
    }

    /// A finding for each certificate.
    public var certificateFindings: [Finding] {
        certificates.compactMap { key, chain in
            guard let own = chain.first else { return nil }
            let first = chain.min { $0.ends < $1.ends } ?? own
            let fact = "\(key): \(own.subject), \(first.validity(at: now))"
            if now > first.ends {
                return Finding(
                    .wrong, .certificate, of: Finding.process, fact,
                    advice: "renew it: peers refuse the connection")
            }
            if now < own.begins || first.days(at: now) < Self.certificateNotice {
                return Finding(
                    .warning, .certificate, of: Finding.process, fact,
                    advice: now < own.begins ? "check the clock of this machine" : "renew it")
            }
            return Finding(.ok, .certificate, of: Finding.process, fact)
        }
    }
}
