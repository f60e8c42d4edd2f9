internal import Curl
internal import EventLoop
internal import ProxyCore

/// One worker's way to one provider: its multi, and the sockets of it that the loop watches.
final class Upstream: SocketWatcher, ReadinessHandler {
    let provider: ProviderService
    private let worker: Worker
    let multi: CurlMulti
    /// Transfers that are running; while there are none, libcurl has no deadline that matters.
    var runningTransfers = 0
    /// Whether it stands in the worker's list of those that have something to do.
    var isListed = false
    private var reportedConnections = 0

    init(provider: ProviderService, worker: Worker) {
        self.provider = provider
        self.worker = worker
        let configuration = provider.configuration
        let reachesAll = configuration.mayReachPrivateAddresses
        var options = UpstreamOptions(
            origin: configuration.upstream.origin,
            connectTimeoutMilliseconds: max(
                1, Int(configuration.timeouts.connect.wholeNanoseconds / 1_000_000)),
            allowsAddress: { address in reachesAll || !IPAddress(address).isPrivate })
        options.caFile = configuration.tls.caFile
        if let certificate = configuration.tls.clientCertificate {
            options.clientCertificate = (certificate, configuration.tls.clientKey ?? certificate)
        }
        multi = CurlMulti(options: options)
        multi.watcher = self
    }

    /// Closes all connections, while the loop and the worker are still there to be told; no transfer runs any more.
    func close() { multi.close() }

    /// Starts a transfer; its delegate is told at the end.
    func start(_ transfer: CurlTransfer, for delegate: any TransferDelegate) {
        runningTransfers += 1
        multi.start(transfer, for: delegate)
        worker.list(self)
    }

    func cancel(_ transfer: CurlTransfer) {
        guard transfer.isRunning else { return }
        runningTransfers -= 1
        multi.cancel(transfer)
        worker.list(self)
    }

    /// Lets libcurl go on with a transfer that was paused.
    func resume(_ transfer: CurlTransfer) {
        transfer.resume()
        worker.list(self)
    }

    /// Counts the connections that were opened since the last call.
    func takeOpenedConnections() -> Int {
        defer { reportedConnections = multi.openedConnections }
        return multi.openedConnections - reportedConnections
    }

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

    // MARK: ReadinessHandler

    func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        multi.socket(
            descriptor, isReadable: readiness.contains(.readable),
            isWritable: readiness.contains(.writable), isBroken: readiness.isBroken)
        worker.list(self)
    }
}

extension IPAddress {
    /// The same address, as the configuration spells it.
    fileprivate init(_ address: ResolvedAddress) {
        switch address {
        case .v4(let bits): self = .v4(bits)
        case .v6(let high, let low): self = .v6(high: high, low: low)
        }
    }
}
