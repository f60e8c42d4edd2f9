internal import ArgumentParser
internal import BuiltIn
internal import Configuration
internal import Core

/// `weir profile`: lists profiles and runs their cases.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "List, show, draft and test profiles.",
        subcommands: [
            ProfileListCommand.self, ProfileShowCommand.self, ProfileDraftCommand.self,
            ProfileTestCommand.self,
            ProfileAtCommand.self,
            ProfileSuggestCommand.self, ProfilePageCommand.self, ProfileSchemaCommand.self,
        ])
}

/// `weir profile list`: the profiles that are part of the program.
struct ProfileListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the built-in profiles.")

    mutating func run() throws {
        var table = TextTable("profile", "upstream", "limits", "rules", "cases")
        for profile in try ProfileLibrary.allWithCases() {
            table.add(
                profile.name, profile.upstream ?? "any", Spelling.limits(profile.usualLimits),
                "\(profile.rules.filter { $0.profile == profile.name }.count)", "\(profile.cases.count)")
        }
        for line in table.lines { StandardStreams.print(line) }
    }
}

/// `weir profile schema`: what editors check profile files with.
struct ProfileSchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of profile files, for editors.")

    mutating func run() { StandardStreams.print(BuiltIn.profileSchema) }
}
