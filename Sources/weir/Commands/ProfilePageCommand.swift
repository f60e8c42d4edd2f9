internal import ArgumentParser
internal import BuiltIn
internal import Configuration
internal import Core

/// `weir profile page`: a page of documentation about a built-in profile.
struct ProfilePageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "page",
        abstract: "Print the page of docs/providers/ about a built-in profile, or the index of all.")

    @Argument(help: ArgumentHelp("A built-in profile; default: the index.", valueName: "name"))
    var profile: String?

    mutating func run() throws {
        let profiles = try ProfileLibrary.allWithCases()
        guard let name = profile else {
            return StandardStreams.print(String(ProfilePage.index(of: profiles).dropLast()))
        }
        guard let profile = profiles.first(where: { $0.name == name }),
            let text = BuiltIn.profile(named: name)
        else {
            let names = ProfileLibrary.names.joined(separator: ", ")
            throw Failure.report("there is no built-in profile '\(name)'; there are: \(names)", Failure.usage)
        }
        let own = try ProfileLibrary().ownPart(of: name)
        StandardStreams.print(String(ProfilePage(profile, own: own, source: text).text.dropLast()))
    }
}
