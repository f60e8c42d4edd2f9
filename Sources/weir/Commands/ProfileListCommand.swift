internal import ArgumentParser
internal import Configuration
internal import Core

/// `weir profile list`: the profiles that are part of the program.
struct ProfileListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the built-in profiles.")

    mutating func run() throws {
        var table = TextTable("profile", "upstream", "limits", "rules", "cases")
        for profile in try ProfileLibrary().builtIn {
            table.add(
                profile.name, profile.upstream ?? "any", Spelling.limits(profile.limits),
                "\(profile.rules.filter { $0.profile == profile.name }.count)", "\(profile.cases.count)")
        }
        for line in table.lines { StandardStreams.print(line) }
    }
}
