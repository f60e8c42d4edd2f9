/// All that a running Weir goes by: one value, replaced whole, never changed in place.
public struct ProxyConfiguration: Hashable, Sendable {
    /// Where clients connect.
    public var listen = ListenAddress.tcp(.v4(0x7F00_0001), port: 8080)
    /// The TLS that is spoken at ``listen``; `nil` for none.
    public var listenTLS: ListenerTLS?
    /// Where the admin paths are served; `nil` for ``listen``.
    public var adminListen: ListenAddress?
    /// The number of event loops, 1 to 256; `nil` for one per core.
    public var workers: Int?
    /// How many instances use the providers' limits together, this one included.
    public var replicas = 1
    /// Where they keep one count for all of them; `nil` if each counts for itself.
    public var ledger: LedgerAddress?
    /// How much the log says.
    public var logLevel = LogLevel.info
    /// Whether every exchange is logged.
    public var logsAccess = true
    /// Whether a change of the file, or of one that it names, is looked for and taken; a signal always does that.
    public var reloadsOnChange = true
    /// The names under which clients may use a credential that Weir adds; addresses and `localhost` always.
    public var hosts: [HostPattern] = []
    /// What every problem's `type` begins with, without a slash at the end.
    public var typeBase = "/-/errors"
    /// The providers, in the order of the file.
    public var providers: [ProviderConfiguration]
    /// How much of everything is taken.
    public var limits = SizeLimits()
    /// How long clients are waited for.
    public var clientTimeouts = ClientTimeouts()
    /// How long what is in flight may go on after a request to stop; 25 s by default.
    public var drain = Duration.seconds(25)

    /// The most providers.
    public static let maximumProviders = 256
    /// The most elements of ``hosts``.
    public static let maximumHosts = 64
    /// The values of ``workers`` that a configuration may have.
    public static let workersRange = 1...256

    /// The values of ``replicas`` that a configuration may have.
    public static let replicasRange = 1...1000

    /// These providers, and the defaults for all else.
    public init(providers: [ProviderConfiguration]) { self.providers = providers }

    /// The way from a path to the index of its provider in ``providers``.
    public var routeTable: RouteTable {
        RouteTable(
            providers.enumerated().compactMap { index, provider in provider.mount.map { ($0, index) } })
    }
}

/// How much the log says: a message below the level is left out.
public enum LogLevel: String, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error, critical
}

/// What the URI of a problem's type begins with.
public enum TypeBase {
    /// Whether `text` is a path, or a URL with a host and perhaps a port; two slashes at the start would name a host.
    public static func isValid(_ text: String) -> Bool {
        guard text.hasCompleteEscapes else { return false }
        guard let mark = text.firstRange(of: "://") else {
            return text.hasPrefix("/") && !text.hasPrefix("//")
        }
        let rest = text[mark.upperBound...]
        return (try? Authority(parsing: rest.prefix { $0 != "/" })) != nil
    }
}

/// Why a text is not the value that a setting needs.
///
/// The text itself is left out: whoever read it knows whether it may be shown.
public struct InvalidSetting: Error, Hashable, Sendable {
    /// What is wrong and what is allowed, such as `must have a port from 0 to 65535`.
    public var reason: String

    /// Says that a text is wrong for this reason.
    public init(_ reason: String) { self.reason = reason }
}

/// How long Weir waits for its own clients.
public struct ClientTimeouts: Hashable, Sendable {
    /// How long a connection without a request is kept; 75 s by default, whole seconds.
    public var idle: Duration
    /// How long a client may neither go on with its request nor take its answer; 30 s by default.
    public var stall: Duration

    /// Timeouts, the default where none is given.
    public init(idle: Duration = .seconds(75), stall: Duration = .seconds(30)) {
        self.idle = idle
        self.stall = stall
    }
}

/// How much of everything Weir takes: bytes unless a property says otherwise.
public struct SizeLimits: Hashable, Sendable {
    /// The largest body of a request, 64 MiB by default; a larger one is `request_too_large`.
    public var requestBody = 64 << 20
    /// The largest request line and header section, 12 KiB by default; a larger one is `headers_too_large`.
    public var requestHead = 12 << 10
    /// The longest request target, path and query, 8 KiB by default; a longer one is `uri_too_long`.
    public var uri = 8 << 10
    /// The most header fields in a request (a number), 100 by default; more are `headers_too_large`.
    public var headerCount = 100
    /// The most bytes of the header fields of a provider's response that are passed on, 64 KiB by default; of more, some are dropped.
    public var responseHead = 64 << 10
    /// How much is read of a provider's error body, 64 KiB by default; the rest is dropped.
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
