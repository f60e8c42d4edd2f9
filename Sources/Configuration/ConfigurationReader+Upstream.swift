internal import Core

/// The variables of a provider's URLs: what the configuration says of them, else what the profile says.
struct UpstreamResolution {
    private let draft: ProviderDraft
    /// What the profile says; nothing where another upstream is configured.
    let defaults: ProfileDefaults?
    private let given: [String: (value: UpstreamVariable?, place: YAMLValue)]
    /// The names that a URL has.
    private var used: Set<String> = []
    /// Whether all URLs could be read, so that it is known what they use.
    private var isComplete = true

    /// - Parameter isKnown: whether the URL is the profile's own: its variables hold for no other one.
    init(_ draft: ProviderDraft, _ defaults: ProfileDefaults?, isKnown: Bool) {
        self.draft = draft
        self.defaults = isKnown ? defaults : nil
        var given: [String: (value: UpstreamVariable?, place: YAMLValue)] = [:]
        for (name, value) in draft.places[.variables]?.filledMembers(allowed: nil) ?? [] {
            given[name] = (value.upstreamVariable(named: name), value)
        }
        self.given = given
    }

    /// The URL that a text stands for; its mistakes are reported at `place`.
    mutating func url(_ text: String, _ what: String, at place: YAMLValue?) -> UpstreamURL? {
        do throws(InvalidSetting) {
            guard UpstreamTemplate.hasVariables(text) else { return try UpstreamURL(parsing: text) }
            let template = try UpstreamTemplate(parsing: text)
            used.formUnion(template.names)
            guard let values = values(of: template, what, at: place) else { return nil }
            return try template.url { values[$0] }
        } catch {
            isComplete = false
            place?.report("\(what) \(error.reason)")
            return nil
        }
    }

    private func values(of template: UpstreamTemplate, _ what: String, at place: YAMLValue?) -> [String:
        String]?
    {
        var values: [String: String] = [:]
        var missing: [String] = []
        var isSound = true
        for name in template.names {
            let own = given[name]
            // A value that is wrong has been reported.
            if own != nil, own?.value == nil { isSound = false }
            switch own?.value ?? (own == nil ? defaults?.variables[name] : nil) {
            case .value(let value):
                values[name] = value
                guard let mistake = template.mistake(in: value, of: name) else { continue }
                (own?.place ?? place)?.report(
                    "\(own?.place.quoted ?? "'\(YAMLValue.printable(value))'") is no value of the variable '\(name)' of \(what): it \(mistake)"
                )
                isSound = false
            case .credential(let match):
                values[name] = part(of: template, name, match: match, what, at: own?.place ?? place)
                if values[name] == nil { isSound = false }
            case nil: if own == nil { missing.append(name) }
            }
        }
        guard missing.isEmpty else {
            (draft.places[.variables] ?? place)?.report(
                "needs \(missing.map { "`\($0)`" }.joined(separator: ", ")) in `variables`: \(what) has the variables "
                    + template.names.joined(separator: ", "))
            return nil
        }
        return isSound ? values : nil
    }

    /// What a pattern captures in the credential; never shown.
    private func part(
        of template: UpstreamTemplate, _ name: String, match: String, _ what: String, at place: YAMLValue?
    ) -> String? {
        guard template.position(of: name) != .host else {
            place?.report(
                "the variable '\(name)' of \(what) cannot come from the credential: it is the whole host")
            return nil
        }
        guard let credential = draft.credential else {
            // A credential that is wrong has been reported.
            if draft.places[.credential] == nil {
                place?.report(
                    "needs `credential`, or `\(name)` in `variables`: \(what) takes the variable '\(name)' from the credential, "
                        + "which Weir must hold for that")
            }
            return nil
        }
        guard let pattern = try? TextPattern(match), let text = pattern.capture(in: Text(credential.value))
        else {
            draft.report(
                "is not of the form from which \(what) takes the variable '\(name)' ('\(YAMLValue.printable(match))'); "
                    + "`\(name)` in `variables` gives it instead",
                at: .credential)
            return nil
        }
        if let mistake = template.mistake(in: "\(text)", of: name) {
            draft.report(
                "gives the variable '\(name)' of \(what) a value that is not allowed: it \(mistake)",
                at: .credential)
            return nil
        }
        return "\(text)"
    }

    /// Reports variables that no URL has.
    func reportUnused() {
        guard isComplete else { return }
        let names = used.isEmpty ? "none" : used.sorted().joined(separator: ", ")
        for (name, entry) in given.sorted(by: { $0.key < $1.key }) where !used.contains(name) {
            entry.place.report("has no effect: the variables of `upstream` and `hosts` are: \(names)")
        }
    }
}

extension ConfigurationReader {
    /// Where a provider's requests go.
    func upstream(
        of draft: ProviderDraft, profile: (name: String, defaults: ProfileDefaults)?,
        by resolution: inout UpstreamResolution
    ) -> UpstreamURL? {
        if let value = draft.places[.upstream] {
            guard let text = value.scalarText else { return nil }
            guard UpstreamTemplate.hasVariables(text) else { return value.upstreamURL }
            return resolution.url(text, value.quoted, at: value)
        }
        // Without its profile nobody knows whether an upstream is missing.
        guard let profile else { return nil }
        guard let text = profile.defaults.upstream else {
            let isByName = draft.places[.profile] == nil && draft.name != profile.name
            draft.place?.report(
                "needs `upstream`: "
                    + (isByName
                        ? "there is no profile '\(draft.name)' (`weir profile list` has them all), and '\(profile.name)' has none"
                        : "the profile '\(profile.name)' has none"))
            return nil
        }
        return resolution.url(text, "the upstream of the profile '\(profile.name)'", at: draft.place)
    }

    /// The further addresses of a provider: the profile's, unless its upstream was replaced, and the configuration's.
    func hosts(
        of draft: ProviderDraft, by resolution: inout UpstreamResolution
    ) -> [(name: String, url: UpstreamURL, place: YAMLValue?)] {
        var found: [(name: String, url: UpstreamURL, place: YAMLValue?)] = []
        let own = draft.places[.hosts]?.members(allowed: nil) ?? []
        if own.count > UpstreamHost.maximumCount {
            draft.report("has \(own.count) hosts; allowed: at most \(UpstreamHost.maximumCount)", at: .hosts)
            return []
        }
        for (name, value) in own {
            guard UpstreamHost.isValid(name: name) else {
                value.report("the name of a host \(InvalidSetting.name.reason)")
                continue
            }
            guard let text = value.nonEmptyString else { continue }
            if let url = resolution.url(text, value.quoted, at: value) { found.append((name, url, value)) }
        }
        for host in resolution.defaults?.hosts ?? [] where !own.contains(where: { $0.name == host.name }) {
            let what = "the host '\(host.name)' of the profile"
            if let url = resolution.url(host.url, what, at: draft.place) {
                found.append((host.name, url, draft.place))
            }
        }
        return found
    }

    /// A further address as a provider of its own, below the mount of the one whose account it shares.
    func host(
        _ host: (name: String, url: UpstreamURL, place: YAMLValue?), of provider: ProviderConfiguration,
        _ draft: ProviderDraft
    ) -> ProviderDraft {
        var copy = ProviderDraft(name: "\(provider.name)-\(host.name)", place: host.place)
        var configuration = provider
        configuration.name = copy.name
        configuration.account = provider.name
        configuration.upstream = host.url
        (configuration.listen, configuration.listenTLS) = (nil, nil)
        if !ProviderConfiguration.isValid(name: copy.name) {
            host.place?.report("the name '\(copy.name)', of provider and host, has more than 32 characters")
        }
        if let mount = draft.mount {
            let path = mount.path == "/" ? "/\(host.name)" : "\(mount.path)/\(host.name)"
            copy.mount = try? MountPath(parsing: path)
            if copy.mount == nil { host.place?.report("the mount '\(path)' is too long") }
        } else {
            host.place?.report("needs `mount` at the provider: the host is reached below it")
        }
        configuration.mount = copy.mount
        copy.configuration = configuration
        return copy
    }
}

extension UpstreamHost {
    /// Whether a host may be called so: it is a segment of a path, and a part of a label of metrics.
    static func isValid(name: String) -> Bool { ProviderConfiguration.isValid(name: name) }
}

extension YAMLValue {
    /// A value, or `{ from: credential, match: PATTERN }`.
    func upstreamVariable(named name: String) -> UpstreamVariable? {
        guard UpstreamTemplate.isName(name) else {
            report(
                "the name of a variable must be a lower-case letter, then lower-case letters, digits and _, at most 32 in all"
            )
            return nil
        }
        guard isMapping else { return nonEmptyString.map { .value($0) } }
        var match: String?
        var given: Set<String> = []
        for (key, value) in members(allowed: ["from", "match"]) {
            given.insert(key)
            if key == "from" {
                guard let text = value.scalarText, text != "credential" else { continue }
                value.report("\(value.quoted) must be credential")
            } else if let text = value.nonEmptyString {
                do throws(PatternError) {
                    _ = try TextPattern(text)
                    match = text
                } catch {
                    value.report("is not a regular expression: \(error)")
                }
            }
        }
        guard given.count == 2 else {
            report("needs 'from' and 'match', or is a value")
            return nil
        }
        return match.map { .credential(match: $0) }
    }
}
