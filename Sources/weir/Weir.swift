internal import ArgumentParser

/// The program.
@main
struct Weir: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract:
            "A sidecar for the APIs that an app calls: forwards, paces, and turns every error into one schema.",
        version: Versions.text,
        subcommands: [
            RunCommand.self, CheckCommand.self, ExplainCommand.self, ProfileCommand.self, SandboxCommand.self,
            HealthcheckCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    /// Runs the command that the arguments name.
    static func main() {
        StandardStreams.open()
        main(ProcessArguments.all)
    }
}
