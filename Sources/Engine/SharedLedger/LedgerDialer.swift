internal import Core
internal import Loop
internal import Redis
internal import Upstream

/// Establishes TLS connections to the ledger's server: libcurl resolves its name, connects and verifies its certificate, as for a provider.
///
/// Confined to the first worker's thread.
final class LedgerDialer: SocketWatcher, ReadinessHandler {
    private let loop: EventLoop
    private let multi: CurlMulti

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
        options.caFile = tls.caFile
        if let certificate = tls.clientCertificate {
            options.clientCertificate = (certificate, tls.clientKey ?? certificate)
        }
        options.requiresTLS13 = tls.minimumVersion == .tls13
        multi = CurlMulti(options: options)
        multi.watcher = self
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

    // MARK: SocketWatcher

    func watch(_ socket: Int32, readable: Bool, writable: Bool) {
        var interest: Readiness = []
        if readable { interest.insert(.readable) }
        if writable { interest.insert(.writable) }
        // If it cannot be watched, the session runs into its timeout.
        try? loop.watch(socket, for: interest, handler: self)
    }

    func unwatch(_ socket: Int32, isClosing: Bool) {
        if isClosing { loop.forget(socket) } else { loop.unwatch(socket) }
    }

    // MARK: ReadinessHandler

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        multi.socket(
            descriptor, isReadable: readiness.contains(.readable),
            isWritable: readiness.contains(.writable), isBroken: readiness.isBroken)
    }
}
