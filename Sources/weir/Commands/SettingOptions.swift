internal import ArgumentParser
internal import Configuration

/// The flags that override environment and file.
struct SettingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Where to listen: IP:PORT, [IPV6]:PORT or unix:/PATH.", valueName: "address"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Where to serve the admin paths; default: the same address as the providers.",
            valueName: "address"))
    var adminListen: String?

    @Option(help: ArgumentHelp("Event loops: auto (one per core), or 1 to 256.", valueName: "number"))
    var workers: String?

    @Option(
        help: ArgumentHelp(
            "The minimum level to log: trace, debug, info, notice, warning, error or critical.",
            valueName: "level"))
    var logLevel: String?

    @Option(help: ArgumentHelp("One log line per exchange: on or off.", valueName: "on|off"))
    var accessLog: String?

    var overrides: ConfigurationOverrides {
        var flags: [ConfigurationOverrides.Setting: String] = [:]
        flags[.listen] = listen
        flags[.adminListen] = adminListen
        flags[.workers] = workers
        flags[.logLevel] = logLevel
        flags[.accessLog] = accessLog
        return ConfigurationOverrides(flags: flags, variable: Environment.variable)
    }
}
