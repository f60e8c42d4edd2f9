internal import Core

/// A page of `docs/providers/`, made from a profile, the remarks in its file, and its recorded cases.
struct ProfilePage {
    private let profile: Profile
    private let own: Profile
    private let source: String

    /// - Parameters:
    ///   - profile: the profile with all that it inherits, and its cases.
    ///   - own: the same without what it inherits.
    ///   - source: the text of its file, whose remarks say where facts are from.
    init(_ profile: Profile, own: Profile, source: String) {
        self.profile = profile
        self.own = own
        self.source = source
    }

    /// The page in Markdown.
    var text: String {
        var page = "# \(title)\n\n"
        page +=
            "<!-- Made by `weir profile page \(profile.name)`; change Config/Profiles/\(profile.name).yaml instead. -->\n\n"
        if let url { page += "Documentation of the provider: <\(url)>\n\n" }
        for paragraph in remarks(before: nil) { page += "\(paragraph)\n\n" }
        page += "## Configuration\n\n```yaml\n\(configuration)```\n\n"
        page += settings
        page += limits
        page += errors
        page += waits
        page += clients
        page += certainty
        return page
    }

    /// The page that lists all profiles.
    static func index(of profiles: [Profile]) -> String {
        var page = """
            # Providers

            <!-- Made by `weir profile page`. -->

            The [profiles](../profiles.md) that are part of Weir. Each page is made from the profile and says what Weir knows of the
            provider: limits, credential, errors, waits.

            | profile | upstream | limits | cases |
            |---|---|---|---|

            """
        for profile in profiles {
            let upstream = profile.upstream.map { "`\($0)`" } ?? "any"
            page += row([
                "[\(profile.name)](\(profile.name).md)", upstream, Spelling.limits(profile.usualLimits),
                "\(profile.cases.count)",
            ])
        }
        return page
    }

    private static func row(_ cells: [String]) -> String {
        "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }
}

extension ProfilePage {
    /// The first line of the file: `Stripe (https://docs.stripe.com/api). …`.
    private var firstLine: Substring {
        source.split(separator: "\n").first.map { $0.drop { $0 == "#" || $0 == " " } } ?? ""
    }

    private var title: String {
        guard let mark = firstLine.firstRange(of: " (http") else { return profile.name }
        return String(firstLine[..<mark.lowerBound])
    }

    private var url: String? {
        guard let mark = firstLine.firstRange(of: " (http") else { return nil }
        return firstLine[mark.lowerBound...].dropFirst(2).split(separator: ")").first.map(String.init)
    }

    /// The remarks in front of a key at the top of the file; `nil`: those at its beginning, without the first line.
    private func remarks(before key: String?) -> [String] {
        var paragraphs: [String] = []
        var current: [Substring] = []
        var isAtStart = true
        func finish() {
            if !current.isEmpty { paragraphs.append(current.joined(separator: " ")) }
            current = []
        }
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") {
                let text = line.drop { $0 == "#" || $0 == " " }
                if text.isEmpty { finish() } else if !isAtStart || text != firstLine { current.append(text) }
                continue
            }
            finish()
            if isAtStart {
                if key == nil { return paragraphs }
                isAtStart = false
            } else if let key, line.hasPrefix("\(key):") {
                return paragraphs
            }
            paragraphs = []
        }
        return []
    }

    /// The variables of the URLs that nothing but the configuration gives.
    private var missingVariables: [String] {
        let urls = [profile.upstream].compactMap { $0 } + profile.hosts.map(\.url)
        let names = urls.compactMap { try? UpstreamTemplate(parsing: $0) }.flatMap(\.names)
        var seen: Set<String> = []
        return names.filter { profile.variables[$0] == nil && seen.insert($0).inserted }
    }

    /// An example of three lines.
    private var configuration: String {
        var members: [String] = []
        if profile.upstream == nil { members.append("upstream: https://api.example.com") }
        if !missingVariables.isEmpty {
            members.append(
                "variables: { \(missingVariables.map { "\($0): example" }.joined(separator: ", ")) }")
        }
        let key = profile.name.uppercased()
        members.append("credential: '${\(key)_API_KEY}'")
        return
            "listen: 127.0.0.1:8080\nproviders:\n  \(profile.name): { \(members.joined(separator: ", ")) }\n"
    }

    private var settings: String {
        var rows: [[String]] = [
            ["upstream", profile.upstream.map { "`\($0)`" } ?? "any: the configuration says"]
        ]
        for (name, variable) in profile.variables.sorted(by: { $0.key < $1.key }) {
            let value =
                switch variable {
                case .value(let text): "`\(text)` unless the configuration says otherwise"
                case .credential: "taken from the key that Weir holds, or from the configuration"
                }
            rows.append(["variable `\(name)`", value])
        }
        for name in missingVariables {
            rows.append(["variable `\(name)`", "**required** in the configuration"])
        }
        for host in profile.hosts { rows.append(["host `\(host.name)`", "`\(host.url)`"]) }
        rows.append(["credential", Spelling.credential(profile)])
        if let idempotency = profile.idempotency {
            let requests = idempotency.requests.map { "`\($0)`" }.joined(separator: ", ")
            rows.append(["idempotency", "`\(idempotency.header)` of \(requests)"])
        }
        if let probe = profile.probe { rows.append(["probe of `weir doctor`", "`GET \(probe.path)`"]) }
        let ids = profile.requestIDFields.map { "`\($0)`" }.joined(separator: ", ")
        if !ids.isEmpty { rows.append(["id of a request", ids]) }
        return "| | |\n|---|---|\n" + rows.map(Self.row).joined() + "\n"
    }

    private var limits: String {
        var section = "## Limits\n\n"
        for paragraph in remarks(before: "limits") + remarks(before: "tier") + remarks(before: "tiers") {
            section += "\(paragraph)\n\n"
        }
        guard !profile.limits.isEmpty || !profile.tiers.isEmpty else {
            return section
                + "None are built in: Weir follows those that responses report, and those of the configuration.\n\n"
        }
        section += "| tier | limit | requests | counted | by | which requests |\n|---|---|---|---|---|---|\n"
        for limit in profile.limits { section += row(of: limit, tier: profile.tiers.isEmpty ? "–" : "all") }
        for tier in profile.tiers {
            let name = tier.name == profile.tier ? "\(tier.name) (default)" : tier.name
            for limit in tier.limits { section += row(of: limit, tier: name) }
        }
        return section + "\n"
    }

    private func row(of limit: RateLimit, tier: String) -> String {
        let span =
            switch limit.span {
            case .rolling: "per \(Spelling.duration(limit.per))"
            case .day: "per day"
            case .month: "per month"
            case .concurrent: "at a time"
            case .aligned: "per \(Spelling.duration(limit.per)) of the provider's clock"
            }
        var which = limit.countsRest ? ["those of no other limit"] : limit.routes.map { "`\($0)`" }
        if !limit.operations.isEmpty { which.append("\(limit.operations.count) operations, each alone") }
        if which.isEmpty { which = ["all"] }
        if !limit.exceptions.isEmpty {
            which.append("but not " + limit.exceptions.map { "`\($0)`" }.joined(separator: ", "))
        }
        let shown = which.count > 8 ? Array(which.prefix(8)) + ["and \(which.count - 8) more"] : which
        return Self.row([
            tier, limit.name ?? "–", "\(limit.requests)", span, limit.by.name, shown.joined(separator: ", "),
        ])
    }

    /// How certain the cases of each rule are, by the rule's index.
    private var evidence: [Int: Set<String>] {
        let normalizer = ErrorNormalizer(profile: profile)
        var found: [Int: Set<String>] = [:]
        for recorded in profile.cases {
            let facts = RequestFacts(method: recorded.request.method, path: recorded.request.path)
            guard let rule = normalizer.rule(for: ProfileTesting.answer(recorded), of: facts) else {
                continue
            }
            found[rule, default: []].insert(recorded.confidence ?? "unmarked")
        }
        return found
    }

    /// From the most certain to the least.
    private static let confidences = [
        "observed_live", "documented", "seen_in_client_code", "documented_recalled", "documented_superseded",
        "inferred",
    ]

    private func spelled(_ evidence: Set<String>?) -> String {
        guard let best = Self.confidences.first(where: { evidence?.contains($0) == true }) else { return "–" }
        let isUncertain = ["documented_recalled", "documented_superseded", "inferred"].contains(best)
        return best.replacing("_", with: " ") + (isUncertain ? " **(uncertain)**" : "")
    }

    private var errors: String {
        var section = "## Errors\n\n"
        guard !own.rules.isEmpty else {
            return section
                + "No rules of its own: the rules of [generic](generic.md) recognise its errors by status and words.\n\n"
        }
        let evidence = evidence
        section +=
            "The first rule that matches decides; then follow the rules of [generic](generic.md). What each code means and what to do: "
            + "[Errors](../errors.md#codes).\n\n"
        section +=
            "| rule | status | code | effect | same request later | known from |\n|---|---|---|---|---|---|\n"
        for (index, rule) in own.rules.enumerated() {
            let statuses = rule.when.statuses.ranges.map { range in
                range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
            }
            let meaning =
                rule.isSuccess
                ? ["a success", "–", "–"]
                : [
                    "`\(rule.result.name)`", (rule.effect ?? rule.result.effect).rawValue,
                    rule.isTransient ?? rule.result.isTransient ? "may succeed" : "fails again",
                ]
            section += Self.row(
                [rule.name, statuses.joined(separator: ", ")] + meaning + [spelled(evidence[index])])
        }
        var codes: [ProblemCode] = []
        for rule in own.rules where !rule.isSuccess && !codes.contains(rule.result) {
            codes.append(rule.result)
        }
        section += "\n| code | what it means, and what to do |\n|---|---|\n"
        for code in codes.sorted(by: { $0.rawValue < $1.rawValue }) {
            section += Self.row(["`\(code.name)`", code.documentation])
        }
        return section + "\n"
    }

    private var waits: String {
        guard !own.waits.isEmpty || own.rateFields != RateFields() else {
            return
                "## Waits\n\nAs with [generic](generic.md): `Retry-After` and the usual fields of a rate limit.\n\n"
        }
        var section = "## Waits\n\n"
        if !own.waits.isEmpty { section += "How long to wait, the first that a response has:\n\n" }
        for wait in own.waits {
            let kind =
                switch wait.kind {
                case .delay(let header): "`\(header)`: seconds or a date"
                case .milliseconds(let header): "`\(header)`: milliseconds"
                case .reset(let header): "`\(header)`: when the window ends"
                case .usedUp: "the reset of the window that is used up"
                case .at: "a time at a place of the body or of the header, see the file"
                case .fixed(let seconds): "\(seconds) s, which the provider documents and does not send"
                case .computed: "until the missing points are there again, see the file"
                }
            let all = wait.statuses.ranges == [StatusSet.possible]
            let statuses = wait.statuses.ranges.map {
                $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
            }
            section += "- \(kind)" + (all ? "" : " (status \(statuses.joined(separator: ", ")))") + "\n"
        }
        let fields = own.rateFields
        let names =
            fields.limit + fields.remaining + fields.reset + fields.used + fields.state + fields.policy
        if !names.isEmpty {
            let list = names.map { "`\($0)`" }.joined(separator: ", ")
            section += (own.waits.isEmpty ? "" : "\n") + "The provider reports its own count in \(list).\n"
        }
        return section + "\n"
    }

    private var clients: String {
        var section = "## What an SDK sees\n\n"
        switch profile.errors ?? .problem {
        case .merged:
            section +=
                "`errors: merged` is the default here: the app gets the provider's own error, which its SDK understands, with the "
                + "problem as one more member, `problem`.\n\n"
        case .raw: section += "`errors: raw` is the default here: the app gets the provider's own error.\n\n"
        case .problem:
            section += "`errors: problem` is the default: the app gets a problem"
            let kept = profile.kept.map { "`\($0)`" }.joined(separator: ", ")
            section += kept.isEmpty ? ".\n\n" : ", which repeats \(kept) of the provider's error.\n\n"
        }
        return section
    }

    private var certainty: String {
        var counts: [String: Int] = [:]
        for recorded in profile.cases { counts[recorded.confidence ?? "unmarked", default: 0] += 1 }
        guard !counts.isEmpty else { return "" }
        var section = "## How certain this is\n\n| recorded responses | number |\n|---|---|\n"
        for confidence in Self.confidences + counts.keys.filter({ !Self.confidences.contains($0) }).sorted() {
            guard let count = counts[confidence] else { continue }
            section += Self.row([confidence.replacing("_", with: " "), "\(count)"])
        }
        return section
    }
}
