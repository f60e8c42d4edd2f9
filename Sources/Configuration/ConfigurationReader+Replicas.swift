internal import Core

extension ConfigurationReader {
    /// Checks that each of several instances can have a share of every limit, and that they know how many they are.
    func checkReplicas(_ configuration: ProxyConfiguration, drafts: [ProviderDraft]) {
        if configuration.ledger != nil, replicas == nil {
            ledger?.report(
                "needs `replicas`: each instance keeps to its share while the ledger cannot be reached")
        }
        guard configuration.ledger == nil, configuration.replicas > 1 else { return }
        let count = configuration.replicas
        for draft in drafts {
            guard let provider = draft.configuration else { continue }
            for limit in provider.limits {
                guard let share = limit.share(of: count) else {
                    report(
                        "\(count) instances cannot share the \(limit.requests) requests of a limit of the provider "
                            + "'\(draft.name)'; allowed: at most \(limit.requests), or a `ledger`", of: draft)
                    break
                }
                guard let dear = limit.costs.first(where: { $0.slots > share.requests }) else { continue }
                report(
                    "the share of one of \(count) instances is \(share.requests) of \(limit.requests) requests, which "
                        + "is less than the \(dear.slots) that a request of the provider '\(draft.name)' costs",
                    of: draft)
                break
            }
        }
    }

    private func report(_ reason: String, of draft: ProviderDraft) {
        if let replicas { replicas.report(reason) } else { draft.report(reason, at: .limits) }
    }
}
