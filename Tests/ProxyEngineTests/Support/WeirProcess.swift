import TestSupport
import Testing

/// The `weir` program, running with a configuration of the test's.
final class WeirProcess: Sendable {
    /// The program itself.
    let process: Subprocess
    /// The port of the providers' mounts.
    let port: UInt16

    private let directory: TemporaryDirectory

    /// Starts it with the provider `p`, and waits until it listens.
    ///
    /// - Parameters:
    ///   - provider: more keys of the provider, as YAML in flow style.
    ///   - drain: how long what is in flight may go on.
    init(
        to upstream: ScriptedUpstream, provider: String = "", workers: Int = 1, drain: String = "20s"
    ) throws {
        directory = try TemporaryDirectory()
        let more = provider.isEmpty ? "" : ", \(provider)"
        let file = try directory.write(
            """
            listen: 127.0.0.1:0
            workers: \(workers)
            limits: { drain: \(drain) }
            providers: { p: { profile: generic, upstream: '\(upstream.url)'\(more) } }

            """, to: "weir.yaml")
        process = try Subprocess(try WeirBinary.path, ["run", "--config", file])
        try process.waitForOutput(containing: "listening")
        let text = process.errorOutput
        let address = try #require(text.firstRange(of: "127.0.0.1:"), "an address in \(text)")
        port = try #require(UInt16(text[address.upperBound...].prefix { $0.isNumber }))
    }

    /// A client of the providers' mounts; every problem that it reads is validated.
    func client() throws -> RawClient { try RawClient(port: port, observing: expectValidProblem) }

    /// Waits until nobody can connect any more.
    func waitUntilClosed() throws {
        try eventually("the port to be closed") {
            (try? RawClient(port: port, within: .seconds(1))) == nil
        }
    }
}
