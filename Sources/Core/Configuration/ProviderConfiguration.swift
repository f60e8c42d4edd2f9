/// One provider: where it is, how it is reached through Weir, and how it is treated.
public struct ProviderConfiguration: Hashable, Sendable {
    /// In which form the provider's errors reach the client.
    public enum ErrorForm: String, CaseIterable, Sendable {
        /// As a problem of Weir's schema.
        case problem
        /// As the provider sent them.
        case raw
    }

    /// Its name, a label in metrics, logs and problems.
    ///
    /// A lower-case letter, then lower-case letters, digits, `-` and `_`, at most 32 in all.
    public var name: String
    /// The name of a built-in profile, or the path of a profile file.
    public var profile: String
    /// A hash of what the profile's file contained when it was read: another text is another configuration.
    public var profileContents = 0
    /// The path that leads to it on the proxy's port; `nil` if it is reached by ``listen`` alone.
    public var mount: MountPath?
    /// A port of its own, where every path is the provider's.
    public var listen: ListenAddress?
    /// The TLS that is spoken at ``listen``; `nil` for none.
    public var listenTLS: ListenerTLS?
    /// Where requests go.
    public var upstream: UpstreamURL
    /// The key that Weir adds, so that the app needs none.
    public var credential: Secret?
    /// The form in which errors reach the client.
    public var errors = ErrorForm.problem
    /// Whether a problem has the status of its code, whatever the provider's was.
    public var sendsCanonicalStatus = false
    /// Whether a problem shows the provider's body (capped and redacted).
    public var includesUpstreamBody = false
    /// The rate limits, all of which hold; empty for none.
    public var limits: [RateLimit]
    /// When a used slot of a limit is free again.
    public var guarantee = PacingPolicy.Guarantee.strict
    /// Whether limits are only watched: nothing waits or is refused.
    public var isPacingObserved = false
    /// The ledger that is shared where a limit's scope is `group`; the provider's name by default.
    public var group: String
    /// The longest time in the queue, 0 s (never queue) to 1 h; 10 s by default.
    public var maximumWait = Duration.seconds(10)
    /// How long an exchange may wait.
    public var timeouts = TimeoutConfiguration()
    /// Whether a credential that the provider keeps refusing is held back; see ``CredentialQuarantine``.
    public var quarantinesCredentials = true
    /// When nothing is sent because the provider fails; never by default.
    public var circuitBreaker: CircuitBreaker.Policy?
    /// When a request is sent again; never by default.
    public var retries = RetryPolicy()
    /// How the provider is recognised over TLS.
    public var tls = TLSConfiguration()
    /// Which version of HTTP is spoken with it.
    public var httpVersion = HTTPVersion.http1
    /// The proxy that leads to it, if there is one between.
    public var egressProxy: EgressProxy?
    /// Whether references of an answer to the upstream's own address lead to Weir instead.
    public var rewritesLocations = true
    /// Whether a name may resolve to a private address, as configured.
    public var allowsPrivate = false

    /// A provider with the defaults for what is not given.
    public init(
        name: String, profile: String, mount: MountPath? = nil, listen: ListenAddress? = nil,
        upstream: UpstreamURL, limits: [RateLimit] = []
    ) {
        self.name = name
        self.profile = profile
        self.mount = mount
        self.listen = listen
        self.upstream = upstream
        self.limits = limits
        group = name
    }

    /// Whether connections to private addresses are meant: allowed, or obvious from the URL.
    public var mayReachPrivateAddresses: Bool { allowsPrivate || upstream.isPrivateByItself }

    /// Whether `name` may name a provider or a group.
    public static func isValid(name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, (0x61...0x7A).contains(first), name.utf8.count <= 32 else {
            return false
        }
        return name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
        }
    }
}
