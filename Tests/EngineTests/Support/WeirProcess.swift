import TestSupport
import Testing

/// The built `weir` as a process of its own: for signals, and so that its memory can be told from the test's.
final class WeirProcess: Sendable {
    /// The program.
    let process: Subprocess
    /// The port of the providers' mounts.
    let port: UInt16
    private let directory: TemporaryDirectory

    /// Starts `weir run` with the provider `p` at `/p`, and waits until it listens.
    ///
    /// - Parameters:
    ///   - url: the provider's.
    ///   - provider: more keys of the provider, as YAML in flow style.
    ///   - settings: more keys of the configuration, a line each.
    ///   - drain: how long what is in flight may go on.
    ///   - descriptors: how many files it may open; as many as the test, unless given.
    init(
        url: String, provider: String = "", profile: String = "generic", workers: Int = 1,
        drain: String = "1s", settings: String = "", descriptors: Int? = nil
    ) throws {
        directory = try TemporaryDirectory()
        let more = provider.isEmpty ? "" : ", \(provider)"
        let file = try directory.write(
            """
            listen: 127.0.0.1:0
            workers: \(workers)
            log: { access: off }
            limits: { drain: \(drain), request_body: 1GiB }
            \(settings)
            providers: { p: { profile: \(profile), upstream: '\(url)'\(more) } }
            """, to: "weir.yaml")
        let limit = descriptors.map { "ulimit -n \($0) && " } ?? ""
        process = try Subprocess(
            "sh", ["-c", "\(limit)exec \"$0\" \"$@\"", try WeirBinary.path, "run", "--config", file])
        let log = process
        try log.waitForOutput(containing: "\"address\":\"127.0.0.1:", within: .seconds(30))
        let rest = (log.output + log.errorOutput).split(separator: "\"address\":\"127.0.0.1:").last
        port = try #require(rest.flatMap { UInt16($0.prefix { $0.isNumber }) }, "a port")
    }

    /// Starts `weir run` with the scripted provider `p` at `/p`, and waits until it listens.
    convenience init(
        to upstream: ScriptedUpstream, provider: String = "", profile: String = "generic", workers: Int = 1,
        drain: String = "1s", settings: String = "", descriptors: Int? = nil
    ) throws {
        try self.init(
            url: upstream.url, provider: provider, profile: profile, workers: workers, drain: drain,
            settings: settings, descriptors: descriptors)
    }

    /// A client of the providers' mounts; every problem that it reads is validated.
    func client() throws -> RawClient { try RawClient(port: port, observing: expectValidProblem) }

    /// Waits until a single worker has acted on all that has happened: it has answered requests that came later.
    func settle() throws {
        for _ in 0..<3 { #expect(try client().exchange("GET", "/livez").status == 200) }
    }

    /// Waits until it drains: a new client is told that it is not ready.
    func waitUntilDraining() throws {
        try eventually("Weir to drain") {
            try RawClient(port: port, within: .seconds(1)).exchange("GET", "/readyz").status == 503
        }
    }

    /// Resident memory in bytes, now.
    var residentBytes: Int {
        get throws { try ResourceUse(of: process.processID).residentBytes }
    }
}
