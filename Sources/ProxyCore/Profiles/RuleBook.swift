/// The rules of a profile, sorted by status when it is compiled: an answer is compared only with rules about
/// its status.
struct RuleBook: Sendable {
    /// A rule that can be handed round without copying its many parts.
    final class Entry: Sendable {
        let rule: Rule
        /// See ``Rule/looksAtBody``.
        let looksAtBody: Bool

        init(_ rule: Rule) {
            self.rule = rule
            looksAtBody = rule.looksAtBody
        }
    }

    /// For each possible status, the rules about it, in order.
    private let byStatus: [[Entry]]

    init(_ rules: [Rule]) {
        let entries = rules.map(Entry.init)
        byStatus = StatusSet.possible.map { status in
            entries.filter { $0.rule.statuses.contains(status) }
        }
    }

    /// The rules about a status.
    func candidates(_ status: Int) -> [Entry] {
        StatusSet.possible.contains(status) ? byStatus[status - StatusSet.possible.lowerBound] : []
    }
}
