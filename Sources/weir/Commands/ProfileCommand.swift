internal import ArgumentParser
internal import Configuration
internal import ContentCoding
internal import Core
internal import Wire

/// `weir profile`: lists profiles and runs their cases.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "List the profiles, run their recorded cases, or try a place.",
        subcommands: [ProfileListCommand.self, ProfileTestCommand.self, ProfileAtCommand.self])
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

/// `weir profile test`: runs recorded cases.
struct ProfileTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run a profile's recorded cases; exit 1 if one fails.",
        discussion: "The cases of the generic profile are also run with every profile.")

    @Argument(
        help: ArgumentHelp(
            "A built-in profile or a profile file; default: all built-in profiles.", valueName: "name|file"))
    var profile: String?

    mutating func run() throws {
        let library = try ProfileLibrary()
        let builtIn = try ProfileLibrary.allWithCases()
        let profiles = try profile.map { name in
            [try builtIn.first { $0.name == name } ?? library.profileOrReport(named: name)]
        }
        let generic = builtIn.first { $0.name == "generic" }?.cases ?? []
        var allPassed = true
        for profile in profiles ?? builtIn {
            let others = profile.name == "generic" ? [] : generic
            allPassed = Self.test(profile, and: others) && allPassed
        }
        guard allPassed else { throw Failure.check }
    }

    /// Runs the profile's own cases and `others`, and prints those that fail.
    ///
    /// - Returns: whether all passed.
    private static func test(_ profile: Profile, and others: [ProfileCase]) -> Bool {
        let normalizer = ErrorNormalizer(profile: profile)
        var failures = 0
        for recorded in profile.cases + others {
            let mismatches = recorded.run(with: normalizer, on: answer(recorded))
            guard !mismatches.isEmpty else { continue }
            failures += 1
            let what = "\(recorded.id) (\(recorded.name))"
            StandardStreams.print("\(profile.name): \(what): \(mismatches.joined(separator: "; "))")
        }
        let cases =
            Spelling.count(profile.cases.count, "case")
            + (others.isEmpty ? "" : " and \(others.count) of the generic profile")
        StandardStreams.print(
            failures == 0
                ? "\(profile.name): \(cases), all passed"
                : "\(profile.name): \(cases), \(failures) failed")
        return failures == 0
    }

    /// The response as the proxy reads it.
    private static func answer(_ recorded: ProfileCase) -> ProviderAnswer {
        let fields = recorded.fields
        let decoded = BodyText.decode(
            recorded.body, coding: fields.list("Content-Encoding"), contentType: fields.first("Content-Type"),
            limit: SizeLimits().errorBody)
        return ProviderAnswer(
            status: recorded.status, fields: fields, body: decoded.bytes, isTruncated: decoded.isTruncated)
    }
}
