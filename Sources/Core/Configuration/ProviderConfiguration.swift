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

/// What a profile says about a provider where the configuration says nothing.
public struct ProfileDefaults: Hashable, Sendable {
    /// The provider's base URL, `nil` for a profile that fits many providers.
    public var upstream: String?
    /// The provider's rate limits in each tier, empty if none are known.
    public var limits: [RateLimit]
    /// The limits that each tier has besides.
    public var tiers: [ProfileTier]
    /// The tier of a provider that names none.
    public var tier: String?

    /// Defaults with these values.
    public init(
        upstream: String?, limits: [RateLimit], tiers: [ProfileTier] = [], tier: String? = nil
    ) {
        self.upstream = upstream
        self.limits = limits
        self.tiers = tiers
        self.tier = tier
    }

    /// The defaults that a profile has.
    public init(_ profile: Profile) {
        self.init(
            upstream: profile.upstream, limits: profile.limits, tiers: profile.tiers, tier: profile.tier)
    }
}

/// Which version of HTTP is spoken with a provider.
public enum HTTPVersion: String, CaseIterable, Sendable {
    /// HTTP/1.1: one connection for each request that is under way.
    ///
    /// The default: it goes without the cost of libcurl's framing, no stream can hold up another, and an early answer to a long upload is
    /// seen at once.
    case http1 = "1.1"
    /// HTTP/2 where the provider offers it in the TLS handshake, else HTTP/1.1: fewer connections and handshakes.
    case auto
}

/// How long one exchange may wait for its provider.
public struct TimeoutConfiguration: Hashable, Sendable {
    /// Until a new connection stands, TLS included; 5 s by default.
    public var connect: Duration
    /// From the last byte of the request to the first byte of the response; 30 s by default, `nil` for a long poll that has no end.
    public var response: Duration?
    /// Between two pieces of a response's body; 30 s by default, `nil` for as long as it takes.
    ///
    /// A stream of events (`text/event-stream`) may be silent in any case.
    public var idle: Duration?
    /// From the head of an answer that is, or may be, an error to the end of its body; 5 s by default.
    ///
    /// Then what has come of it counts.
    public var errorBody: Duration
    /// From the first byte sent to the last one received; `nil`, the default, lets a stream go on.
    public var total: Duration?

    /// Timeouts, the default where none is given.
    public init(
        connect: Duration = .seconds(5), response: Duration? = .seconds(30), idle: Duration? = .seconds(30),
        errorBody: Duration = .seconds(5), total: Duration? = nil
    ) {
        self.connect = connect
        self.response = response
        self.idle = idle
        self.errorBody = errorBody
        self.total = total
    }
}

/// How a provider is recognised over TLS, and what Weir shows it; all paths are of PEM files.
public struct TLSConfiguration: Hashable, Sendable {
    /// The certification authorities to trust instead of the system's.
    public var caFile: String?
    /// Weir's own certificate, for a provider that asks for one.
    public var clientCertificate: String?
    /// The key of ``clientCertificate``; `nil` if it is in the same file.
    public var clientKey: String?

    /// The oldest version of TLS that is spoken.
    public var minimumVersion = Version.tls12

    /// A version of TLS; older ones are never spoken.
    public enum Version: String, CaseIterable, Sendable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// A hash of what the files contained when they were read: a renewed certificate is another configuration.
    public var contents = 0

    /// TLS with these files; none means the system's authorities and no certificate of our own.
    public init(caFile: String? = nil, clientCertificate: String? = nil, clientKey: String? = nil) {
        self.caFile = caFile
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
    }
}

/// A text that may be sent to one provider, and shown to nobody.
///
/// Printing, dumping or interpolating it gives `(secret)`; only ``value`` has the text.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The text.
    public let value: String

    /// Keeps `value` to itself.
    public init(_ value: String) { self.value = value }

    /// Always `(secret)`.
    public var description: String { "(secret)" }

    /// Always `(secret)`.
    public var debugDescription: String { "(secret)" }

    /// A mirror without children, so that `dump` shows nothing either.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
