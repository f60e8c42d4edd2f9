internal import ArgumentParser
internal import BuiltIn
internal import Configuration
internal import ContentCoding
internal import Core
internal import Wire

/// `weir profile`: lists profiles and runs their cases.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile",
        abstract: "List the profiles, run their recorded cases, try a place, or print their schema.",
        subcommands: [
            ProfileListCommand.self, ProfileTestCommand.self, ProfileAtCommand.self,
            ProfileSchemaCommand.self,
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

/// `weir profile test`: runs recorded cases.
struct ProfileTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run a profile's recorded cases; exit 1 if one comes out otherwise, or a rule has none.",
        discussion: "The cases of the generic profile are run with every profile.")

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
        let generic = builtIn.first { $0.name == "generic" }?.cases.filter(\.isEverywhere) ?? []
        var allPassed = true
        for profile in profiles ?? builtIn {
            let others = profile.name == "generic" ? [] : generic
            let own = try library.ownPart(of: self.profile ?? profile.name)
            allPassed = Self.test(profile, own, and: others, isAlone: self.profile != nil) && allPassed
        }
        guard allPassed else { throw Failure.check }
    }

    /// Runs the profile's own cases and `others`; prints what comes out otherwise, and what no case of its own reaches.
    ///
    /// - Parameters:
    ///   - own: the profile without what the generic one adds.
    ///   - isAlone: whether no other is tested: then places that found nothing are printed as well.
    /// - Returns: whether all came out as they should, and each rule was reached.
    private static func test(
        _ profile: Profile, _ own: Profile, and others: [ProfileCase], isAlone: Bool
    ) -> Bool {
        let normalizer = ErrorNormalizer(profile: profile)
        var coverage = ProfileCoverage(of: own, normalizer: normalizer)
        var failures = 0
        for (index, recorded) in (profile.cases + others).enumerated() {
            let answer = answer(recorded)
            if index < profile.cases.count { coverage.add(recorded, answer) }
            let mismatches = recorded.run(with: normalizer, on: answer)
            guard !mismatches.isEmpty else { continue }
            failures += 1
            let what = "\(recorded.id) (\(recorded.name))"
            StandardStreams.print("\(profile.name): \(what): \(mismatches.joined(separator: "; "))")
        }
        let missed = coverage.missedRules
        for rule in missed {
            let place = "the rule '\(rule.name)' (rules[\(rule.index)])"
            StandardStreams.print(
                rule.hiddenBy.map {
                    "\(profile.name): \(place) can never decide: '\($0)' before it takes all its responses"
                } ?? "\(profile.name): no case reaches \(place)")
        }
        let silent = coverage.silentPlaces
        // Of all profiles at once this would be too much.
        if isAlone, !silent.isEmpty {
            StandardStreams.print(
                "\(profile.name): these places found nothing in any case: \(silent.joined(separator: ", "))")
        }
        let cases =
            Spelling.count(profile.cases.count, "case")
            + (others.isEmpty ? "" : " and \(others.count) of the generic profile")
        let outcome = failures == 0 ? "all as recorded" : "\(failures) not as recorded"
        StandardStreams.print(
            "\(profile.name): \(cases), \(outcome); \(coverage.reachedCount) of "
                + "\(Spelling.count(own.rules.count, "rule")) reached")
        return failures == 0 && missed.isEmpty
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
