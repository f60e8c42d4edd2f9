internal import Configuration
internal import Core
internal import Engine
internal import JSONLog
internal import Logging
internal import Sandbox

/// Reloads the configuration when a signal asks for it or a file has changed, and passes it to the server.
///
/// Changes are detected by polling file contents. This works the same on every file system for a file that is written
/// in place, renamed over, or reached through a replaced symbolic link (a Kubernetes ConfigMap). It also avoids
/// inotify instances, of which all containers of a user on a node share only a few.
struct ConfigurationReloader {
    /// How often files are checked, and how long a changed file must stay unchanged before it is read.
    private static let period = Duration.seconds(1)
    private static let settling = Duration.milliseconds(250)

    private let path: String?
    private let overrides: ConfigurationOverrides
    private let server: ProxyServer
    private let sandbox: Sandbox?
    private let level: LogLevelSwitch
    private let logger: Logger
    /// The files of the last reading, whether the configuration was accepted or not.
    private var sources: SourceFiles
    /// The contents from which the configuration in force was read.
    private var inForce: [String: Int?]
    private var reloadsOnChange: Bool
    /// How long exchanges in flight may take to finish at shutdown.
    private(set) var drain: Duration
    /// The changed contents, which may still be incomplete.
    private var unsettled: [String: Int?]?

    init(
        loader: ConfigurationLoader, configuration: ProxyConfiguration, server: ProxyServer,
        sandbox: Sandbox?, level: LogLevelSwitch, logger: Logger
    ) {
        path = loader.path
        overrides = loader.overrides
        self.server = server
        self.sandbox = sandbox
        self.level = level
        self.logger = logger
        sources = loader.sources
        inForce = loader.sources.contents
        reloadsOnChange = configuration.reloadsOnChange
        drain = configuration.drain
    }

    /// How long to wait until ``check()`` is due; `nil` if never.
    var timeUntilCheck: Duration? {
        guard path != nil, reloadsOnChange else { return nil }
        return unsettled == nil ? Self.period : Self.settling
    }

    /// Checks for changes, and reloads once they are stable.
    mutating func check() {
        guard path != nil, reloadsOnChange else { return }
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

    /// Reads all files again; applies the configuration, or reports its mistakes and changes nothing.
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
            path: path, overrides: overrides, sources: sources, acceptsEmptyFile: false)
        do {
            var loaded = try loader.load()
            reloadsOnChange = loaded.configuration.reloadsOnChange
            drain = loaded.configuration.drain
            level.level = Logger.Level(loaded.configuration.logLevel)
            if let sandbox { loaded.point(to: sandbox) }
            if sources.contents == inForce {
                server.confirmConfiguration()
                logger.notice(
                    "configuration unchanged", metadata: ["file": "\(path)", "because": "\(reason)"])
            } else {
                inForce = sources.contents
                SetupWarnings.log(loaded.configuration, isSandboxed: sandbox != nil, to: logger)
                report(server.reload(loaded.configuration, normalizers: loaded.normalizers), of: path, reason)
            }
        } catch {
            server.rejectConfiguration(error.all.map(\.place))
            logger.error(
                "configuration reload failed; the previous configuration stays in force",
                metadata: [
                    "file": "\(path)", "because": "\(reason)",
                    "mistakes": .array(error.all.map { .string($0.description) }),
                ])
        }
    }

    private func report(_ change: ConfigurationChange, of path: String, _ reason: String) {
        var metadata: Logger.Metadata = ["file": "\(path)", "because": "\(reason)"]
        for (name, values) in [
            ("added", change.added), ("changed", change.changed), ("removed", change.removed),
        ] where !values.isEmpty {
            metadata[name] = .array(values.map { .string($0) })
        }
        logger.notice("configuration reloaded", metadata: metadata)
        guard !change.needsRestart.isEmpty else { return }
        logger.warning(
            "some changes take effect only after a restart",
            metadata: ["file": "\(path)", "keys": .array(change.needsRestart.map { .string($0) })])
    }
}

extension ConfigurationMistake {
    /// The position and key of the mistake, without the file's text: for the status page, which more people see than
    /// the log.
    fileprivate var place: String {
        let place = line == 0 ? file : "\(file):\(line):\(column)"
        return key.isEmpty ? place : "\(place): \(key)"
    }
}
