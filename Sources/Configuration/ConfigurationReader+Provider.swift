internal import Core
internal import Yams

/// What could be read of a provider, and where it stands.
struct ProviderDraft {
    var name: String
    var configuration: ProviderConfiguration?
    var mount: MountPath?
    var listen: ListenAddress?
    var listenTLS: ListenerTLS?
    var place: YAMLValue?
    var places: [ConfigurationReader.ProviderKey: YAMLValue] = [:]

    /// The value of `key` as the file has it; `fallback` where it has none.
    func quoted(_ key: ConfigurationReader.ProviderKey, else fallback: String) -> String {
        places[key]?.quoted ?? "'\(fallback)'"
    }

    /// Reports at the value of `key`, or at the provider where the file has none.
    func report(_ reason: String, at key: ConfigurationReader.ProviderKey) {
        (places[key] ?? place)?.report(reason)
    }
}

extension ConfigurationReader {
    /// The providers of a file that names none.
    func builtInProviders() -> [ProviderDraft] {
        ["lemlist", "lettr"].map { name in
            let nothing = YAMLValue(node: Node([(Node, Node)]()), key: "providers.\(name)", reading: reading)
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
        return members.compactMap { name, value in
            guard ProviderConfiguration.isValid(name: name) else {
                value.report("a provider's name \(InvalidSetting.name.reason)")
                return nil
            }
            return provider(name: name, from: value)
        }
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
        let upstream = upstream(of: draft, profile: profile)

        // Everything is read even if the upstream is missing, so that all mistakes are found.
        guard let standIn = upstream ?? (try? UpstreamURL(parsing: "https://unknown.invalid")) else {
            return draft
        }
        var provider = ProviderConfiguration(
            name: name, profile: profile?.name ?? "", mount: draft.mount, listen: draft.listen,
            upstream: standIn,
            limits: profile?.defaults.limits ?? [])
        provider.listenTLS = draft.listenTLS
        for (key, value) in places { read(key, from: value, into: &provider) }
        if !provider.upstream.isTLS, provider.tls != TLSConfiguration(), upstream != nil {
            draft.report("has no effect: the upstream is \(provider.upstream.scheme.rawValue)://", at: .tls)
        }
        provider.egressProxy = egressProxy(of: draft, to: provider.upstream)
        draft.configuration = upstream == nil ? nil : provider
        return draft
    }

    private func read(
        _ key: ProviderKey, from value: YAMLValue, into provider: inout ProviderConfiguration
    ) {
        switch key {
        case .profile, .mount, .listen, .upstream: break  // The draft has them.
        case .credential: provider.credential = value.secret
        case .errors:
            value.choice(ProviderConfiguration.ErrorForm.allCases.map { ($0.rawValue, $0) })
                .map { provider.errors = $0 }
        case .status:
            value.choice([("provider", false), ("canonical", true)]).map {
                provider.sendsCanonicalStatus = $0
            }
        case .upstreamBody: value.boolean.map { provider.includesUpstreamBody = $0 }
        case .limits: provider.limits = limits(from: value)
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
        case .tls: readTLS(from: value, into: &provider.tls)
        case .http:
            value.choice(HTTPVersion.allCases.map { ($0.rawValue, $0) }).map { provider.httpVersion = $0 }
        case .proxy: break  // Read when the upstream is known.
        case .rewriteLocations: value.boolean.map { provider.rewritesLocations = $0 }
        case .allowPrivate: value.boolean.map { provider.allowsPrivate = $0 }
        }
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

    private func upstream(
        of draft: ProviderDraft, profile: (name: String, defaults: ProfileDefaults)?
    ) -> UpstreamURL? {
        if let value = draft.places[.upstream] { return value.upstreamURL }
        // Without its profile nobody knows whether an upstream is missing.
        guard let profile else { return nil }
        guard let text = profile.defaults.upstream else {
            draft.place?.report("needs `upstream`: the profile '\(profile.name)' has none")
            return nil
        }
        do {
            return try UpstreamURL(parsing: text)
        } catch {
            draft.place?.report("the upstream of the profile '\(profile.name)' \(error.reason)")
            return nil
        }
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

    private func readTLS(from value: YAMLValue, into tls: inout TLSConfiguration) {
        var places: [TLSKey: YAMLValue] = [:]
        for (key, value) in value.members(of: TLSKey.self) {
            places[key] = value
            switch key {
            case .caFile: tls.caFile = value.readableFile
            case .clientCertificate: tls.clientCertificate = value.readableFile
            case .clientKey: tls.clientKey = value.readableFile
            case .minimumVersion: value.tlsVersion.map { tls.minimumVersion = $0 }
            }
        }
        if let key = places[.clientKey], places[.clientCertificate] == nil {
            key.report("needs `client_certificate`, which the key belongs to")
        }
    }
}
