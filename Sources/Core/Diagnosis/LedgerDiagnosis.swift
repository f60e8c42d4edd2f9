/// What was found out about the server of the shared ledger.
public struct LedgerFacts: Sendable {
    /// Why it could not be used, in words without secrets; `nil` if it could.
    public var failure: String?
    /// Its version, such as `7.0.15`.
    public var version: String?
    /// The fastest of a few round trips, in milliseconds.
    public var milliseconds: Double?
    /// The commands that were refused, with the server's words.
    public var refusals: [String]
    /// How many instances are members of each ledger now, by the name of the provider or group.
    public var members: [(name: String, count: Int)]

    /// Facts.
    public init(
        failure: String? = nil, version: String? = nil, milliseconds: Double? = nil,
        refusals: [String] = [], members: [(name: String, count: Int)] = []
    ) {
        self.failure = failure
        self.version = version
        self.milliseconds = milliseconds
        self.refusals = refusals
        self.members = members
    }
}

/// The findings about the shared ledger.
public struct LedgerDiagnosis {
    /// The oldest version whose scripts may read the clock before they write.
    static let oldest = 5
    /// Each request waits for a round trip.
    static let notice = 20.0

    private let address: LedgerAddress
    private let replicas: Int
    private let facts: LedgerFacts

    /// A diagnosis.
    public init(_ address: LedgerAddress, replicas: Int, _ facts: LedgerFacts) {
        self.address = address
        self.replicas = replicas
        self.facts = facts
    }

    /// All findings.
    public var findings: [Finding] {
        if let failure = facts.failure {
            return [
                finding(
                    .wrong, .reachable, "\(address): \(failure)",
                    advice: "until it is reachable, each instance uses only its own share of the limits")
            ]
        }
        return [finding(.ok, .reachable, "\(address)"), version, permissions, latency].compactMap { $0 }
            + members
    }

    private func finding(
        _ level: Finding.Level, _ check: Finding.Check, _ fact: String, advice: String? = nil
    ) -> Finding {
        Finding(level, check, of: Finding.ledger, fact, advice: advice)
    }

    private var version: Finding {
        guard let version = facts.version else {
            return finding(.skipped, .version, "the user may not ask for it (INFO)")
        }
        guard let major = version.split(separator: ".").first.flatMap({ Int($0) }), major < Self.oldest else {
            return finding(.ok, .version, "Redis \(version)")
        }
        return finding(
            .wrong, .version, "Redis \(version) is too old",
            advice: "use Redis \(Self.oldest) or later: the ledger is a script that reads the server's clock")
    }

    private var permissions: Finding {
        guard !facts.refusals.isEmpty else {
            return finding(.ok, .permissions, "the user may do what the ledger needs")
        }
        return finding(
            .wrong, .permissions, "refused: \(facts.refusals.joined(separator: "; "))",
            advice:
                "grant ~weir:* &weir:* +evalsha +eval +script|load +time +select +subscribe +publish +@read +@write"
        )
    }

    private var latency: Finding? {
        guard let milliseconds = facts.milliseconds else { return nil }
        let fact = "a round trip takes \((milliseconds * 10).rounded() / 10) ms"
        guard milliseconds >= Self.notice else { return finding(.ok, .latency, fact) }
        return finding(
            .warning, .latency, fact,
            advice: "each request waits for one: use a server nearby, or fixed shares (`replicas` alone)")
    }

    private var members: [Finding] {
        facts.members.map { name, count in
            let fact = "\(name): \(count) of \(replicas) instances use the ledger now"
            guard count > replicas else { return finding(.ok, .replicas, fact) }
            return finding(
                .wrong, .replicas, fact,
                advice: "set `replicas` to the highest number of instances that ever run at the same time")
        }
    }
}
