extension RateLimit {
    /// What one of `replicas` instances may use of this limit, so that all of them together never exceed it; `nil` if that
    /// is not a request.
    ///
    /// Fewer requests in a longer window would not do: instances that know nothing of each other may all use theirs at the
    /// same moment.
    public func share(of replicas: Int) -> RateLimit? {
        let requests = requests / max(replicas, 1)
        guard requests >= 1 else { return nil }
        var share = self
        share.requests = requests
        return share
    }
}

extension ProxyConfiguration {
    /// The limits that this instance keeps by itself: its share, or the whole where instances
    /// count together.
    public func ownLimits(of provider: ProviderConfiguration) -> [RateLimit] {
        guard ledger == nil, replicas > 1 else { return provider.limits }
        // A limit that cannot be shared is a mistake; should one come here, too little is sent, never too much.
        return provider.limits.map { limit in limit.share(of: replicas) ?? limit }
    }
}
