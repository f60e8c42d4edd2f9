internal import ArgumentParser
internal import BuiltIn
internal import Configuration
internal import Core

/// `weir check`: validates a configuration file.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validate a configuration file and report all mistakes at once.",
        discussion:
            "Flags and WEIR_… variables are ignored; the targets of ${VAR} and ${file:PATH} must exist.")

    @Argument(help: "The configuration file (YAML), or - for standard input.")
    var file: String?

    @Flag(help: "Print the JSON Schema of the configuration instead.")
    var printSchema = false

    mutating func validate() throws {
        if file == nil, !printSchema { throw ValidationError("Missing expected argument '<file>'") }
    }

    mutating func run() throws {
        if printSchema { return StandardStreams.print(BuiltIn.configurationSchema) }
        let loaded = try ConfigurationLoader(path: file).loadOrReport()
        let summary = ConfigurationSummary(configuration: loaded.configuration)
        let admin = loaded.configuration.adminListen.map { ", the admin paths on \($0)" } ?? ""
        let tls = loaded.configuration.listenTLS == nil ? "" : " (TLS)"
        StandardStreams.print(
            "\(file ?? "") is valid; Weir would listen on \(loaded.configuration.listen)\(tls)\(admin)")
        for line in summary.lines + summary.exposedKeys { StandardStreams.print(line) }
    }
}
