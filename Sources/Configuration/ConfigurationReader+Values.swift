internal import Core

extension YAMLValue {
    /// The members of a section; an empty section has none.
    func members<Key: SectionKey>(of: Key.Type) -> [(key: Key, value: YAMLValue)] {
        guard !isNull else { return [] }
        return members(allowed: Key.allCases.map(\.rawValue)).compactMap { name, value in
            Key(rawValue: name).map { ($0, value) }
        }
    }

    /// The result of `parse` for the text; an error is reported, together with the text unless it `isSecret`.
    func parsed<Value>(
        isSecret: (String) -> Bool = { _ in false }, _ parse: (String) throws(InvalidSetting) -> Value
    ) -> Value? {
        guard let text = scalarText else { return nil }
        do {
            return try parse(text)
        } catch {
            report(isSecret(text) ? error.reason : "\(quoted) \(error.reason)")
            return nil
        }
    }

    var listenAddress: ListenAddress? {
        parsed { text throws(InvalidSetting) in try ListenAddress(parsing: text) }
    }

    /// A base URL; a URL with a user, a password or a query is not shown in mistakes, since it may contain a key.
    var upstreamURL: UpstreamURL? {
        parsed(isSecret: { $0.contains("@") || $0.contains("?") }) { text throws(InvalidSetting) in
            try UpstreamURL(parsing: text)
        }
    }

    /// A proxy; its user and password are not shown.
    var egressProxy: EgressProxy? {
        parsed(isSecret: { $0.contains("@") }) { text throws(InvalidSetting) in
            do throws(InvalidSetting) {
                return try EgressProxy(parsing: text)
            } catch {
                throw InvalidSetting("\(error.reason), or be `environment` or `none`")
            }
        }
    }

    /// The allowed names of a request's `Host`.
    var hostPatterns: [HostPattern] {
        let elements = elements
        guard elements.count <= ProxyConfiguration.maximumHosts else {
            report("has \(elements.count) names; allowed: at most \(ProxyConfiguration.maximumHosts)")
            return []
        }
        return distinct(elements) {
            $0.parsed { text throws(InvalidSetting) in try HostPattern(parsing: text) }
        }
    }

    var mountPath: MountPath? { parsed { text throws(InvalidSetting) in try MountPath(parsing: text) } }

    /// A number of workers, or `.some(nil)` for `auto`.
    var workers: Int?? {
        parsed { text throws(InvalidSetting) in
            if text == "auto" { return nil }
            guard let number = Int(text), ProxyConfiguration.workersRange.contains(number) else {
                throw InvalidSetting("must be auto or a whole number from 1 to 256")
            }
            return number
        }
    }

    /// The address of the shared ledger, or `.some(nil)` for `memory`; never shown, since it may contain a password.
    var ledgerAddress: LedgerAddress?? {
        parsed(isSecret: { _ in true }) { text throws(InvalidSetting) in
            text == "memory" ? nil : try LedgerAddress(parsing: text)
        }
    }

    /// What the URI of a problem's type begins with: a path or an http(s) URL; one with a user and password is not shown.
    var typeBase: String? {
        parsed(isSecret: { $0.contains("@") || $0.contains("?") }) { text throws(InvalidSetting) in
            let begins = text.hasPrefix("/") || text.hasPrefix("https://") || text.hasPrefix("http://")
            let isURI = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}?#".utf8.contains($0) }
            guard begins, isURI, !text.hasSuffix("/"), text.utf8.count <= 256, TypeBase.isValid(text) else {
                throw InvalidSetting(
                    "must be a path (/-/errors) or an http(s) URL, without user, password, query, fragment "
                        + "or '/' at the end, at most 256 bytes long")
            }
            return text
        }
    }

    /// A name that can be used as a label.
    var labelName: String? {
        parsed { text throws(InvalidSetting) in
            guard ProviderConfiguration.isValid(name: text) else { throw InvalidSetting.name }
            return text
        }
    }

    /// A key to be sent in a header field; it is never shown.
    var secret: Secret? {
        parsed(isSecret: { _ in true }) { text throws(InvalidSetting) in
            guard CredentialText.isValid(text) else {
                throw InvalidSetting(
                    "must be 1 to 4096 visible ASCII characters, blanks excluded (the value is not shown)")
            }
            return Secret(text)
        }
    }

    /// A token of callers; it is never shown.
    var accessToken: Secret? {
        let lengths = AccessTokens.lengths
        return parsed(isSecret: { _ in true }) { text throws(InvalidSetting) in
            guard lengths.contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                throw InvalidSetting(
                    "must be \(lengths.lowerBound) to \(lengths.upperBound) visible ASCII characters, blanks excluded "
                        + "(the value is not shown)")
            }
            return Secret(text)
        }
    }

    /// A token, or a list of tokens.
    var accessTokens: [Secret] {
        guard isSequence else { return accessToken.map { [$0] } ?? [] }
        let elements = filledElements
        guard elements.count <= AccessTokens.maximum else {
            report("has \(elements.count) tokens; allowed: at most \(AccessTokens.maximum)")
            return []
        }
        return elements.compactMap(\.accessToken)
    }

    /// The minimum level of log messages.
    var logLevel: LogLevel? { choice(LogLevel.allCases.map { ($0.rawValue, $0) }) }

    /// The path of a readable file.
    var readableFile: String? {
        parsed { path throws(InvalidSetting) in
            guard !path.isEmpty, reading.surroundings.file(path) != nil else {
                throw InvalidSetting("must be a readable file")
            }
            return path
        }
    }

    /// A duration, or `.some(nil)` for `off`.
    func durationOrOff(_ range: ClosedRange<Duration>) -> Duration?? {
        guard let text = scalarText else { return nil }
        return text == "off" ? .some(nil) : duration(text, in: range, alternative: ", or be off").map { $0 }
    }
}

extension InvalidSetting {
    static let name = InvalidSetting(
        "must be a lower-case letter, then letters, digits, '-' or '_', at most 32 in all")
}
