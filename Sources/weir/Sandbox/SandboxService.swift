internal import Configuration
internal import Core
internal import Sandbox

extension Sandbox {
    /// Starts the imitations, or tells why not and throws the code.
    static func startOrTell(at address: ListenAddress) throws -> Sandbox {
        guard case .tcp(let host, let port) = address else {
            throw Failure.tell("the sandbox listens on a TCP port, not on \(address)", Failure.usage)
        }
        let profiles = try ProfileLibrary.allWithCases()
        do {
            return try Sandbox(address: "\(host)", port: port, profiles: profiles)
        } catch {
            throw Failure.tell("\(error)", Failure.unavailable)
        }
    }
}

extension LoadedConfiguration {
    /// Points every provider that `sandbox` imitates at it.
    ///
    /// A key that Weir adds becomes the sandbox's: the real one stays out of the game.
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

/// What a newcomer needs to know of the imitations.
enum SandboxMessage {
    /// Where they are and what they accept.
    static func lines(of sandbox: Sandbox) -> [String] {
        var table = TextTable("imitation", "base URL", "key")
        for profile in Sandbox.profiles {
            table.add(profile, sandbox.upstream(for: profile) ?? "", Sandbox.key(for: profile) ?? "")
        }
        return table.lines + [
            "The header `X-Sandbox-Case: ID` gets a recorded error; /-/sandbox/cases lists the IDs, "
                + "/-/sandbox tells what was counted."
        ]
    }

    /// Commands to paste: a success, errors, and what happens to many requests, through Weir.
    ///
    /// - Parameter places: the curl arguments that lead to a provider of a profile: its base URL, and a socket if need be.
    static func commands(places: (String) -> String?, metrics: String) -> [String] {
        var commands: [String] = []
        if let lemlist = places("lemlist"), let key = Sandbox.key(for: "lemlist") {
            commands += [
                "# an answer passes untouched",
                "curl -i -u :\(key) \(lemlist)/campaigns",
                "# an error becomes a problem: lemlist says “Bad team”, as text",
                "curl -i -u :\(key) -H 'X-Sandbox-Case: lemlist-028' \(lemlist)/campaigns",
                "# 50 requests at once: paced at 20 per 2 s, and none is refused",
                "seq 50 | xargs -P 50 -I{} curl -s -o /dev/null -w '%{http_code}\\n' -u :\(key) \(lemlist)/team | sort | uniq -c",
            ]
        }
        if let lettr = places("lettr"), let key = Sandbox.key(for: "lettr") {
            let message = #"{"from":"a@example.com","to":["nobody"],"subject":"Hello","text":"Hello"}"#
            commands += [
                "# which field was wrong, at the same place for every provider",
                "curl -s -H 'Authorization: Bearer \(key)' --json '\(message)' \(lettr)/emails",
            ]
        }
        return commands + [
            "# the number to watch stays 0", "curl -s \(metrics) | grep ^weir_provider_rejections",
        ]
    }
}
