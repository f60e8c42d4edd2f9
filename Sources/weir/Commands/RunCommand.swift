internal import ArgumentParser
internal import BuiltIn
internal import Configuration
internal import Core
internal import Engine
internal import JSONLog
internal import Logging
internal import Sandbox

/// `weir run`: the proxy.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the proxy (the default command).",
        discussion: """
            Flags win over the environment (WEIR_LISTEN, WEIR_ADMIN_LISTEN, WEIR_WORKERS, WEIR_LOG_LEVEL, \
            WEIR_ACCESS_LOG), the environment wins over the file.
            """)

    @Option(
        help: ArgumentHelp(
            "The configuration file (YAML); without one, built-in defaults.", valueName: "file"))
    var config: String?

    @Flag(help: "Also start the imitations of lemlist and Lettr, and send their requests there.")
    var sandbox = false

    @OptionGroup var settings: SettingOptions

    mutating func run() throws {
        Allocator.load()
        let loader = ConfigurationLoader(path: config, overrides: settings.overrides)
        var loaded = try loader.loadOrTell()
        let writer = try LogWriter()
        let level = Logger.Level(loaded.configuration.logLevel)
        var logger = Logger(label: "weir", factory: { _ in JSONLogHandler(writer: writer, logLevel: level) })
        logger.logLevel = level
        // Before any thread: they inherit which signals are blocked.
        let signals = ProcessSignals(reloads: true)
        let imitations = sandbox ? try Sandbox.startOrTell(at: .tcp(.v4(0x7F00_0001), port: 0)) : nil
        if let imitations { loaded.point(to: imitations) }
        let server: ProxyServer
        do {
            server = try ProxyServer(
                configuration: loaded.configuration, normalizers: loaded.normalizers,
                environment: ProxyServer.Environment(
                    build: Versions.build, problemSchema: BuiltIn.problemSchema, logger: logger,
                    droppedLogLines: { writer.droppedLines }))
        } catch {
            writer.shutdown(within: .seconds(1))
            throw Failure.tell("\(error)", Failure.unavailable)
        }
        let announcement = Announcement(
            server: server, configuration: loaded.configuration, sandbox: imitations)
        let isWatched = StandardStreams.errorIsTerminal
        if !isWatched { announcement.log(to: logger) }
        if isWatched || imitations != nil {
            writer.flush(within: .seconds(1))
            for line in announcement.lines { StandardStreams.printError(line) }
        }
        var reloader = ConfigurationReloader(
            loader: loader, configuration: loaded.configuration, server: server, sandbox: imitations,
            logger: logger)
        let name = Self.serve(until: signals, with: &reloader, onTerminal: isWatched)
        signals.endAtOnce(onInterruptAfter: { server.removeSocketFiles() })
        logger.notice("draining", metadata: ["signal": "\(name)"])
        if isWatched {
            let limit = Spelling.duration(reloader.drain)
            StandardStreams.printError(
                "finishing what is in flight, for \(limit) at most; Ctrl-C ends it now")
        }
        server.drain()
        server.join()
        imitations?.stop()
        logger.notice("stopped")
        writer.shutdown(within: .seconds(2))
    }

    /// Waits for the signal to stop, and reloads meanwhile; returns the signal's name.
    private static func serve(
        until signals: ProcessSignals, with reloader: inout ConfigurationReloader, onTerminal: Bool
    ) -> String {
        while true {
            switch signals.wait(atMost: reloader.patience) {
            case .stop(let name): return name
            case .reload:
                // The terminal that it was started on is gone, and whoever sat there: nobody asks for a reload.
                if onTerminal, !StandardStreams.errorIsTerminal { return "SIGHUP" }
                reloader.reload(because: "SIGHUP")
            case nil: reloader.look()
            }
        }
    }
}
