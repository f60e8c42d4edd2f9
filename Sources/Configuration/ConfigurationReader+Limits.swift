internal import ProxyCore

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

    /// A provider's `limits`: a list of windows, all counted by the same scope.
    func limits(from value: YAMLValue) -> [RateLimit] {
        let elements = value.elements
        guard elements.count <= RateLimit.maximumCount else {
            value.report(
                "has \(elements.count) limits; allowed: at most \(RateLimit.maximumCount)")
            return []
        }
        var limits: [RateLimit] = []
        for element in elements {
            guard let limit = self.limit(from: element) else { continue }
            if let first = limits.first, first.by != limit.by {
                element.report(
                    "is counted by \(limit.by.rawValue), the first one by \(first.by.rawValue); "
                        + "all limits of a provider must have the same `by`")
            } else if limits.contains(where: { $0.per == limit.per }) {
                element.report("another limit has the same `per`; the smaller one is enough")
            } else {
                limits.append(limit)
            }
        }
        return limits
    }

    private func limit(from value: YAMLValue) -> RateLimit? {
        var requests: Int?
        var per: Duration?
        var scope: LimitScope? = .provider
        var missing: Set<LimitKey> = [.requests, .per]
        guard value.isMapping else {
            _ = value.members(of: LimitKey.self)
            if value.isNull { value.report("must be { requests: N, per: TIME, by: … }, not nothing") }
            return nil
        }
        for (key, value) in value.members(of: LimitKey.self) {
            missing.remove(key)
            switch key {
            case .requests: requests = value.integer(RateLimit.requestsRange)
            case .per: per = value.duration(RateLimit.perRange)
            case .by: scope = value.choice(LimitScope.allCases.map { ($0.rawValue, $0) })
            }
        }
        for key in LimitKey.allCases where missing.contains(key) {
            value.report("needs `\(key.rawValue)`")
        }
        guard let requests, let per, let scope else { return nil }
        return RateLimit(requests: requests, per: per, by: scope)
    }
}
