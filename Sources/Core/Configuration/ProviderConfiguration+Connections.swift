extension ProviderConfiguration {
    /// Whether connections that were opened for `other` are as good for this provider.
    ///
    /// What is not named here is taken to make a difference, so that a new setting does.
    public func connects(like other: ProviderConfiguration) -> Bool {
        guard upstream.origin == other.upstream.origin else { return false }
        var same = other
        (same.name, same.profile, same.mount, same.listen) = (name, profile, mount, listen)
        same.listenTLS = listenTLS
        same.profileContents = profileContents
        (same.upstream, same.credential) = (upstream, credential)
        (same.errors, same.includesUpstreamBody) = (errors, includesUpstreamBody)
        same.sendsCanonicalStatus = sendsCanonicalStatus
        (same.retries, same.circuitBreaker) = (retries, circuitBreaker)
        same.quarantinesCredentials = quarantinesCredentials
        same.rewritesLocations = rewritesLocations
        (same.limits, same.group, same.maximumWait) = (limits, group, maximumWait)
        (same.guarantee, same.isPacingObserved) = (guarantee, isPacingObserved)
        same.timeouts = timeouts
        same.timeouts.connect = other.timeouts.connect
        return same == self
    }
}
