internal import Core

extension ConfigurationReader {
    /// The top level's `limits`.
    func readLimits(from value: YAMLValue, into result: inout ProxyConfiguration) {
        var places: [SizeKey: YAMLValue] = [:]
        for (key, value) in value.members(of: SizeKey.self) {
            places[key] = value
            switch key {
            case .requestBody: value.byteCount(0...1 << 40).map { result.limits.requestBody = $0 }
            case .requestHead:
                value.byteCount(1024...SizeLimits.maximumRequestHead).map { result.limits.requestHead = $0 }
            case .uri:
                value.byteCount(64...SizeLimits.maximumRequestHead).map { result.limits.uri = $0 }
            case .headerCount: value.integer(1...150).map { result.limits.headerCount = $0 }
            case .responseHead: value.byteCount(4096...256 << 10).map { result.limits.responseHead = $0 }
            case .errorBody: value.byteCount(1024...16 << 20).map { result.limits.errorBody = $0 }
            case .connections: value.integer(1...1_000_000).map { result.limits.connections = $0 }
            case .queue: value.integer(0...1_000_000).map { result.limits.queue = $0 }
            case .keys: value.integer(1...1_000_000).map { result.limits.keys = $0 }
            case .clientIdle:
                value.duration(.seconds(1) ... .seconds(3600)).map { result.clientTimeouts.idle = $0 }
            case .clientStall:
                value.duration(.seconds(1) ... .seconds(3600)).map { result.clientTimeouts.stall = $0 }
            case .drain: value.duration(.zero ... .seconds(600)).map { result.drain = $0 }
            }
        }
        if result.limits.uri > result.limits.requestHead {
            (places[.uri] ?? places[.requestHead])?.report(
                "uri (\(YAMLValue.spell(bytes: result.limits.uri))) must not be more than request_head "
                    + "(\(YAMLValue.spell(bytes: result.limits.requestHead))), which it is part of")
        }
    }

    /// A provider's `limits`: a list of limits, all of which apply.
    func limits(from value: YAMLValue) -> [RateLimit] { value.rateLimits(defaultScope: .provider) }
}

extension ConfigurationReader {
    /// Checks that each instance gets a share of every limit, and that a shared ledger has `replicas`.
    func checkReplicas(_ configuration: ProxyConfiguration, drafts: [ProviderDraft]) {
        if configuration.ledger != nil, replicas == nil {
            ledger?.report(
                "requires `replicas`: each instance uses its own share while the ledger is unreachable")
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
