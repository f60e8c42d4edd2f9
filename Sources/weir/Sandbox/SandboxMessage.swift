internal import Core
internal import Sandbox

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
