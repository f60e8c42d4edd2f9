import Glibc
import TestSupport
import Testing

/// The built `weir` as a process of its own, so that its memory can be told from the test's.
final class WeirProcess: Sendable {
    let port: UInt16
    private let process: Subprocess
    private let directory: TemporaryDirectory

    /// Starts `weir run` with the provider `p` at `/p`, and waits until it listens.
    init(to upstream: ScriptedUpstream) throws {
        directory = try TemporaryDirectory()
        let file = try directory.write(
            """
            listen: 127.0.0.1:0
            workers: 1
            log: { access: off }
            limits: { drain: 1s, request_body: 1GiB }
            providers: { p: { profile: generic, upstream: '\(upstream.url)' } }
            """, to: "weir.yaml")
        process = try Subprocess(try WeirBinary.path, ["run", "--config", file])
        let log = process
        try log.waitForOutput(containing: "\"address\":\"127.0.0.1:", within: .seconds(30))
        let rest = (log.output + log.errorOutput).split(separator: "\"address\":\"127.0.0.1:").last
        port = try #require(rest.flatMap { UInt16($0.prefix { $0.isNumber }) }, "a port")
    }

    /// Resident memory in bytes, now.
    var residentBytes: Int {
        get throws { try ResourceUse(of: process.processID).residentBytes }
    }

    /// Whether a sanitizer multiplies what memory is used.
    static let isSanitized =
        unsafe dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil
}
