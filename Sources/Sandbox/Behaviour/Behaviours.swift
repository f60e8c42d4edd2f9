internal import Core

/// Finds the behaviour that a request asks for, and decides which requests are among an error rate.
struct Behaviours: Sendable {
    /// An invalid request field.
    struct Mistake: Error {
        /// The sentence for the client.
        var message: String
    }

    /// Requests that are counted together.
    private struct Series: Hashable {
        var profile: String
        var seed: UInt64
        /// The index of the rule; -1 for request fields alone.
        var rule: Int
    }

    /// The maximum number of series; then all begin anew.
    private static let seriesLimit = 1024

    private let rules: [SandboxRule]
    private var counts: [Series: UInt64] = [:]

    /// Behaviour by these rules, of which the first that matches counts, and by request fields, which override it.
    init(rules: [SandboxRule]) { self.rules = rules }

    /// The behaviour for a request: without abort, case, status and code if the request is not among the error rate.
    mutating func behaviour(for request: ImitationRequest, to profile: String) throws(Mistake)
        -> SandboxBehaviour
    {
        var asked = SandboxBehaviour()
        for key in SandboxBehaviour.Key.allCases {
            guard let value = request.field(key.fieldName) else { continue }
            do throws(InvalidSetting) {
                try asked.set(key, to: value)
            } catch {
                let shown = String(String.UnicodeScalarView(value.unicodeScalars.prefix(80)))
                throw Mistake(message: "The field \(key.fieldName): '\(shown)' \(error.reason).")
            }
        }
        let index = rules.firstIndex {
            $0.matches(profile: profile, method: request.method, path: request.path)
        }
        if let index { asked = rules[index].behaviour.overridden(by: asked) }
        guard asked.errorRate != nil else { return asked }
        let series = Series(profile: profile, seed: asked.seed ?? 0, rule: index ?? -1)
        if counts[series] == nil, counts.count >= Self.seriesLimit { counts = [:] }
        let number = counts[series, default: 0]
        counts[series] = number &+ 1
        guard asked.isError(number: number) else {
            (asked.abort, asked.recorded, asked.status, asked.code) = (nil, nil, nil, nil)
            return asked
        }
        let hasError =
            asked.abort != nil || asked.recorded != nil || asked.status != nil || asked.code != nil
        if !hasError { asked.status = 500 }
        return asked
    }
}
