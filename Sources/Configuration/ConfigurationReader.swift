public import Core

/// Reads the configuration file, and returns either one value or all mistakes.
public struct ConfigurationReader {
    let reading: YAMLReading
    let profiles: (String) -> ProfileDefaults?
    /// The position of `admin.listen`: in the file or in an override.
    var adminListen: YAMLValue?
    /// The positions of `replicas` and `ledger`.
    var replicas: YAMLValue?
    var ledger: YAMLValue?
    /// Whether `listen` is valid, so that other addresses can be compared with it.
    var isListenSound = true

    /// The largest file, in bytes.
    static let maximumFileSize = 1 << 20
    /// The maximum number of aliases (`*name`): each may expand to many others, so a short file could become very
    /// large.
    static let maximumAliases = 32

    /// Reads a configuration.
    ///
    /// Absent keys have their defaults; an empty file means
    /// ``ProxyConfiguration/builtIn(surroundings:profiles:overrides:)``.
    /// - Parameters:
    ///   - text: YAML; at most 1 MiB.
    ///   - file: The file's name, for mistakes.
    ///   - surroundings: Where `${VAR}`, `${file:PATH}` and the named files are looked up.
    ///   - profiles: Returns the defaults of a profile, by its name or its file's path; `nil` if there is none.
    ///   - overrides: Settings from flags and environment variables.
    /// - Throws: all mistakes: those of flags and variables, then those of the file in its order.
    public static func read(
        text: String, file: String, surroundings: Surroundings,
        profiles: @escaping (String) -> ProfileDefaults?,
        overrides: ConfigurationOverrides = ConfigurationOverrides()
    ) throws(ConfigurationMistakes) -> ProxyConfiguration {
        let reading = YAMLReading(file: file, surroundings: surroundings)
        var reader = ConfigurationReader(reading: reading, profiles: profiles)
        let root = isReadable(text, reading: reading) ? reading.parse(text) : nil
        return try reader.configuration(root: root, overrides: overrides)
    }

    private mutating func configuration(
        root: YAMLValue?, overrides: ConfigurationOverrides
    ) throws(ConfigurationMistakes) -> ProxyConfiguration {
        var result = ProxyConfiguration(providers: [])
        var places: [TopKey: YAMLValue] = [:]
        for (key, value) in root?.members(of: TopKey.self) ?? [] {
            places[key] = value
            read(key, from: value, into: &result)
        }
        let overriding = overrides.apply(to: &result)
        if let value = overriding[.listen] { isListenSound = value.reading.mistakes.isEmpty }
        // A conflict caused by a port from the command line is reported for the command line.
        if let value = overriding[.adminListen] ?? overriding[.listen] { adminListen = value }
        var drafts: [ProviderDraft] = []
        if let providers = places[.providers] {
            drafts = self.providers(from: providers)
        } else if root != nil || reading.mistakes.isEmpty {
            drafts = builtInProviders()
        }
        check(result, drafts: drafts)
        result.providers = drafts.compactMap(\.configuration)
        let settings = ConfigurationOverrides.Setting.allCases
        try reading.throwMistakes(after: settings.flatMap { overriding[$0]?.reading.mistakes ?? [] })
        precondition(result.providers.count == drafts.count, "a provider was dropped without a mistake")
        return result
    }

    private mutating func read(_ key: TopKey, from value: YAMLValue, into result: inout ProxyConfiguration) {
        switch key {
        case .listen:
            let listener = value.listener
            isListenSound = listener.address != nil
            listener.address.map { result.listen = $0 }
            result.listenTLS = listener.tls
        case .hosts: result.hosts = value.hostPatterns
        case .admin:
            for (key, value) in value.members(of: AdminKey.self) {
                switch key {
                case .listen:
                    result.adminListen = value.plainListener
                    adminListen = value
                case .token: value.accessToken.map { result.adminToken = $0 }
                }
            }
        case .access:
            for (key, value) in value.members(of: AccessKey.self) {
                switch key {
                case .token: result.accessTokens = AccessTokens(value.accessTokens)
                }
            }
        case .workers: value.workers.map { result.workers = $0 }
        case .replicas:
            value.integer(ProxyConfiguration.replicasRange).map { result.replicas = $0 }
            replicas = value
        case .ledger:
            value.sharedLedger.map { result.ledger = $0 }
            ledger = value
        case .log:
            for (key, value) in value.members(of: LogKey.self) {
                switch key {
                case .access: value.boolean.map { result.logsAccess = $0 }
                case .level: value.logLevel.map { result.logLevel = $0 }
                }
            }
        case .tracing: result.tracing = value.tracing
        case .reload:
            for (key, value) in value.members(of: ReloadKey.self) {
                switch key {
                case .onChange: value.boolean.map { result.reloadsOnChange = $0 }
                }
            }
        case .typeBase: value.typeBase.map { result.typeBase = $0 }
        case .limits: readLimits(from: value, into: &result)
        case .providers: break  // Read when the places of all others are known.
        }
    }

    /// Whether the text can be parsed safely; reports what would overload the parser.
    private static func isReadable(_ text: String, reading: YAMLReading) -> Bool {
        let size = text.utf8.count
        guard size <= maximumFileSize else {
            reading.report(
                "has \(size) bytes; allowed: at most \(YAMLValue.spell(bytes: maximumFileSize))", key: "",
                line: 1, column: 1)
            return false
        }
        var aliases = 0
        var before = UInt8(ascii: "\n")
        var isMarked = false
        for byte in text.utf8 {
            if isMarked, byte > 0x20, byte != UInt8(ascii: "*") { aliases += 1 }
            isMarked = byte == UInt8(ascii: "*") && (before <= 0x20 || "[{,:?".utf8.contains(before))
            before = byte
        }
        guard aliases <= maximumAliases else {
            reading.report(
                "has \(aliases) aliases (`*name`); allowed: at most \(maximumAliases)", key: "", line: 1,
                column: 1)
            return false
        }
        return true
    }
}

extension ProxyConfiguration {
    /// The configuration without a file: `127.0.0.1:8080`, lemlist at `/lemlist`, Lettr at `/lettr`.
    ///
    /// - Parameters:
    ///   - surroundings: Not used by the defaults.
    ///   - profiles: The defaults of the profiles `lemlist` and `lettr`.
    ///   - overrides: Settings from flags and environment variables.
    /// - Throws: the mistakes of the overrides.
    public static func builtIn(
        surroundings: Surroundings = .none, profiles: @escaping (String) -> ProfileDefaults?,
        overrides: ConfigurationOverrides = ConfigurationOverrides()
    ) throws(ConfigurationMistakes) -> ProxyConfiguration {
        try ConfigurationReader.read(
            text: "", file: "(built-in)", surroundings: surroundings, profiles: profiles, overrides: overrides
        )
    }
}
