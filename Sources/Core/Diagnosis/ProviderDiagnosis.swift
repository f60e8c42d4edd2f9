/// The findings about a provider, from its configuration and the facts that were gathered.
public struct ProviderDiagnosis {
    /// How many days before its end a provider's certificate is worth a warning: it should have been renewed.
    public static let certificateNotice = 7
    /// Differences of clocks from which there is a warning, and from which it is wrong, in seconds.
    static let clockNotice = 5.0
    static let clockLimit = 60.0

    private let provider: ProviderConfiguration
    private let facts: ProviderFacts

    /// A diagnosis.
    public init(_ provider: ProviderConfiguration, _ facts: ProviderFacts) {
        self.provider = provider
        self.facts = facts
    }

    /// All findings, in the order of a request's way.
    public var findings: [Finding] {
        [names, proxy, connection, tls, clock, credential, limits].compactMap { $0 }
    }

    private func finding(
        _ level: Finding.Level, _ check: Finding.Check, _ fact: String, advice: String? = nil
    ) -> Finding {
        Finding(level, check, of: provider.name, fact, advice: advice)
    }

    // MARK: The way

    private var names: Finding? {
        guard let lookup = facts.lookup else { return nil }
        guard !lookup.addresses.isEmpty else {
            return finding(
                .wrong, .names, "\(lookup.host) has no address: \(lookup.failure ?? "no records")",
                advice: "check the name, /etc/resolv.conf and the network of this machine")
        }
        var families: [String] = []
        for (name, isMember) in [
            ("IPv4", { if case .v4 = $0 { true } else { false } }),
            ("IPv6", { if case .v6 = $0 { true } else { false } }),
        ] as [(String, (IPAddress) -> Bool)] {
            let members = lookup.addresses.filter(isMember)
            if let first = members.first {
                let more = members.count > 1 ? " and \(members.count - 1) more" : ""
                families.append("\(name) \(first)\(more)")
            } else {
                families.append("no \(name)")
            }
        }
        let fact = "\(lookup.host): \(families.joined(separator: ", "))"
        if provider.egressProxy == nil, !provider.mayReachPrivateAddresses,
            lookup.addresses.allSatisfy(\.isPrivate)
        {
            return finding(
                .wrong, .names, "\(fact), a private address",
                advice: "set `allow_private: true` if the provider is in your own network")
        }
        return finding(.ok, .names, fact)
    }

    private var proxy: Finding? {
        guard let proxy = provider.egressProxy else { return nil }
        guard let connection = facts.connection else {
            return finding(.skipped, .proxy, "through \(proxy.display)")
        }
        if case .proxy(let status)? = connection.fault {
            return finding(
                .wrong, .proxy,
                status > 0
                    ? "\(proxy.display) rejects the tunnel with \(status)"
                    : "\(proxy.display) does not open a tunnel",
                advice: status == 407
                    ? "put user and password into the proxy's URL"
                    : "check `proxy` (or HTTPS_PROXY and NO_PROXY), and what the proxy allows")
        }
        return finding(.ok, .proxy, "through \(proxy.display)")
    }

    private var connection: Finding? {
        guard let connection = facts.connection else { return nil }
        let place = "\(provider.upstream.host) port \(provider.upstream.port)"
        func wrong(_ fact: String, _ advice: String) -> Finding {
            finding(.wrong, .connection, fact, advice: advice)
        }
        switch connection.fault {
        case nil, .untrusted, .handshake, .files:
            let address = connection.address.map { " at \($0)" } ?? ""
            return finding(.ok, .connection, "connected\(address) in \(connection.milliseconds) ms")
        case .nameNotResolved:
            // `names` says so already, unless the proxy's name was looked up.
            return facts.lookup?.addresses.isEmpty == true
                ? nil : wrong("\(place): the name does not resolve", "check `upstream` and `proxy`")
        case .failed(let words):
            return wrong("\(place): \(words)", "check `upstream`, firewalls and network policies")
        case .timedOut:
            return wrong(
                "\(place): no connection within \(Self.spell(provider.timeouts.connect))",
                "check firewalls and network policies; `timeouts.connect` sets the time")
        case .privateAddress:
            return wrong(
                "\(place): only private addresses, which are not allowed",
                "set `allow_private: true` if the provider is in your own network")
        case .proxy: return nil
        }
    }

    private var tls: Finding? {
        guard let connection = facts.connection else { return nil }
        guard provider.upstream.isTLS else {
            guard connection.fault == nil, !provider.upstream.isPrivateByItself else { return nil }
            return finding(
                .warning, .tls, "\(provider.upstream.origin) is not encrypted",
                advice: "use https:// if the provider supports it: keys and data are readable on the way")
        }
        switch connection.fault {
        case .untrusted(let words): return untrusted(words, connection)
        case .handshake(let words):
            return finding(
                .wrong, .tls, "the handshake failed\(words.isEmpty ? "" : ": \(words)")",
                advice: "check `tls.min_version`, and whether the port speaks TLS")
        case .files(let words):
            return finding(
                .wrong, .tls, words,
                advice: "check `tls.ca_file`, `tls.client_certificate` and `tls.client_key`")
        case nil: return trusted(connection)
        default: return nil
        }
    }

    private func untrusted(_ words: String, _ connection: ProviderFacts.Connection) -> Finding {
        var fact = "the certificate is not trusted: \(words)"
        var advice = "check `upstream`; `tls.ca_file` names the authorities of a private provider"
        if let own = connection.chain.first {
            fact += "; \(own.subject), issued by \(own.issuer), \(own.validity(at: facts.now))"
            if !(own.begins...max(own.begins, own.ends)).contains(facts.now) {
                advice = "the provider must renew it; also check the clock of this machine"
            }
        }
        return finding(.wrong, .tls, fact, advice: advice)
    }

    private func trusted(_ connection: ProviderFacts.Connection) -> Finding {
        let version = connection.tlsVersion ?? "TLS"
        guard let own = connection.chain.first else { return finding(.ok, .tls, version) }
        let first = connection.chain.min { $0.ends < $1.ends } ?? own
        let count = connection.chain.count
        var fact = "\(version), \(own.subject), issued by \(own.issuer), "
        fact += "\(count) certificate\(count == 1 ? "" : "s"), \(first.validity(at: facts.now))"
        guard first.days(at: facts.now) < Self.certificateNotice else { return finding(.ok, .tls, fact) }
        return finding(.warning, .tls, fact, advice: "tell the provider that its certificate ends soon")
    }

    // MARK: The probe

    private var answer: ProviderFacts.Answer? {
        if case .answered(let answer) = facts.probe { answer } else { nil }
    }

    private var clock: Finding? {
        guard let answer, let date = answer.date else { return nil }
        // `Date` is cut to whole seconds, and belongs to a moment between the two times.
        let ahead = answer.sentAt - Double(date) - 1
        let behind = Double(date) - answer.receivedAt
        let difference = max(ahead, behind, 0)
        guard difference >= Self.clockNotice else {
            return finding(.ok, .clock, "agrees with the provider's within \(Int(Self.clockNotice)) s")
        }
        return finding(
            difference >= Self.clockLimit ? .wrong : .warning, .clock,
            "\(Int(difference.rounded())) s \(ahead > behind ? "ahead of" : "behind") the provider's",
            advice: "synchronise the clock of this machine (NTP): reset times and signatures depend on it")
    }

    private var credential: Finding? {
        let placeholder = provider.credential.map { CredentialPlaceholder.matches($0.value) } ?? false
        if placeholder, answer == nil { return Self.placeholder(of: provider.name) }
        let expiry = expiryFinding
        switch facts.probe {
        case .offline: return expiry ?? finding(.skipped, .credential, "not checked offline")
        case .noCredential: return finding(.skipped, .credential, "the app sends it")
        case .noProbe:
            return expiry
                ?? finding(
                    .skipped, .credential,
                    "the profile \(provider.profile) names no request to check it with",
                    advice: "add `probe` to the profile")
        case .noConnection: return finding(.skipped, .credential, "not checked without a connection")
        case .failed(let words): return finding(.wrong, .credential, "could not be checked: \(words)")
        case .answered(let answer):
            let judged = judged(answer)
            return judged.level == .ok ? expiry ?? judged : judged
        }
    }

    /// A credential that looks like a placeholder.
    static func placeholder(of provider: String) -> Finding {
        Finding(
            .wrong, .credential, of: provider, "looks like a placeholder, not like a key",
            advice: "replace it with your key, for example with ${VARIABLE} or ${file:PATH}")
    }

    private var expiryFinding: Finding? {
        guard let expiry = provider.credential.flatMap({ CredentialExpiry.seconds(of: $0.value) }) else {
            return nil
        }
        return Self.expiry(of: provider.name, at: expiry, now: facts.now)
    }

    /// A credential that has expired, or expires soon; `nil` if there is time.
    static func expiry(of provider: String, at expiry: Int64, now: Int64) -> Finding? {
        guard expiry - now <= CredentialStanding.notice else { return nil }
        let days = abs(expiry - now) / 86_400
        return Finding(
            expiry <= now ? .wrong : .warning, .credential, of: provider,
            expiry <= now ? "expired \(days) days ago" : "expires in \(days) days",
            advice: "create a new one and replace it")
    }

    private func judged(_ answer: ProviderFacts.Answer) -> Finding {
        let account = answer.account.map { " as \($0)" } ?? ""
        guard let code = answer.code else {
            guard answer.status < 300 else {
                return finding(
                    .warning, .credential, "not checked: the probe was redirected (\(answer.status))",
                    advice: "check `upstream`")
            }
            return finding(.ok, .credential, "accepted\(account) (\(answer.status))")
        }
        let words = "\(answer.status) \(code.name)\(answer.detail.map { ": \($0)" } ?? "")"
        switch code {
        case .unauthenticated, .credentialsQuarantined:
            return finding(
                .wrong, .credential, "rejected with \(words)",
                advice: "check the key, its environment (test or live) and whether it was revoked")
        case .accountBlocked, .paymentRequired:
            return finding(
                .wrong, .credential, "the account cannot be used: \(words)",
                advice: "check the account in the provider's console")
        case .permissionDenied:
            return finding(
                .ok, .credential, "accepted, without permission for the probe (\(words))")
        case .rateLimited, .quotaExceeded, .throttled, .queueTimeout:
            return finding(
                .warning, .credential, "not checked: \(words)",
                advice: "another client uses the key, or the configured limit is too high")
        default:
            switch code.origin {
            case .provider where [.notFound, .methodNotAllowed, .gone, .notAcceptable].contains(code):
                return finding(
                    .warning, .credential, "the probe finds nothing: \(words)",
                    advice: "check the path of `upstream`, and `probe` of the profile")
            case .provider where CredentialQuarantine.Verdict(code) == .taken:
                return finding(.ok, .credential, "accepted; the probe failed otherwise (\(words))")
            default:
                return finding(
                    .wrong, .credential, "could not be checked: \(words)",
                    advice: "try again later; `weir explain` shows what a response means")
            }
        }
    }

    private var limits: Finding? {
        guard let answer, !answer.limits.isEmpty else { return nil }
        let reported = answer.limits.map { "\($0)" }.joined(separator: ", ")
        let configured = provider.limits.filter { $0.span != .concurrent }.map(\.requests)
        guard !configured.isEmpty else {
            return finding(
                .ok, .limits,
                "the provider reports \(reported); none is configured"
                    + (provider.learnsLimits ? ", so what it reports is followed" : ""))
        }
        let own = configured.map { "\($0)" }.joined(separator: ", ")
        if answer.limits.contains(where: configured.contains) {
            return finding(.ok, .limits, "the provider reports \(reported), as configured")
        }
        let fact = "the provider reports \(reported); configured are \(own)"
        let isLower = (answer.limits.max() ?? 0) < (configured.min() ?? 0)
        return finding(
            .warning, .limits, fact,
            advice: isLower
                ? "lower `limits`, or set `tier`: the account may have a smaller one"
                : "compare `limits` with the provider's documentation, or set `tier`")
    }

    private static func spell(_ duration: Duration) -> String {
        "\(Double(duration.wholeNanoseconds / 1_000_000) / 1000) s"
    }
}
