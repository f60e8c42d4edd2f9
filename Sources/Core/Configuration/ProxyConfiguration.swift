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
