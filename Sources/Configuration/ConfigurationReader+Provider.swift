internal import Core

/// A partially read provider with the positions of its keys.
struct ProviderDraft {
    var name: String
    var configuration: ProviderConfiguration?
    var mount: MountPath?
    var listen: ListenAddress?
    var listenTLS: ListenerTLS?
    /// The key that Weir adds.
    var credential: Secret?
    /// Further addresses of the same account.
    var hosts: [ProviderDraft] = []
    var place: YAMLValue?
    var places: [ConfigurationReader.ProviderKey: YAMLValue] = [:]

    /// The value of `key` as written in the file; `fallback` if it is absent.
    func quoted(_ key: ConfigurationReader.ProviderKey, else fallback: String) -> String {
        places[key]?.quoted ?? "'\(fallback)'"
    }

    /// Reports at the value of `key`, or at the provider if it is absent.
    func report(_ reason: String, at key: ConfigurationReader.ProviderKey) {
        (places[key] ?? place)?.report(reason)
    }
}

extension ConfigurationReader {
    /// The providers of a file without `providers`.
    func builtInProviders() -> [ProviderDraft] {
        ["lemlist", "lettr"].map { name in
            let nothing = YAMLValue(node: YAMLNode(.mapping([])), key: "providers.\(name)", reading: reading)
            return provider(name: name, from: nothing)
        }
    }

    /// The providers of the file, in its order.
    func providers(from value: YAMLValue) -> [ProviderDraft] {
        guard !value.isNull else {
            value.report("must have at least one provider, or leave `providers` out for lemlist and lettr")
            return []
        }
        let members = value.members(allowed: nil)
        guard members.count <= ProxyConfiguration.maximumProviders else {
            value.report(
                "has \(members.count) providers; allowed: at most \(ProxyConfiguration.maximumProviders)")
            return []
        }
        if members.isEmpty, value.isMapping { value.report("must have at least one provider") }
        let drafts: [ProviderDraft] = members.compactMap { name, value in
            guard ProviderConfiguration.isValid(name: name) else {
                value.report("a provider's name \(InvalidSetting.name.reason)")
                return nil
            }
            return provider(name: name, from: value)
        }
        let names = Set(drafts.map(\.name))
        let hosts = drafts.flatMap(\.hosts)
        for host in hosts where names.contains(host.name) {
            host.place?.report("needs another name: there is a provider '\(host.name)'")
        }
        if drafts.count + hosts.count > ProxyConfiguration.maximumProviders {
            value.report(
                "has \(drafts.count + hosts.count) providers and hosts; allowed: at most \(ProxyConfiguration.maximumProviders)"
            )
        }
        return drafts.flatMap { [$0] + $0.hosts }
    }

    private func provider(name: String, from value: YAMLValue) -> ProviderDraft {
        var draft = ProviderDraft(name: name, place: value)
        guard value.isMapping || value.isNull else {
            _ = value.members(of: ProviderKey.self)  // Reports what it is instead.
            return draft
        }
        for (key, value) in value.members(of: ProviderKey.self) { draft.places[key] = value }
        let places = draft.places
        let profile = profile(of: draft)
        if let listener = places[.listen]?.listener {
            (draft.listen, draft.listenTLS) = listener
        }
        draft.mount = places[.mount]?.mountPath
        if places[.mount] == nil, places[.listen] == nil { draft.mount = try? MountPath(parsing: "/\(name)") }
        let keys = places[.credential].map { credentials($0, of: draft, profile) } ?? []
        draft.credential = keys.first
        var resolution = UpstreamResolution(draft, profile?.defaults, isKnown: places[.upstream] == nil)
        let upstream = upstream(of: draft, profile: profile, by: &resolution)
        let hosts = hosts(of: draft, by: &resolution)
        resolution.reportUnused()

        // Everything is read even if the upstream is missing, so that all mistakes are reported.
        guard let standIn = upstream ?? (try? UpstreamURL(parsing: "https://unknown.invalid")) else {
            return draft
        }
        var provider = ProviderConfiguration(
            name: name, profile: profile?.name ?? "", mount: draft.mount, listen: draft.listen,
            upstream: standIn,
            limits: limits(of: draft, profile: profile))
        provider.listenTLS = draft.listenTLS
        provider.errors = profile?.defaults.errors ?? .problem
        provider.credential = draft.credential
        provider.otherCredentials = Array(keys.dropFirst())
        // A variable of the URL may come from the credential.
        if places[.variables] == nil, profile?.defaults.variables.isEmpty == true {
            provider.credentialFile = places[.credential]?.wholeFile
        }
        for (key, value) in places { read(key, from: value, into: &provider) }
        if !provider.upstream.isTLS, provider.tls != TLSConfiguration(), upstream != nil {
            draft.report("has no effect: the upstream is \(provider.upstream.scheme.rawValue)://", at: .tls)
        }
        provider.egressProxy = egressProxy(of: draft, to: provider.upstream)
        draft.configuration = upstream == nil ? nil : provider
        if upstream != nil { draft.hosts = hosts.map { host($0, of: provider, draft) } }
        return draft
    }

    private func read(
        _ key: ProviderKey, from value: YAMLValue, into provider: inout ProviderConfiguration
    ) {
        switch key {
        // The draft has them.
        case .profile, .mount, .listen, .upstream, .variables, .hosts, .credential, .tier: break
        case .errors:
            value.choice(ProviderConfiguration.ErrorForm.allCases.map { ($0.rawValue, $0) })
                .map { provider.errors = $0 }
        case .status:
            value.choice([("provider", false), ("canonical", true)]).map {
                provider.sendsCanonicalStatus = $0
            }
        case .upstreamBody: value.boolean.map { provider.includesUpstreamBody = $0 }
        case .limits: provider.limits = limits(from: value)
        case .learn: value.boolean.map { provider.learnsLimits = $0 }
        case .guarantee:
            value.choice([("strict", .strict), ("fast", .fast(margin: .milliseconds(100)))])
                .map { provider.guarantee = $0 }
        case .pacing:
            value.choice([("enforce", false), ("observe", true)]).map { provider.isPacingObserved = $0 }
        case .group: value.labelName.map { provider.group = $0 }
        case .maximumWait: value.duration(.zero ... .seconds(3600)).map { provider.maximumWait = $0 }
        case .timeouts: readTimeouts(from: value, into: &provider.timeouts)
        case .quarantine: value.boolean.map { provider.quarantinesCredentials = $0 }
        case .circuitBreaker: provider.circuitBreaker = circuitBreaker(from: value)
        case .retries: readRetries(from: value, into: &provider.retries)
        case .tls: provider.tls = value.tlsConfiguration
        case .http:
            value.choice(HTTPVersion.allCases.map { ($0.rawValue, $0) }).map { provider.httpVersion = $0 }
        case .proxy: break  // Read when the upstream is known.
        case .rewriteLocations: value.boolean.map { provider.rewritesLocations = $0 }
        case .forwardTrace: value.boolean.map { provider.forwardsTrace = $0 }
        case .allowPrivate: value.boolean.map { provider.allowsPrivate = $0 }
        }
    }

    /// One key, or a list of them.
    private func credentials(
        _ value: YAMLValue, of draft: ProviderDraft, _ profile: (name: String, defaults: ProfileDefaults)?
    ) -> [Secret] {
        guard value.isSequence else { return [value.secret].compactMap { $0 } }
        let elements = value.filledElements
        let limit = ProviderConfiguration.maximumCredentials
        guard elements.count <= limit else {
            value.report("has \(elements.count) keys; allowed: at most \(limit)")
            return []
        }
        var keys: [Secret] = []
        for element in elements {
            guard let key = element.secret else { continue }
            if keys.contains(key) {
                element.report("is a duplicate of an earlier key of the list (the value is not shown)")
            } else {
                keys.append(key)
            }
        }
        let given = draft.places[.variables]?.isMapping == true ? draft.places[.variables] : nil
        let isTaken =
            profile?.defaults.variables.contains { name, variable in
                if case .credential = variable { given?.member(name) == nil } else { false }
            } ?? false
        if isTaken || given?.members(allowed: nil).contains(where: { $0.value.isMapping }) == true {
            value.report("must be one key: the upstream takes a variable from it")
            return []
        }
        return keys
    }

    private func profile(of draft: ProviderDraft) -> (name: String, defaults: ProfileDefaults)? {
        guard let value = draft.places[.profile] else {
            for name in [draft.name, "generic"] {
                if let defaults = profiles(name) { return (name, defaults) }
            }
            draft.place?.report("needs `profile`: there is no profile '\(draft.name)'")
            return nil
        }
        guard let name = value.nonEmptyString else { return nil }
        guard let defaults = profiles(name) else {
            value.report("\(value.quoted) is neither a built-in profile nor a profile file that can be read")
            return nil
        }
        return (name, defaults)
    }

    /// The limits of the profile for the tier in the file.
    private func limits(
        of draft: ProviderDraft, profile: (name: String, defaults: ProfileDefaults)?
    ) -> [RateLimit] {
        guard let (name, defaults) = profile else { return [] }
        guard draft.places[.limits] == nil else {
            draft.places[.tier]?.report("has no effect: the provider has `limits` of its own")
            return []
        }
        let allowed = defaults.tiers.map(\.name).joined(separator: ", ")
        guard let value = draft.places[.tier] else {
            guard !defaults.tiers.isEmpty else { return defaults.limits }
            guard let tier = defaults.tiers.first(where: { $0.name == defaults.tier }) else {
                draft.place?.report("needs `tier`, one of those of the profile '\(name)': \(allowed)")
                return []
            }
            return defaults.limits + tier.limits
        }
        guard let text = value.nonEmptyString else { return [] }
        guard let tier = defaults.tiers.first(where: { $0.name == text }) else {
            value.report(
                defaults.tiers.isEmpty
                    ? "the profile '\(name)' has no tiers; its limits are the same for all accounts"
                    : "\(value.quoted) is not one of the tiers of the profile '\(name)': \(allowed)")
            return []
        }
        return defaults.limits + tier.limits
    }

    /// The proxy that the file names, or else the environment.
    private func egressProxy(of draft: ProviderDraft, to upstream: UpstreamURL) -> EgressProxy? {
        if let value = draft.places[.proxy], let text = value.string, text != "environment" {
            return text == "none" ? nil : value.egressProxy
        }
        do {
            return try EgressProxy.fromEnvironment(for: upstream, variable: reading.surroundings.variable)
        } catch {
            draft.report(error.reason, at: .proxy)
            return nil
        }
    }

    private func readTimeouts(from value: YAMLValue, into timeouts: inout TimeoutConfiguration) {
        let hour: ClosedRange<Duration> = .milliseconds(1) ... .seconds(3600)
        for (key, value) in value.members(of: TimeoutKey.self) {
            switch key {
            case .connect: value.duration(.milliseconds(1) ... .seconds(300)).map { timeouts.connect = $0 }
            case .response: value.durationOrOff(hour).map { timeouts.response = $0 }
            case .idle: value.durationOrOff(hour).map { timeouts.idle = $0 }
            case .errorBody: value.duration(hour).map { timeouts.errorBody = $0 }
            case .total:
                value.durationOrOff(.milliseconds(1) ... .seconds(86400)).map { timeouts.total = $0 }
            }
        }
    }

}

extension YAMLValue {
    /// How a server's certificate is checked, and with which certificate Weir identifies itself.
    var tlsConfiguration: TLSConfiguration {
        var tls = TLSConfiguration()
        var places: [ConfigurationReader.TLSKey: YAMLValue] = [:]
        for (key, value) in members(of: ConfigurationReader.TLSKey.self) {
            places[key] = value
            switch key {
            case .caFile: tls.caFile = value.readableFile
            case .clientCertificate: tls.clientCertificate = value.readableFile
            case .clientKey: tls.clientKey = value.readableFile
            case .minimumVersion: value.tlsVersion.map { tls.minimumVersion = $0 }
            }
        }
        if let key = places[.clientKey], places[.clientCertificate] == nil {
            key.report("requires `client_certificate`, to which the key belongs")
        }
        return tls
    }
}

extension ConfigurationReader {
    /// `off`, `on` for the defaults, or a mapping; `nil` for none.
    func circuitBreaker(from value: YAMLValue) -> CircuitBreaker.Policy? {
        guard value.isMapping else {
            if value.isSequence {
                value.report("must be off, on, or a section with: \(Self.circuitKeys)")
                return nil
            }
            return !value.isNull && value.boolean == true ? CircuitBreaker.Policy() : nil
        }
        var policy = CircuitBreaker.Policy()
        for (key, value) in value.members(of: CircuitKey.self) {
            switch key {
            case .failureRatio: value.percent.map { policy.failurePercent = $0 }
            case .window: value.duration(.seconds(1) ... .seconds(3600)).map { policy.window = $0 }
            case .minimum: value.integer(1...1_000_000).map { policy.minimum = $0 }
            case .openFor: value.duration(.milliseconds(100) ... .seconds(3600)).map { policy.openFor = $0 }
            }
        }
        return policy
    }

    private static var circuitKeys: String { CircuitKey.allCases.map(\.rawValue).joined(separator: ", ") }
}

extension ConfigurationReader {
    /// The retry settings.
    func readRetries(from value: YAMLValue, into retries: inout RetryPolicy) {
        var places: [RetryKey: YAMLValue] = [:]
        for (key, value) in value.members(of: RetryKey.self) {
            places[key] = value
            switch key {
            case .max: value.integer(0...5).map { retries.maximum = $0 }
            case .on: causes(from: value).map { retries.causes = $0 }
            case .base: value.duration(.milliseconds(1) ... .seconds(60)).map { retries.base = $0 }
            case .cap: value.duration(.milliseconds(1) ... .seconds(600)).map { retries.cap = $0 }
            case .budget: value.percent.map { retries.budgetPercent = $0 }
            }
        }
        guard retries.cap < retries.base else { return }
        (places[.cap] ?? places[.base])?.report(
            "cap (\(YAMLValue.spell(retries.cap))) must not be less than base "
                + "(\(YAMLValue.spell(retries.base))): it bounds the waits, of which base bounds the first")
    }

    private func causes(from value: YAMLValue) -> Set<RetryPolicy.Cause>? {
        guard value.isSequence else {
            _ = value.elements  // Reports what it is instead.
            return nil
        }
        let elements = value.elements
        if elements.isEmpty { value.report("must name at least one cause; `max: 0` switches retries off") }
        return Set(
            value.distinct(elements) { $0.choice(RetryPolicy.Cause.allCases.map { ($0.rawValue, $0) }) })
    }
}

extension YAMLValue {
    /// A whole percentage, 1% to 100%.
    var percent: Int? {
        parsed { text throws(InvalidSetting) in
            guard text.hasSuffix("%"), let number = Int(text.dropLast()), (1...100).contains(number) else {
                throw InvalidSetting("must be a whole number of percent from 1% to 100%")
            }
            return number
        }
    }
}

/// Settings from flags and environment variables, which override the file; a flag overrides a variable.
public struct ConfigurationOverrides: Sendable {
    /// A setting that can be overridden.
    public enum Setting: String, CaseIterable, Sendable {
        /// ``ProxyConfiguration/listen``: `--listen`, `WEIR_LISTEN`.
        case listen
        /// ``ProxyConfiguration/adminListen``: `--admin-listen`, `WEIR_ADMIN_LISTEN`.
        case adminListen = "admin-listen"
        /// ``ProxyConfiguration/workers``: `--workers`, `WEIR_WORKERS`.
        case workers
        /// ``ProxyConfiguration/logLevel``: `--log-level`, `WEIR_LOG_LEVEL`.
        case logLevel = "log-level"
        /// ``ProxyConfiguration/logsAccess``: `--access-log`, `WEIR_ACCESS_LOG`.
        case accessLog = "access-log"

        /// The flag, such as `--log-level`.
        public var flag: String { "--\(rawValue)" }

        /// The environment variable, such as `WEIR_LOG_LEVEL`.
        public var variable: String {
            "WEIR_"
                + String(rawValue.map { $0 == "-" ? "_" : Character($0.uppercased()) })
        }
    }

    private var values: [Setting: (source: String, text: String)] = [:]

    /// Overrides of these flags and of the environment.
    ///
    /// - Parameters:
    ///   - flags: The texts of the given flags.
    ///   - variable: Returns the value of an environment variable; an empty one counts as not set.
    public init(flags: [Setting: String] = [:], variable: (String) -> String? = { _ in nil }) {
        for setting in Setting.allCases {
            if let text = flags[setting] {
                values[setting] = (setting.flag, text)
            } else if let text = variable(setting.variable), !text.isEmpty {
                values[setting] = (setting.variable, text)
            }
        }
    }

    /// Applies the overrides to `configuration`.
    ///
    /// - Returns: each as a value that reports under its flag or variable; mistakes have been reported.
    func apply(to configuration: inout ProxyConfiguration) -> [Setting: YAMLValue] {
        var applied: [Setting: YAMLValue] = [:]
        for (setting, (source, text)) in values {
            let reading = YAMLReading(file: source, surroundings: .none)
            let value = YAMLValue(node: YAMLNode(.scalar(text, isPlain: true)), key: "", reading: reading)
            applied[setting] = value
            switch setting {
            case .listen:
                value.listenAddress.map { configuration.listen = $0.keepingMode(of: configuration.listen) }
            case .adminListen:
                value.listenAddress.map {
                    configuration.adminListen = $0.keepingMode(of: configuration.adminListen)
                }
            case .workers: value.workers.map { configuration.workers = $0 }
            case .logLevel: value.logLevel.map { configuration.logLevel = $0 }
            case .accessLog: value.boolean.map { configuration.logsAccess = $0 }
            }
        }
        return applied
    }
}

extension ListenAddress {
    /// The address with the file's mode: a flag or variable replaces only the path.
    fileprivate func keepingMode(of other: ListenAddress?) -> ListenAddress {
        guard case .unix(let path, _) = self, case .unix(_, let mode)? = other else { return self }
        return .unix(path: path, mode: mode)
    }
}
