internal import ArgumentParser
internal import Core
internal import Sandbox

/// `weir sandbox`: the imitation providers alone.
struct SandboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox", abstract: "Run only the sandbox that imitates lemlist and Lettr.")

    @Option(help: ArgumentHelp("Where to listen: IP:PORT or [IPV6]:PORT.", valueName: "address"))
    var listen = "127.0.0.1:8090"

    mutating func run() throws {
        let address: ListenAddress
        do {
            address = try ListenAddress(parsing: listen)
        } catch {
            throw Failure.report("--listen: '\(listen)' \(error.reason)", Failure.usage)
        }
        let signals = ProcessSignals(reloads: false)
        let sandbox = try Sandbox.startOrReport(at: address)
        for line in SandboxMessage.lines(of: sandbox) { StandardStreams.printError(line) }
        _ = signals.wait(atMost: nil)
        sandbox.stop()
        for profile in Sandbox.profiles {
            let counts = sandbox.counts(for: profile)
            StandardStreams.printError(
                "\(profile): \(Spelling.count(counts.requests, "request")), \(counts.refusals) rejected")
        }
    }
}
