internal import Core
internal import Loop
internal import Redis
internal import Upstream

/// Establishes TLS connections to the ledger's server: libcurl resolves its name, connects and verifies its certificate, as for a provider.
///
/// Confined to the first worker's thread.
final class LedgerDialer {
    private let loop: EventLoop
    private let multi: CurlMulti
    private let sockets: MultiSockets

    /// How long name resolution, connection and handshake may take together.
    private static let connectTimeoutMilliseconds = 5000

    /// `nil` for an address without TLS.
    init?(_ address: LedgerAddress, loop: EventLoop) {
        guard case .tcp(let host, let port) = address.place, let tls = address.tls else { return nil }
        self.loop = loop
        let authority = host.contains(":") ? "[\(host)]" : host
        // libcurl needs a scheme with TLS; over a connection that it only establishes, Redis' protocol is spoken.
        var options = UpstreamOptions(
            origin: "https://\(authority):\(port)",
            connectTimeoutMilliseconds: Self.connectTimeoutMilliseconds)
        options.use(tls)
        multi = CurlMulti(options: options)
        sockets = MultiSockets(of: multi, on: loop)
    }

    /// A connection that is being established.
    func connect(for delegate: any RedisConnectionDelegate) -> RedisConnection {
        RedisConnection(through: multi, loop: loop, delegate: delegate)
    }

    /// When it must be run at the latest, in milliseconds of the monotonic clock; 0 for at once.
    var deadlineMilliseconds: Int64? {
        if multi.needsKick { return 0 }
        return multi.pendingConnections > 0 ? multi.deadlineMilliseconds : nil
    }

    /// Runs libcurl, and reports established connections.
    func run(nowMilliseconds: Int64) {
        multi.run(nowMilliseconds: nowMilliseconds)
        multi.reportFinished()
    }

    /// Ends everything; all connections must be closed.
    func close() { multi.close() }
}
