internal import ArgumentParser
internal import Configuration
internal import Core

/// `weir doctor`: checks the set-up against the real world.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check names, TLS, credentials, limits, the shared ledger and this machine.",
        discussion: """
            Each provider whose profile names a probe gets one authenticated GET, paced like any other request, if Weir holds its \
            credential. No key is printed. Exits 1 if something is wrong; warnings do not count.
            """)

    @Option(help: ArgumentHelp("The configuration file (YAML).", valueName: "file"))
    var config: String?

    @Flag(help: "Do not use the network.")
    var offline = false

    @Flag(help: "Print JSON.")
    var json = false

    mutating func run() throws {
        let loader = ConfigurationLoader(path: config, overrides: .environment)
        let loaded = try loader.loadOrReport()
        let doctor = Doctor(
            loaded: loaded, path: config, sources: loader.sources, isOffline: offline,
            progress: DoctorProgress())
        let report = DoctorReport(findings: doctor.examine())
        if json {
            StandardStreams.print(report.json)
        } else {
            for line in report.lines { StandardStreams.print(line) }
        }
        guard report.isHealthy else { throw Failure.check }
    }
}
