public import Loop
internal import Wire

/// What a pool needs from its worker.
public protocol HTTP1PoolOwner: AnyObject {
    /// The time of the iteration, in nanoseconds of the monotonic clock.
    var nowNanoseconds: Int64 { get }

    /// Transfers have finished: ``HTTP1Pool/reportFinished()`` must be called soon, outside of any callback.
    func poolHasFinishedTransfers(_ pool: HTTP1Pool)
}

/// One worker's HTTP/1.1 connections to one upstream.
///
/// libcurl establishes them; requests and responses are written and read here: a request is sent in one piece and
/// never twice. A connection serves one transfer after the other; the most recently used one is reused first.
/// Confined to the thread of its loop.
@safe public final class HTTP1Pool {
    /// Establishes the connections.
    let multi: CurlMulti
    let loop: EventLoop
    /// The value of `Host`.
    let authority: [UInt8]
    /// The receive buffer of all pools of a worker, which is empty between two calls.
    let room: ReceiveRoom
    private unowned(unsafe) let owner: any HTTP1PoolOwner
    private var idle: [HTTP1Connection] = []
    private var idleTransfers: [HTTP1Transfer] = []
    private var finished: [(transfer: HTTP1Transfer, serial: UInt64)] = []
    private var open: [ObjectIdentifier: HTTP1Connection] = [:]
    private var isClosed = false
    /// Until when no connection is reused, on the owner's clock; see ``didReceiveUnrequestedBytes()``.
    private var singleUseUntil: Int64 = 0

    /// How many unused transfers and connections are kept.
    private static let idleLimit = 1024
    /// The longest idle time of a reusable connection, in nanoseconds: most servers close it after 60 s or more.
    private static let idleNanoseconds: Int64 = 50_000_000_000
    /// The age after which a connection is not reused even if it is busy, in nanoseconds, because a name may resolve
    /// to another address by then.
    private static let lifetimeNanoseconds: Int64 = 600_000_000_000

    private static let singleUseNanoseconds: Int64 = 60_000_000_000

    /// An empty pool.
    ///
    /// - Parameters:
    ///   - multi: establishes the connections; must outlive the pool.
    ///   - authority: the value of `Host`: host and port.
    ///   - owner: not retained; must outlive the pool, or ``close()`` it.
    public init(
        multi: CurlMulti, loop: EventLoop, authority: String, room: ReceiveRoom, owner: any HTTP1PoolOwner
    ) {
        self.multi = multi
        self.loop = loop
        self.authority = Array(authority.utf8)
        self.room = room
        unsafe self.owner = owner
    }

    /// A transfer to this upstream.
    public func makeTransfer() -> HTTP1Transfer { idleTransfers.popLast() ?? HTTP1Transfer(pool: self) }

    /// Notifies the delegates of all finished transfers.
    public func reportFinished() {
        var index = 0
        while index < finished.count {
            let (transfer, serial) = finished[index]
            index += 1
            // It may have been cancelled since, and reused.
            if transfer.serial == serial { transfer.report() }
        }
        finished.removeAll(keepingCapacity: true)
    }

    /// Closes all connections; no transfer may be running or be started any more.
    public func close() {
        isClosed = true
        for connection in Array(open.values) { connection.close() }
        idle = []
        idleTransfers = []
        // They retain this pool.
        finished = []
    }

    // MARK: Connections

    /// The provider has sent bytes that no request asked for.
    ///
    /// Such bytes would be taken for the response to the next request if they arrived just after it. So each request
    /// gets its own connection for a while.
    func didReceiveUnrequestedBytes() {
        singleUseUntil = unsafe owner.nowNanoseconds + Self.singleUseNanoseconds
    }

    /// A reusable idle connection, or a new one.
    func connection(for transfer: HTTP1Transfer) -> HTTP1Connection {
        let now = unsafe owner.nowNanoseconds
        while let connection = idle.popLast() {
            if connection.idleUntil > now, now >= singleUseUntil { return connection }
            connection.close()
        }
        let connection = HTTP1Connection(pool: self)
        connection.agesAt = now + Self.lifetimeNanoseconds
        open[ObjectIdentifier(connection)] = connection
        return connection
    }

    /// Keeps a connection whose transfer is over.
    ///
    /// - Parameter seconds: how long the provider says it keeps the connection.
    func keep(_ connection: HTTP1Connection, seconds: Int64?) {
        let now = unsafe owner.nowNanoseconds
        var limit = Self.idleNanoseconds
        // One second less: a request in flight when the provider closes would be lost.
        if let seconds { limit = min(limit, (min(seconds, 3600) - 1) * 1_000_000_000) }
        limit = min(limit, connection.agesAt - now)
        guard limit > 0, now >= singleUseUntil else { return connection.close() }
        if let oldest = idle.first, idle.count >= Self.idleLimit || oldest.idleUntil <= now {
            idle.removeFirst()
            oldest.close()
        }
        connection.idleUntil = now + limit
        idle.append(connection)
    }

    /// An idle connection has ended.
    func dropIdle(_ connection: HTTP1Connection) {
        if let index = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: index) }
    }

    /// A connection was closed.
    func forget(_ connection: HTTP1Connection) { open[ObjectIdentifier(connection)] = nil }

    // MARK: Transfers

    func finish(_ transfer: HTTP1Transfer) {
        finished.append((transfer, transfer.serial))
        unsafe owner.poolHasFinishedTransfers(self)
    }

    func takeBack(_ transfer: HTTP1Transfer) {
        if !isClosed, idleTransfers.count < Self.idleLimit { idleTransfers.append(transfer) }
    }
}
