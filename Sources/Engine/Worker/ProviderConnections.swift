internal import Core
internal import Loop
internal import Upstream

/// One worker's connections to one provider, and their sockets that the loop watches.
final class ProviderConnections: SocketWatcher, ReadinessHandler, HTTP1PoolOwner {
    /// The provider's current configuration; the settings for its connections have not changed since this object was
    /// created.
    var provider: ProviderService {
        didSet { keys = LedgerKeyMemo(provider.keys) }
    }
    /// Computes the ledger keys of requests to `provider`.
    var keys: LedgerKeyMemo
    private let worker: Worker
    private let multi: CurlMulti
    private var pool: HTTP1Pool?
    /// Whether the provider may speak HTTP/2, as far as is known: libcurl's part then.
    private let triesHTTP2: Bool
    /// Whether it stands in the worker's list of those that have something to do.
    var isScheduled = false
    /// Whether it is in the worker's list of connections on which libcurl is working.
    var isBusy = false
    private var reportedConnections = 0

    init(provider: ProviderService, worker: Worker) {
        self.provider = provider
        keys = LedgerKeyMemo(provider.keys)
        self.worker = worker
        let configuration = provider.configuration
        var options = UpstreamOptions(configuration)
        options.offersHTTP2 = configuration.upstream.isTLS && configuration.httpVersion == .auto
        triesHTTP2 = options.offersHTTP2
        multi = CurlMulti(options: options)
        multi.watcher = self
        pool = HTTP1Pool(
            multi: multi, loop: worker.loop, authority: configuration.upstream.authority,
            room: worker.receiveRoom, owner: self)
    }

    /// Closes all connections while the loop and the worker can still be notified; no transfer is running.
    func close() {
        worker.loop.confinement.check()
        pool?.close()
        pool = nil
        multi.close()
    }

    /// Creates a transfer to this provider, to be configured and started.
    ///
    /// Until the first response, it is unknown whether the provider supports HTTP/2; libcurl uses what is offered.
    func makeTransfer() -> any UpstreamTransfer {
        if triesHTTP2, multi.speaksHTTP2 != false { return multi.makeTransfer() }
        return pool?.makeTransfer() ?? multi.makeTransfer()
    }

    /// Starts a transfer; its delegate is notified at the end.
    func start(_ transfer: any UpstreamTransfer, for delegate: any TransferDelegate) {
        worker.loop.confinement.check()
        transfer.start(for: delegate)
        if multi.needsKick { worker.schedule(self) }
    }

    func cancel(_ transfer: any UpstreamTransfer) {
        worker.loop.confinement.assertKept()
        guard transfer.isRunning else { return }
        transfer.cancel()
        if multi.needsKick { worker.schedule(self) }
    }

    /// Resumes a paused transfer.
    func resume(_ transfer: any UpstreamTransfer, _ direction: TransferDirection) {
        worker.loop.confinement.assertKept()
        transfer.resume(direction)
        if multi.needsKick { worker.schedule(self) }
    }

    /// Whether libcurl has work to do.
    var hasWork: Bool { multi.runningTransfers + multi.pendingConnections > 0 }

    /// When libcurl must be called at the latest, in milliseconds of the monotonic clock, while it has work to do.
    var deadlineMilliseconds: Int64? { multi.deadlineMilliseconds }

    /// Runs libcurl, and reports finished transfers.
    func run(nowMilliseconds: Int64) {
        worker.loop.confinement.check()
        multi.run(nowMilliseconds: nowMilliseconds)
        multi.reportFinished()
        pool?.reportFinished()
        if multi.needsKick { worker.schedule(self) }
    }

    /// Returns the number of connections opened since the last call.
    func takeOpenedConnections() -> Int {
        defer { reportedConnections = multi.openedConnections }
        return multi.openedConnections - reportedConnections
    }

    // MARK: HTTP1PoolOwner

    var nowNanoseconds: Int64 { worker.now.nanoseconds }

    func poolHasFinishedTransfers(_ pool: HTTP1Pool) { worker.schedule(self) }

    // MARK: SocketWatcher

    func watch(_ socket: Int32, readable: Bool, writable: Bool) {
        var interest: Readiness = []
        if readable { interest.insert(.readable) }
        if writable { interest.insert(.writable) }
        worker.watch(socket, for: interest, handler: self)
    }

    func unwatch(_ socket: Int32, isClosing: Bool) {
        if isClosing { worker.loop.forget(socket) } else { worker.loop.unwatch(socket) }
    }

    func multiHasWork() { worker.markBusy(self) }

    // MARK: ReadinessHandler

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        worker.loop.confinement.assertKept()
        multi.socket(
            descriptor, isReadable: readiness.contains(.readable),
            isWritable: readiness.contains(.writable), isBroken: readiness.isBroken)
        worker.schedule(self)
    }
}

extension UpstreamOptions {
    /// The options of connections to a provider.
    init(_ configuration: ProviderConfiguration) {
        let reachesAll = configuration.mayReachPrivateAddresses
        self.init(
            origin: configuration.upstream.origin,
            connectTimeoutMilliseconds: max(
                1, Int(configuration.timeouts.connect.wholeNanoseconds / 1_000_000)),
            allowsAddress: { address in reachesAll || !IPAddress(address).isPrivate })
        use(configuration.tls)
        proxy = configuration.egressProxy?.url.value
        // With a proxy, Weir connects to the proxy's address; the proxy resolves the provider's name.
        if proxy != nil { allowsAddress = { _ in true } }
    }

    /// Checks the server's certificate, and identifies Weir, as `tls` says.
    mutating func use(_ tls: TLSConfiguration) {
        caFile = tls.caFile
        if let certificate = tls.clientCertificate {
            clientCertificate = (certificate, tls.clientKey ?? certificate)
        }
        requiresTLS13 = tls.minimumVersion == .tls13
    }
}

extension IPAddress {
    /// The address as the configuration spells it.
    fileprivate init(_ address: ResolvedAddress) {
        switch address {
        case .v4(let bits): self = .v4(bits)
        case .v6(let high, let low): self = .v6(high: high, low: low)
        }
    }
}
