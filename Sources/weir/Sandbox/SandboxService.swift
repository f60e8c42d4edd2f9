internal import Configuration
internal import Core
internal import Sandbox

extension Sandbox {
    /// Starts the sandbox, or prints why it cannot be started and throws the exit code.
    static func startOrReport(at address: ListenAddress) throws -> Sandbox {
        guard case .tcp(let host, let port) = address else {
            throw Failure.report(
                "the sandbox can listen only on a TCP port, not on \(address)", Failure.usage)
        }
        let profiles = try ProfileLibrary.allWithCases()
        do {
            return try Sandbox(address: "\(host)", port: port, profiles: profiles)
        } catch {
            throw Failure.report("\(error)", Failure.unavailable)
        }
    }
}

extension LoadedConfiguration {
    /// Points every provider that `sandbox` imitates at it.
    ///
    /// A configured credential is replaced by the sandbox's key, so that the real one is not used.
    mutating func point(to sandbox: Sandbox) {
        for index in configuration.providers.indices {
            var provider = configuration.providers[index]
            guard let base = sandbox.upstream(for: provider.profile),
                let upstream = try? UpstreamURL(parsing: base)
            else { continue }
            provider.upstream = upstream
            provider.tls = TLSConfiguration()
            if provider.credential != nil {
                provider.credential = Sandbox.key(for: provider.profile).map(Secret.init)
            }
            configuration.providers[index] = provider
        }
    }
}

/// Messages that introduce the sandbox to a newcomer.
enum SandboxMessage {
    /// The base URLs and keys of the simulated providers.
    static func lines(of sandbox: Sandbox) -> [String] {
        var table = TextTable("imitation", "base URL", "key")
        for profile in Sandbox.profiles {
            table.add(profile, sandbox.upstream(for: profile) ?? "", Sandbox.key(for: profile) ?? "")
        }
        return table.lines + [
            "Send the header `X-Sandbox-Case: ID` to get a recorded error; /-/sandbox/cases lists the IDs, "
                + "/-/sandbox shows counters."
        ]
    }

    /// Commands to paste: a success, errors, and a burst of requests through Weir.
    ///
    /// - Parameter places: returns the curl arguments for a provider of a profile: its base URL, and a socket if necessary.
    static func commands(places: (String) -> String?, metrics: String) -> [String] {
        var commands: [String] = []
        if let lemlist = places("lemlist"), let key = Sandbox.key(for: "lemlist") {
            commands += [
                "# a successful response passes through unchanged",
                "curl -i -u :\(key) \(lemlist)/campaigns",
                "# an error becomes a problem: lemlist returns the text “Bad team”",
                "curl -i -u :\(key) -H 'X-Sandbox-Case: lemlist-028' \(lemlist)/campaigns",
                "# 50 requests at once: paced at 20 per 2 s, and none is rejected",
                "seq 50 | xargs -P 50 -I{} curl -s -o /dev/null -w '%{http_code}\\n' -u :\(key) \(lemlist)/team | sort | uniq -c",
            ]
        }
        if let lettr = places("lettr"), let key = Sandbox.key(for: "lettr") {
            let message = #"{"from":"a@example.com","to":["nobody"],"subject":"Hello","text":"Hello"}"#
            commands += [
                "# the invalid field, in the same place for every provider",
                "curl -s -H 'Authorization: Bearer \(key)' --json '\(message)' \(lettr)/emails",
            ]
        }
        return commands + [
            "# this metric should stay 0", "curl -s \(metrics) | grep ^weir_provider_rejections",
        ]
    }
}
