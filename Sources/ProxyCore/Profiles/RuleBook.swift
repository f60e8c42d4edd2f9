/// The rules of a profile, sorted by status when it is compiled: an answer is compared only with rules about its status.
struct RuleBook: Sendable {
    let rules: [Rule]
    /// For each possible status, the rules about it, in order.
    private let byStatus: [[UInt16]]

    init(_ rules: [Rule]) {
        self.rules = rules
        byStatus = StatusSet.possible.map { status in
            rules.indices.filter { rules[$0].statuses.contains(status) }.map { UInt16(clamping: $0) }
        }
    }

    /// The indexes of the rules about a status.
    func candidates(_ status: Int) -> [UInt16] {
        StatusSet.possible.contains(status) ? byStatus[status - StatusSet.possible.lowerBound] : []
    }
}
