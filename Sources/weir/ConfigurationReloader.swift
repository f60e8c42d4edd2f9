internal import Configuration
internal import Core
internal import Engine
internal import Logging
internal import Sandbox

/// Reads the configuration again when a signal asks for it or a file has changed, and hands it to the server.
///
/// Changes are looked for by polling. That sees a file that is written in place, renamed over or reached through a
/// symbolic link that is swapped (a Kubernetes ConfigMap) in one and the same way, on every file system, and needs none of
/// the few inotify instances that all containers of a user share on a node. What decides is the bytes.
struct ConfigurationReloader {
    /// How often files are looked at, and how long a changed one must stay as it is before it is read.
    private static let period = Duration.seconds(1)
    private static let settling = Duration.milliseconds(250)

    private let path: String?
    private let overrides: ConfigurationOverrides
    private let server: ProxyServer
    private let sandbox: Sandbox?
    private let logger: Logger
    /// What the last reading read, whether it was taken or not.
    private var sources: SourceFiles
    /// What the configuration in force was read from.
    private var inForce: [String: Int?]
    private var looksForChanges: Bool
    /// How long what is in flight may go on at the end.
    private(set) var drain: Duration
    /// What has changed, and may not be written to its end.
    private var unsettled: [String: Int?]?

    init(
        loader: ConfigurationLoader, configuration: ProxyConfiguration, server: ProxyServer,
        sandbox: Sandbox?,
        logger: Logger
    ) {
        path = loader.path
        overrides = loader.overrides
        self.server = server
        self.sandbox = sandbox
        self.logger = logger
        sources = loader.sources
        inForce = loader.sources.contents
        looksForChanges = configuration.reloadsOnChange
        drain = configuration.drain
    }

    /// How long to wait until ``look()`` is due; `nil` if it never is.
    var patience: Duration? {
        guard path != nil, looksForChanges else { return nil }
        return unsettled == nil ? Self.period : Self.settling
    }

    /// Looks for changes, and reloads once they have settled.
    mutating func look() {
        guard path != nil, looksForChanges else { return }
        let current = sources.currentContents()
        guard current != sources.contents else {
            unsettled = nil
            return
        }
        guard current == unsettled else {
            unsettled = current
            return
        }
        reload(because: "a file has changed")
    }

    /// Reads everything again: takes it, or tells its mistakes and leaves all as it was.
    ///
    /// - Parameter reason: for the log.
    mutating func reload(because reason: String) {
        guard let path else {
            logger.notice(
                "nothing to reload: there is no configuration file", metadata: ["because": "\(reason)"])
            return
        }
        unsettled = nil
        sources = SourceFiles(after: sources)
        let loader = ConfigurationLoader(
            path: path, overrides: overrides, sources: sources, takesEmptyFile: false)
        do {
            var loaded = try loader.load()
            looksForChanges = loaded.configuration.reloadsOnChange
            drain = loaded.configuration.drain
            if let sandbox { loaded.point(to: sandbox) }
            if sources.contents == inForce {
                server.confirmConfiguration()
                logger.notice(
                    "configuration unchanged", metadata: ["file": "\(path)", "because": "\(reason)"])
            } else {
                inForce = sources.contents
                tell(server.reload(loaded.configuration, normalizers: loaded.normalizers), of: path, reason)
            }
        } catch {
            server.rejectConfiguration(error.all.map(\.place))
            logger.error(
                "configuration not reloaded, the old one stays in force",
                metadata: [
                    "file": "\(path)", "because": "\(reason)",
                    "mistakes": .array(error.all.map { .string($0.description) }),
                ])
        }
    }

    private func tell(_ change: ConfigurationChange, of path: String, _ reason: String) {
        var metadata: Logger.Metadata = ["file": "\(path)", "because": "\(reason)"]
        for (name, values) in [
            ("added", change.added), ("changed", change.changed), ("removed", change.removed),
        ] where !values.isEmpty {
            metadata[name] = .array(values.map { .string($0) })
        }
        logger.notice("configuration reloaded", metadata: metadata)
        guard !change.needsRestart.isEmpty else { return }
        logger.warning(
            "a part of the configuration needs a restart, and is as it was until then",
            metadata: ["file": "\(path)", "keys": .array(change.needsRestart.map { .string($0) })])
    }
}

extension ConfigurationMistake {
    /// Where it is and which key it is of, without what stands there: for a page that more people see than the log.
    fileprivate var place: String {
        let place = line == 0 ? file : "\(file):\(line):\(column)"
        return key.isEmpty ? place : "\(place): \(key)"
    }
}
