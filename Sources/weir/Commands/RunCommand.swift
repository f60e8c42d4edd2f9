internal import ArgumentParser
internal import BuiltIn
internal import Configuration
internal import JSONLog
internal import Logging
internal import ProxyCore
internal import ProxyEngine

/// `weir run`: the proxy.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the proxy (the default command).")

    @Option(help: "The configuration file (YAML); without one, built-in defaults.")
    var config: String?

    @OptionGroup var settings: SettingOptions

    mutating func run() throws {
        let loaded = try loadConfiguration()
        let writer = try LogWriter()
        let level = Logger.Level(loaded.configuration.logLevel)
        var logger = Logger(label: "weir", factory: { _ in JSONLogHandler(writer: writer, logLevel: level) })
        logger.logLevel = level
        // Before any thread: they inherit which signals are blocked.
        let signals = TerminationSignals()
        let server: ProxyServer
        do {
            server = try ProxyServer(
                configuration: loaded.configuration, normalizers: loaded.normalizers,
                environment: ProxyServer.Environment(
                    build: Versions.build, problemSchema: BuiltIn.problemSchema, logger: logger,
                    droppedLogLines: { writer.droppedLines }))
        } catch {
            writer.shutdown(within: .seconds(1))
            StandardError.print("weir: \(error)")
            throw ExitCode(69)
        }
        announce(server, logger)
        let name = signals.wait()
        logger.notice("draining", metadata: ["signal": "\(name)"])
        server.drain()
        server.join()
        logger.notice("stopped")
        writer.shutdown(within: .seconds(2))
    }

    private func loadConfiguration() throws -> LoadedConfiguration {
        do {
            return try ConfigurationLoader(path: config, overrides: settings.overrides).load()
        } catch {
            StandardError.print("\(error)")
            throw ExitCode(1)
        }
    }

    private func announce(_ server: ProxyServer, _ logger: Logger) {
        var metadata: Logger.Metadata = ["address": "\(server.address)"]
        if let admin = server.adminAddress { metadata["admin"] = "\(admin)" }
        for (provider, address) in server.providerAddresses {
            metadata["provider_\(provider)"] = "\(address)"
        }
        logger.notice("listening", metadata: metadata)
    }
}
