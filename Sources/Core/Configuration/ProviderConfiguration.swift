internal import Wire

/// One provider: where it is, how it is reached through Weir, and how it is treated.
public struct ProviderConfiguration: Hashable, Sendable {
    /// The form in which the provider's errors reach the client.
    public enum ErrorForm: String, CaseIterable, Sendable {
        /// As a problem.
        case problem
        /// As the provider sent them, with the problem as one more member of a JSON object, and in header fields.
        case merged
        /// As the provider sent them.
        case raw

        /// The form with this name, in any case.
        init?(named name: Span<UInt8>) {
            guard let form = Self.allCases.first(where: { name.equalsIgnoringCase($0.rawValue.utf8.span) })
            else { return nil }
            self = form
        }
    }

    /// Its name, a label in metrics, logs and problems.
    ///
    /// A lower-case letter, then lower-case letters, digits, `-` and `_`, at most 32 in all.
    public var name: String
    /// The name of a built-in profile, or the path of a profile file.
    public var profile: String
    /// A hash of the profile file's contents when it was read, so that a changed file is a changed configuration.
    public var profileContents = 0
    /// The path prefix on the main port; `nil` if only ``listen`` leads to the provider.
    public var mount: MountPath?
    /// A port of its own, on which every path belongs to the provider.
    public var listen: ListenAddress?
    /// The TLS settings of ``listen``; `nil` for plain HTTP.
    public var listenTLS: ListenerTLS?
    /// The base URL of the API.
    public var upstream: UpstreamURL
    /// The provider of which this is a further host, in whose ledgers its requests count; `nil` for a provider of its own.
    public var account: String?
    /// The key that Weir adds, so that the app needs none.
    public var credential: Secret?
    /// Further keys of the same kind: the one that can send first is used.
    public var otherCredentials: [Secret] = []
    /// The file whose whole content is ``credential``; `nil` if there is none, or if a change needs more than another key.
    ///
    /// A changed file is used for the next request.
    public var credentialFile: String?
    /// The form in which errors reach the client.
    public var errors = ErrorForm.problem
    /// Whether a problem has the status of its code instead of the provider's.
    public var sendsCanonicalStatus = false
    /// Whether a problem includes the provider's body (truncated and redacted).
    public var includesUpstreamBody = false
    /// The rate limits, all of which apply; empty for none.
    public var limits: [RateLimit]
    /// Whether, without limits, each key is paced by what responses say of the provider's count.
    public var learnsLimits = true
    /// When a used slot of a limit is freed.
    public var guarantee = PacingPolicy.Guarantee.strict
    /// Whether limits are only observed: nothing waits or is rejected.
    public var isPacingObserved = false
    /// The ledger shared by limits with the scope `group`; the provider's name by default.
    public var group: String
    /// The longest time in the queue, 0 s (never queue) to 1 h; 10 s by default.
    public var maximumWait = Duration.seconds(10)
    /// The time limits of an exchange.
    public var timeouts = TimeoutConfiguration()
    /// Whether a credential that the provider keeps rejecting is quarantined; see ``CredentialQuarantine``.
    public var quarantinesCredentials = true
    /// When a failing provider gets no requests; never by default.
    public var circuitBreaker: CircuitBreaker.Policy?
    /// When a request is retried; never by default.
    public var retries = RetryPolicy()
    /// How the provider is verified over TLS.
    public var tls = TLSConfiguration()
    /// The HTTP version for the provider.
    public var httpVersion = HTTPVersion.http1
    /// The outbound proxy, if any.
    public var egressProxy: EgressProxy?
    /// Whether references in responses to the upstream's own address are rewritten to lead through Weir.
    public var rewritesLocations = true
    /// Whether the provider receives the trace of a request: `traceparent` and `tracestate`.
    public var forwardsTrace = false
    /// Whether a name may resolve to a private address, as configured.
    public var allowsPrivate = false

    /// A provider; omitted parameters have their defaults.
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

    /// The name of the provider whose ledgers count its requests.
    public var ledgerName: String { account ?? name }

    /// All keys that Weir adds, in the order of the file.
    public var credentials: [Secret] { [credential].compactMap { $0 } + otherCredentials }

    /// The most keys of one provider.
    public static let maximumCredentials = 16

    /// Whether connections to private addresses are meant: allowed, or obvious from the URL.
    public var mayReachPrivateAddresses: Bool { allowsPrivate || upstream.isPrivateByItself }

    /// Whether `name` is a valid name for a provider or a group.
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
    /// Whether connections that were opened for `other` can be used for this provider.
    ///
    /// Settings that are not named here count as different, so that a new setting is safe by default.
    public func connects(like other: ProviderConfiguration) -> Bool {
        guard upstream.origin == other.upstream.origin else { return false }
        var same = other
        (same.name, same.profile, same.mount, same.listen) = (name, profile, mount, listen)
        same.account = account
        same.listenTLS = listenTLS
        same.profileContents = profileContents
        (same.upstream, same.credential) = (upstream, credential)
        (same.credentialFile, same.otherCredentials) = (credentialFile, otherCredentials)
        (same.errors, same.includesUpstreamBody) = (errors, includesUpstreamBody)
        same.sendsCanonicalStatus = sendsCanonicalStatus
        (same.retries, same.circuitBreaker) = (retries, circuitBreaker)
        same.quarantinesCredentials = quarantinesCredentials
        same.rewritesLocations = rewritesLocations
        same.forwardsTrace = forwardsTrace
        (same.limits, same.group, same.maximumWait) = (limits, group, maximumWait)
        same.learnsLimits = learnsLimits
        (same.guarantee, same.isPacingObserved) = (guarantee, isPacingObserved)
        same.timeouts = timeouts
        same.timeouts.connect = other.timeouts.connect
        return same == self
    }
}

/// The defaults that a profile supplies to the configuration.
public struct ProfileDefaults: Hashable, Sendable {
    /// The provider's base URL; `nil` for a profile that fits many providers.
    public var upstream: String?
    /// The provider's rate limits in each tier; empty if none are known.
    public var limits: [RateLimit]
    /// The limits that each tier has besides.
    public var tiers: [ProfileTier]
    /// The tier of a provider that names none.
    public var tier: String?
    /// The form in which its errors reach the client, `nil` for problems.
    public var errors: ProviderConfiguration.ErrorForm?
    /// What the variables of its URLs stand for, by name.
    public var variables: [String: UpstreamVariable] = [:]
    /// Further addresses of the same account.
    public var hosts: [UpstreamHost] = []

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
        errors = profile.errors
        (variables, hosts) = (profile.variables, profile.hosts)
    }
}

/// The HTTP version for a provider.
public enum HTTPVersion: String, CaseIterable, Sendable {
    /// HTTP/1.1: one connection per request in flight.
    ///
    /// The default: it avoids the cost of libcurl's framing, no stream can block another, and an early response to a
    /// long upload is seen at once.
    case http1 = "1.1"
    /// HTTP/2 if the provider offers it in the TLS handshake, otherwise HTTP/1.1: fewer connections and handshakes.
    case auto
}

/// The time limits of one exchange.
public struct TimeoutConfiguration: Hashable, Sendable {
    /// To establish a new connection, including TLS; 5 s by default.
    public var connect: Duration
    /// From the last byte of the request to the first byte of the response; 30 s by default, `nil` for long polling
    /// without a limit.
    public var response: Duration?
    /// Between two parts of a response's body; 30 s by default, `nil` for no limit.
    ///
    /// Does not apply to an event stream (`text/event-stream`).
    public var idle: Duration?
    /// From the head of a response that is, or may be, an error to the end of its body; 5 s by default.
    ///
    /// After that, the part that has arrived is used.
    public var errorBody: Duration
    /// From the first byte sent to the last byte received; `nil`, the default, sets no limit.
    public var total: Duration?

    /// Time limits; omitted parameters have their defaults.
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

/// How a provider is verified over TLS, and what Weir presents to it; all paths are of PEM files.
public struct TLSConfiguration: Hashable, Sendable {
    /// The certificate authorities to trust instead of the system's.
    public var caFile: String?
    /// Weir's client certificate, for a provider that asks for one.
    public var clientCertificate: String?
    /// The key of ``clientCertificate``; `nil` if it is in the same file.
    public var clientKey: String?

    /// The oldest TLS version to use.
    public var minimumVersion = Version.tls12

    /// A TLS version; older ones are not supported.
    public enum Version: String, CaseIterable, Sendable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// A hash of the files' contents when they were read, so that a renewed certificate is a changed configuration.
    public var contents = 0

    /// TLS with these files; without files, the system's authorities and no client certificate.
    public init(caFile: String? = nil, clientCertificate: String? = nil, clientKey: String? = nil) {
        self.caFile = caFile
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
    }
}

/// A text that may be sent to one provider, but must never be shown.
///
/// Printing, dumping or interpolating it gives `(secret)`; only ``value`` has the text.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The text.
    public let value: String

    /// Wraps `value`.
    public init(_ value: String) { self.value = value }

    /// Always `(secret)`.
    public var description: String { "(secret)" }

    /// Always `(secret)`.
    public var debugDescription: String { "(secret)" }

    /// A mirror without children, so that `dump` shows nothing either.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
