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
            Flags override the environment (WEIR_LISTEN, WEIR_ADMIN_LISTEN, WEIR_WORKERS, WEIR_LOG_LEVEL, \
            WEIR_ACCESS_LOG), which overrides the file.
            """)

    @Option(
        help: ArgumentHelp(
            "The configuration file (YAML); without one, built-in defaults.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "A provider at /NAME, with the built-in profile of that name; repeat it for more. For runs without a file.",
            valueName: "name[=upstream]"))
    var provider: [String] = []

    @Flag(
        help:
            "Also start a sandbox that imitates the providers of all built-in profiles, and route their requests to it."
    )
    var sandbox = false

    @OptionGroup var settings: SettingOptions

    mutating func run() throws {
        Allocator.load()
        guard provider.isEmpty || config == nil else {
            throw ValidationError("--provider is for runs without --config: the file has the providers.")
        }
        let loader = ConfigurationLoader(
            path: config, namedProviders: provider.map(NamedProvider.init), overrides: settings.overrides)
        var loaded = try loader.loadOrReport()
        let writer = try LogWriter()
        let level = LogLevelSwitch(Logger.Level(loaded.configuration.logLevel))
        let logger = Logger(label: "weir", factory: { _ in JSONLogHandler(writer: writer, level: level) })
        // Before any thread is started, since threads inherit the signal mask.
        let signals = ProcessSignals(reloads: true)
        let quit = QuitRequest()
        let sandboxServer = sandbox ? try Self.startSandbox() : nil
        if let sandboxServer { loaded.point(to: sandboxServer) }
        let server: ProxyServer
        do {
            server = try ProxyServer(
                configuration: loaded.configuration, normalizers: loaded.normalizers,
                environment: ProxyServer.Environment(
                    build: Versions.build, problemSchema: BuiltIn.problemSchema, logger: logger,
                    droppedLogLines: { writer.droppedLines },
                    control: ProcessControl(quit: quit, level: level)))
        } catch {
            writer.shutdown(within: .seconds(1))
            throw Failure.report("\(error)", Failure.unavailable)
        }
        let announcement = Announcement(
            server: server, configuration: loaded.configuration, sandbox: sandboxServer)
        SetupWarnings.log(loaded.configuration, isSandboxed: sandbox, to: logger)
        let isInteractive = StandardStreams.errorIsTerminal
        if !isInteractive { announcement.log(to: logger) }
        if isInteractive || sandboxServer != nil {
            writer.flush(within: .seconds(1))
            for line in announcement.lines { StandardStreams.printError(line) }
        }
        var reloader = ConfigurationReloader(
            loader: loader, configuration: loaded.configuration, server: server, sandbox: sandboxServer,
            level: level, logger: logger)
        let manager = ServiceManager(
            address: Environment.variable("NOTIFY_SOCKET"), readyStatus: "Listening on \(server.address)")
        manager?.report(.ready)
        let name = Self.serve(until: signals, with: &reloader, telling: manager, onTerminal: isInteractive)
        manager?.report(.stopping)
        signals.endAtOnce(onInterruptAfter: { server.removeSocketFiles() })
        logger.notice(
            "draining", metadata: quit.isRequested ? ["request": "POST /-/quit"] : ["signal": "\(name)"])
        if isInteractive {
            let limit = Spelling.duration(reloader.drain)
            StandardStreams.printError(
                "finishing requests in flight, for at most \(limit); press Ctrl-C to exit now")
        }
        server.drain()
        server.join()
        sandboxServer?.stop()
        logger.notice("stopped")
        writer.shutdown(within: .seconds(2))
    }

    private static func startSandbox() throws -> Sandbox {
        try Sandbox.startOrReport(SandboxSelection.builtIn(), at: .tcp(.v4(0x7F00_0001), port: 0))
    }

    /// Waits for the signal to shut down, and reloads in the meantime; returns the signal's name.
    private static func serve(
        until signals: ProcessSignals, with reloader: inout ConfigurationReloader,
        telling manager: ServiceManager?,
        onTerminal: Bool
    ) -> String {
        while true {
            switch signals.wait(atMost: reloader.timeUntilCheck) {
            case .stop(let name): return name
            case .reload:
                // The terminal was closed; this SIGHUP is not a request to reload.
                if onTerminal, !StandardStreams.errorIsTerminal { return "SIGHUP" }
                manager?.report(.reloading)
                reloader.reload(because: "SIGHUP")
                manager?.report(.ready)
            case nil: reloader.check()
            }
        }
    }
}
