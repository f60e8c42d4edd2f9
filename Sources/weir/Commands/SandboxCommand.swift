internal import ArgumentParser
internal import Core
internal import Sandbox

/// `weir sandbox`: the imitation providers alone.
struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Run only the sandbox, which imitates providers offline.",
        discussion: """
            With --profile, a configuration that points Weir at the sandbox is printed to standard output. Request \
            fields such as X-Sandbox-Case and X-Sandbox-Delay ask for recorded responses, delays and aborts; \
            docs/sandbox.md describes them.
            """)

    @Option(help: ArgumentHelp("Where to listen: IP:PORT or [IPV6]:PORT.", valueName: "address"))
    var listen = "127.0.0.1:8090"

    @Option(
        help: ArgumentHelp(
            "The profiles to imitate: names, perhaps with a tier, or paths, with commas between them, or all. Without it: lemlist and lettr.",
            valueName: "name[=tier],…"))
    var profile: [String] = []

    @Option(
        help: ArgumentHelp(
            "A file (YAML) that says which requests get delays, aborts and errors.", valueName: "file"))
    var behaviour: String?

    mutating func run() throws {
        let address: ListenAddress
        do {
            address = try ListenAddress(parsing: listen)
        } catch {
            throw Failure.report("--listen: '\(listen)' \(error.reason)", Failure.usage)
        }
        let selection = try SandboxSelection(names: SandboxSelection.names(profile))
        let rules = try behaviour.map(selection.rules) ?? []
        let signals = ProcessSignals(reloads: false)
        let sandbox = try Sandbox.startOrReport(selection, at: address, rules: rules)
        for line in SandboxMessage.lines(of: sandbox, profiles: sandbox.profiles) {
            StandardStreams.printError(line)
        }
        if !profile.isEmpty {
            StandardStreams.print(SandboxMessage.configuration(of: sandbox, selection))
        }
        _ = signals.wait(atMost: nil)
        sandbox.stop()
        for profile in sandbox.profiles {
            let counts = sandbox.counts(for: profile)
            StandardStreams.printError(
                "\(profile): \(Spelling.count(counts.requests, "request")), \(counts.refusals) rejected")
        }
    }
}
