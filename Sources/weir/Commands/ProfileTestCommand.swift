internal import ArgumentParser
internal import BuiltIn
internal import Configuration
internal import Core

/// `weir profile test`: runs recorded cases.
struct ProfileTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run a profile's recorded cases; exit 1 if one comes out otherwise, or a rule has none.",
        discussion: """
            The cases of the generic profile are run with every profile. Cases of NAME.yaml may also be in NAME.cases.yaml beside it.
            """)

    @Argument(
        help: ArgumentHelp(
            "A built-in profile or a profile file; default: all built-in profiles.", valueName: "name|file"))
    var profile: String?

    @Flag(help: "Test the file again whenever it or its file of cases changes, until SIGINT.")
    var watch = false

    mutating func validate() throws {
        guard watch else { return }
        guard let profile, ProfileLibrary.isPath(profile) else {
            throw ValidationError("--watch needs the file of a profile, such as ./mine.yaml.")
        }
    }

    mutating func run() throws {
        guard watch, let profile else {
            guard try test() else { throw Failure.check }
            return
        }
        let signals = ProcessSignals(reloads: false)
        let files = [profile, ProfileLibrary.casesPath(of: profile)].compactMap { $0 }
        while true {
            let marks = files.map { FileMark($0) }
            let hasPassed = (try? test()) ?? false
            StandardStreams.print(
                "\(profile): \(hasPassed ? "passed" : "FAILED"); waiting for changes (Ctrl-C ends)")
            // A mark is that of the name's current file, so that an editor may replace it.
            repeat {
                if case .stop = signals.wait(atMost: .milliseconds(300)) { return }
            } while files.map({ FileMark($0) }) == marks
        }
    }

    /// Runs the cases and prints what they show; prints mistakes of the file as well, and throws the code.
    private func test() throws -> Bool {
        let library = try ProfileLibrary()
        let builtIn = try ProfileLibrary.allWithCases()
        let generic = builtIn.first { $0.name == "generic" }?.cases.filter(\.isEverywhere) ?? []
        guard let name = profile else {
            var allPassed = true
            for profile in builtIn {
                let others = profile.name == "generic" ? [] : generic
                let own = try library.ownPart(of: profile.name)
                let result = ProfileTesting(profile, own, and: others, isAlone: false)
                for line in result.lines { StandardStreams.print(line) }
                allPassed = result.hasPassed && allPassed
            }
            return allPassed
        }
        var profile = try builtIn.first { $0.name == name } ?? library.profileOrReport(named: name)
        do throws(ConfigurationMistakes) {
            if !builtIn.contains(where: { $0.name == name }) {
                profile.cases += try library.cases(beside: name)
            }
            let own = try library.ownPart(of: name)
            let others = profile.name == "generic" ? [] : generic
            let result = ProfileTesting(profile, own, and: others, isAlone: true)
            for line in result.lines { StandardStreams.print(line) }
            return result.hasPassed
        } catch {
            StandardStreams.printError("\(error)")
            throw Failure.check
        }
    }
}
