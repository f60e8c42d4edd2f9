internal import ArgumentParser

/// `weir profile`: what Weir knows about providers.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "List the profiles, or run their recorded cases.",
        subcommands: [ProfileListCommand.self, ProfileTestCommand.self])
}
