/// The whole configuration of a running Weir: one value, replaced as a whole and never changed in place.
public struct ProxyConfiguration: Hashable, Sendable {
    /// The address for clients.
    public var listen = ListenAddress.tcp(.v4(0x7F00_0001), port: 8080)
    /// The TLS settings of ``listen``; `nil` for plain HTTP.
    public var listenTLS: ListenerTLS?
    /// The address of the admin paths; `nil` for ``listen``.
    public var adminListen: ListenAddress?
    /// The tokens of which callers must present one; none by default: whoever reaches Weir may use it.
    public var accessTokens = AccessTokens()
    /// The token for admin requests that change something; without it, there are none.
    public var adminToken: Secret?
    /// Where spans are exported to; `nil` if nothing is traced.
    public var tracing: TracingConfiguration?
    /// The number of event loops, 1 to 256; `nil` for one per core.
    public var workers: Int?
    /// How many instances share the providers' limits, including this one.
    public var replicas = 1
    /// The shared ledger of all instances; `nil` if each counts for itself.
    public var ledger: LedgerAddress?
    /// The minimum level of log messages.
    public var logLevel = LogLevel.info
    /// Whether every exchange is logged.
    public var logsAccess = true
    /// Whether Weir reloads automatically when the file, or a file that it names, changes; a signal always does.
    public var reloadsOnChange = true
    /// The host names under which clients may use a credential that Weir adds; addresses and `localhost` are always
    /// allowed.
    public var hosts: [HostPattern] = []
    /// The prefix of every problem's `type`, without a slash at the end.
    public var typeBase = "/-/errors"
    /// The providers, in the order of the file.
    public var providers: [ProviderConfiguration]
    /// The size limits.
    public var limits = SizeLimits()
    /// The time limits for clients.
    public var clientTimeouts = ClientTimeouts()
    /// How long exchanges in flight may take to finish at shutdown; 25 s by default.
    public var drain = Duration.seconds(25)

    /// The most providers.
    public static let maximumProviders = 256
    /// The most elements of ``hosts``.
    public static let maximumHosts = 64
    /// The valid values of ``workers``.
    public static let workersRange = 1...256

    /// The valid values of ``replicas``.
    public static let replicasRange = 1...1000

    /// A configuration with these providers, and defaults otherwise.
    public init(providers: [ProviderConfiguration]) { self.providers = providers }

    /// Maps a path to the index of its provider in ``providers``.
    public var routeTable: RouteTable {
        RouteTable(
            providers.enumerated().compactMap { index, provider in provider.mount.map { ($0, index) } })
    }
}

/// The level of a log message; messages below the configured level are dropped.
public enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
}

/// The prefix of the URI of a problem's type.
public enum TypeBase {
    /// Whether `text` is a path, or a URL with a host and an optional port; two slashes at the start would denote a
    /// host.
    public static func isValid(_ text: String) -> Bool {
        guard text.hasCompleteEscapes else { return false }
        guard let mark = text.firstRange(of: "://") else {
            return text.hasPrefix("/") && !text.hasPrefix("//")
        }
        let rest = text[mark.upperBound...]
        return (try? Authority(parsing: rest.prefix { $0 != "/" })) != nil
    }
}

/// Why a text is not a valid value of a setting.
///
/// The text itself is not included: the caller knows whether it may be shown.
public struct InvalidSetting: Error, Hashable, Sendable {
    /// What is wrong and what is allowed, such as `must have a port from 0 to 65535`.
    public var reason: String

    /// Creates an error with this reason.
    public init(_ reason: String) { self.reason = reason }
}

/// The time limits for clients.
public struct ClientTimeouts: Hashable, Sendable {
    /// How long a connection without a request is kept; 75 s by default, in whole seconds.
    public var idle: Duration
    /// How long a client may stop sending its request or reading its response; 30 s by default.
    public var stall: Duration

    /// Time limits; omitted parameters have their defaults.
    public init(idle: Duration = .seconds(75), stall: Duration = .seconds(30)) {
        self.idle = idle
        self.stall = stall
    }
}

/// The size limits, in bytes unless a property says otherwise.
public struct SizeLimits: Hashable, Sendable {
    /// The largest body of a request, 64 MiB by default; a larger one is `request_too_large`.
    public var requestBody = 64 << 20
    /// The largest request line and header section, 12 KiB by default; a larger one is `headers_too_large`.
    public var requestHead = 12 << 10
    /// The longest request target, path and query, 8 KiB by default; a longer one is `uri_too_long`.
    public var uri = 8 << 10
    /// The most header fields in a request (a number), 100 by default; more are `headers_too_large`.
    public var headerCount = 100
    /// The largest header section of a provider's response that is relayed, 64 KiB by default; fields beyond it are
    /// dropped.
    public var responseHead = 64 << 10
    /// How much of a provider's error body is read, 64 KiB by default; the rest is dropped.
    public var errorBody = 64 << 10
    /// The most client connections of each worker at each address (a number), 4096 by default.
    public var connections = 4096
    /// The most requests that wait for a slot, for each provider or group (a number), 1024 by default.
    public var queue = 1024
    /// The most credentials whose use is counted separately (a number), 10,000 by default.
    public var keys = 10_000

    /// The largest ``requestHead``: it shares a connection's memory of 16 KiB with the head of its response.
    public static let maximumRequestHead = 14 << 10

    /// The defaults.
    public init() {}
}
