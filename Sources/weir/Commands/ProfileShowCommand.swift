internal import ArgumentParser
internal import BuiltIn
internal import Configuration
internal import Core

/// `weir profile show`: a profile with all that it inherits.
struct ProfileShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Print a profile as Weir understands it, with all that it inherits from the generic one.",
        discussion: """
            The output is a profile that inherits nothing and reads back to the same profile; recorded cases are left out. \
            ${…} stays as the file has it, so no secret is printed.
            """)

    @Argument(help: ArgumentHelp("A built-in profile or a profile file.", valueName: "name|file"))
    var profile: String

    @Flag(help: "Print JSON instead of YAML.")
    var json = false

    mutating func run() throws {
        let library = try ProfileLibrary()
        let read = try library.profileOrReport(named: profile)
        let tree: DocumentTree
        do {
            tree = try library.resolved(profile)
        } catch {
            StandardStreams.printError("\(error)")
            throw Failure.check
        }
        if json {
            var bytes: [UInt8] = []
            tree.writeJSON(into: &bytes) { JSONWriter.string($0, into: &$1) }
            return StandardStreams.print(IndentedJSON.lay(out: bytes))
        }
        let summary = Self.summary(of: read, own: try library.ownPart(of: profile))
        StandardStreams.print(
            summary.map { YAMLPrinter.comment($0) }.joined() + YAMLPrinter.print(tree).dropLast())
    }

    /// What matters most, a line each.
    private static func summary(of profile: Profile, own: Profile) -> [String] {
        var lines = ["\(profile.name), with all that it inherits from generic; without its recorded cases."]
        if profile.tiers.isEmpty {
            lines.append("limits: \(Spelling.limits(profile.limits))")
        } else {
            if !profile.limits.isEmpty {
                lines.append("limits of all tiers: \(Spelling.limits(profile.limits))")
            }
            for tier in profile.tiers {
                let mark = tier.name == profile.tier ? " (default)" : ""
                lines.append("limits of the tier \(tier.name)\(mark): \(Spelling.limits(tier.limits))")
            }
        }
        lines.append("credential: \(Spelling.credential(profile))")
        lines.append("errors: \((profile.errors ?? .problem).rawValue)")
        lines.append(
            "rules: \(own.rules.count) of its own, then \(profile.rules.count - own.rules.count) of generic")
        return lines
    }
}

extension Spelling {
    /// Where requests carry the key: `bearer or basic user; sent as bearer`.
    static func credential(_ profile: Profile) -> String {
        guard !profile.credentialPlaces.isEmpty else { return "none" }
        let found = profile.credentialPlaces.map(place).joined(separator: " or ")
        let sent = profile.credentialInjections.map { injection in
            let routes = injection.routes.map { "\($0)" }.joined(separator: ", ")
            return place(injection.place) + (routes.isEmpty ? "" : " for \(routes)")
        }
        return sent.isEmpty ? found : "\(found); sent as \(sent.joined(separator: " and "))"
    }

    /// A place as a profile spells it.
    private static func place(_ place: CredentialPlace) -> String {
        switch place {
        case .basicPassword: "basic"
        case .basicUser: "basic user"
        case .basicPair: "basic pair"
        case .bearer: "bearer"
        case .scheme(let name): "scheme \(name)"
        case .header(let name, let prefix):
            prefix.isEmpty ? "header \(name)" : "header \(name) behind '\(prefix)'"
        case .query(let name): "query \(name)"
        }
    }
}
