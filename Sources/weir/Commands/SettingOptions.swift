internal import ArgumentParser
internal import Configuration
internal import Glibc

/// The flags that override environment and file.
struct SettingOptions: ParsableArguments {
    @Option(help: "Where to listen: HOST:PORT, [IPV6]:PORT or unix:PATH.")
    var listen: String?

    @Option(help: "Where the admin paths are served: HOST:PORT. Without it, beside the providers.")
    var adminListen: String?

    @Option(help: "How many workers: auto, or a number.")
    var workers: String?

    @Option(help: "What is logged: trace, debug, info, notice, warning, error, critical.")
    var logLevel: String?

    @Option(help: "One line per exchange: on or off.")
    var accessLog: String?

    var overrides: ConfigurationOverrides {
        var flags: [ConfigurationOverrides.Setting: String] = [:]
        flags[.listen] = listen
        flags[.adminListen] = adminListen
        flags[.workers] = workers
        flags[.logLevel] = logLevel
        flags[.accessLog] = accessLog
        return ConfigurationOverrides(
            flags: flags, variable: { unsafe getenv($0).map { unsafe String(cString: $0) } })
    }
}
