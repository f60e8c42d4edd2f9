internal import ArgumentParser

/// The program.
@main
struct Weir: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract:
            "A sidecar for third-party APIs: forwards requests, paces them, and turns every error into one format.",
        version: Versions.text,
        subcommands: [
            RunCommand.self, CheckCommand.self, DoctorCommand.self, ExplainCommand.self, ProfileCommand.self,
            SandboxCommand.self,
            HealthcheckCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    /// Runs the command named by the arguments.
    static func main() {
        StandardStreams.open()
        main(ProcessArguments.all)
    }
}
