/// The rules of a profile, sorted by status when it is compiled: an answer is compared only with rules about
/// its status.
struct RuleBook: Sendable {
    /// A rule that can be handed round without copying its many parts.
    final class Entry: Sendable {
        let rule: Rule
        /// See ``Rule/looksAtBody``.
        let looksAtBody: Bool
        /// Whether the rule has conditions on fields.
        let looksAtFields: Bool

        init(_ rule: Rule) {
            self.rule = rule
            looksAtFields = rule.contentType != nil || rule.header != nil
            looksAtBody = rule.looksAtBody
        }
    }

    /// For each possible status, the rules about it, in order.
    private let byStatus: [[Entry]]

    init(_ rules: [Rule]) {
        let entries = rules.map(Entry.init)
        // Between two of these, all statuses have the same rules: one array serves them.
        let ranges = rules.flatMap(\.statuses.ranges)
        let possible = StatusSet.possible
        let edges = Set(ranges.flatMap { [$0.lowerBound, $0.upperBound + 1] } + [possible.lowerBound])
            .filter(possible.contains).sorted()
        var byStatus: [[Entry]] = []
        byStatus.reserveCapacity(possible.count)
        for (index, edge) in edges.enumerated() {
            let end = index + 1 < edges.count ? edges[index + 1] : possible.upperBound + 1
            let candidates = entries.filter { $0.rule.statuses.contains(edge) }
            byStatus += repeatElement(candidates, count: end - edge)
        }
        self.byStatus = byStatus
    }

    /// The rules about a status.
    func candidates(_ status: Int) -> [Entry] {
        StatusSet.possible.contains(status) ? byStatus[status - StatusSet.possible.lowerBound] : []
    }
}
