internal import EventLoop
internal import Logging
internal import ProxyCore
internal import RedisClient
internal import Synchronization

/// This instance's part in the ledger that several instances share: asks it for slots, tells it of answers, and paces by
/// the instance's own share while it cannot be reached.
///
/// Confined to the first worker's thread; the others reach it through that worker's mailbox.
///
/// **Nothing is exceeded.** The server gives out what the limit has, less the share of each instance that does not keep to it
/// alone (that has no seat there). An instance that loses the server waits until its seat has lapsed and all that
/// others were given before is over (`LedgerAccount.quiet`), and then uses its share. When it comes back, it takes its seat only
/// when what it sent meanwhile is over.
final class SharedLedger: LedgerLinkOwner {
    /// How often the server is told that this instance is alive.
    static let beat: Int64 = 1_000_000_000
    private static let firstBackoff: Int64 = 100_000_000
    private static let longestBackoff: Int64 = 2_000_000_000

    /// One account as it stands.
    struct State {
        let account: LedgerAccount
        /// Whether the server is asked; else the instance's share paces.
        var isShared = false
        /// When the share may be used.
        var quietUntil: MonotonicTime
        /// Requests of the share that have no answer, and until when the others are in a window.
        var outstanding = 0
        var busyUntil = MonotonicTime.distantPast
        /// What the server has to be told when it is back.
        var untold: [[String]] = []
    }

    /// One claim.
    struct Record {
        enum Phase {
            case waiting
            /// It may be sent at this time.
            case promised(MonotonicTime)
            case sent
            /// It does not wait any more, and may still be given a slot.
            case abandoned
        }

        let claim: LedgerClaim
        /// Its place in the order in which claims came.
        let arrival: UInt64
        var phase = Phase.waiting
        /// The session in which the server was asked, or gave the slot.
        var session: String?
        /// What it holds of the share.
        var slot: Slot?
        var place: Place?
        /// Whether the share let it through.
        var isOfShare = false
    }

    enum Event {
        case promise(UInt64)
        case wake(LedgerAccount, Wake)
        case quietIsOver(LedgerAccount)
        case forget(UInt64)
        /// In this session.
        case beat(String)
        case connect
    }

    unowned let worker: Worker
    let address: LedgerAddress
    let status: LedgerStatus
    var accounts: [ObjectIdentifier: State] = [:]
    var records: [UInt64: Record] = [:]
    var arrivals: UInt64 = 0
    var link: LedgerLink?
    /// A link that is over, to be closed outside of the library.
    private var endedLinks: [LedgerLink] = []
    private var formerSession = ""
    var events = DeadlineHeap<Event>()
    private var backoff = SharedLedger.firstBackoff
    private var resolver: LedgerResolver?
    private var isToldOf = false
    private var isClosed = false
    private let startedAt = Worker.clock()

    init(address: LedgerAddress, status: LedgerStatus, worker: Worker) {
        self.address = address
        self.status = status
        self.worker = worker
        _ = events.insert(.connect, at: startedAt)
    }

    /// Keeps these accounts from now on, besides those that it has.
    func add(_ added: [LedgerAccount], at now: MonotonicTime) {
        for account in added where accounts[ObjectIdentifier(account)] == nil {
            let end = startedAt.later(by: account.quiet * 1000)
            accounts[ObjectIdentifier(account)] = State(account: account, quietUntil: end)
            _ = events.insert(.quietIsOver(account), at: end)
            arm(account.setPacing(true, at: now), of: account)
            if let link, link.isUp { sayAlive(account, link) }
        }
        updateStatus()
    }

    /// When it wants to be called at the latest.
    var deadline: MonotonicTime? {
        if !endedLinks.isEmpty { return .distantPast }
        guard let end = link?.deadline else { return events.earliest }
        return min(end, events.earliest ?? end)
    }

    /// Does what is due.
    func run(at now: MonotonicTime) {
        for ended in endedLinks { ended.close() }
        endedLinks = []
        link?.look(at: now)
        while let event = events.popDue(at: now) { act(on: event, at: now) }
    }

    /// Ends the connection.
    func close() {
        isClosed = true
        link?.close()
        link = nil
        for ended in endedLinks { ended.close() }
        endedLinks = []
        resolver?.join()
        resolver = nil
    }

    private func act(on event: Event, at now: MonotonicTime) {
        switch event {
        case .promise(let id): promiseIsDue(id, at: now)
        case .wake(let account, let wake): advance(account, wake, at: now)
        case .quietIsOver(let account): askShare(ofAllWaitingFor: account, at: now)
        case .forget(let id):
            if case .abandoned = records[id]?.phase { records[id] = nil }
        case .beat(let session):
            guard let link, link.isUp, link.name == session else { return }
            for state in accounts.values { sayAlive(state.account, link) }
            nudge(link)
            _ = events.insert(.beat(session), at: now.later(by: Self.beat))
        case .connect: connect()
        }
    }

    // MARK: The way to the server

    private func connect() {
        guard link == nil, resolver == nil, !isClosed else { return }
        switch address.place {
        case .unix(let path): open(.unix(path: path))
        case .tcp(let host, let port):
            if LedgerResolver.isNumeric(host) {
                open(.tcp(address: host, port: port))
            } else {
                resolver = LedgerResolver(host: host, mailbox: worker.mailbox)
                if resolver == nil { retry() }
            }
        }
    }

    /// The address of the server's host is known, or is not.
    func resolved(_ numeric: String?) {
        resolver?.join()
        resolver = nil
        guard !isClosed, link == nil, case .tcp(_, let port) = address.place else { return }
        guard let numeric else { return lost("its name cannot be resolved") }
        open(.tcp(address: numeric, port: port))
    }

    private func open(_ place: RedisConnection.Place) {
        let link = LedgerLink(
            to: address, place: place, loop: worker.loop, status: status, owner: self)
        self.link = link
        link.start()
    }

    private func retry() {
        let wait = Int64.random(in: backoff / 2...backoff)
        backoff = min(backoff * 2, Self.longestBackoff)
        _ = events.insert(.connect, at: Worker.clock().later(by: wait))
    }

    func linkIsUp(_ link: LedgerLink) {
        for state in accounts.values { sayAlive(state.account, link) }
        _ = events.insert(.beat(link.name), at: Worker.clock().later(by: Self.beat))
    }

    func linkIsDown(_ link: LedgerLink, reason: String) {
        guard link === self.link else { return }
        endedLinks.append(link)
        self.link = nil
        lost(reason)
    }

    private func lost(_ reason: String) {
        if let name = endedLinks.last?.name, !isClosed { formerSession = name }
        fallBack(for: reason, at: Worker.clock())
        retry()
    }

    // MARK: Alive

    /// Tells the server that this instance is there, and whether it sends nothing without asking.
    private func sayAlive(_ account: LedgerAccount, _ link: LedgerLink) {
        let now = Worker.clock()
        guard let state = accounts[ObjectIdentifier(account)] else { return }
        // A seat lasts for a while: it is taken only if the share is not used before it has lapsed.
        let stays = state.isShared || now.later(by: LedgerAccount.lapse * 1000) < state.quietUntil
        let keeps = stays && state.outstanding == 0 && state.busyUntil <= now
        let notAfter = link.latest(at: now)
        let former = formerSession == link.name ? "" : formerSession
        link.call(
            [
                "beat", link.name, "\(notAfter)", "\(LedgerAccount.lapse)",
                keeps ? "1" : "0", "\(account.settling)", former,
            ], of: account
        ) { [weak self] reply in
            guard let self, self.link === link, let wait = reply.elements?.first?.integer else { return }
            heard(account, settles: wait, from: link)
        }
    }

    private func heard(_ account: LedgerAccount, settles wait: Int64, from link: LedgerLink) {
        let id = ObjectIdentifier(account)
        guard let state = accounts[id] else { return }
        backoff = Self.firstBackoff
        if wait == 0, !state.isShared {
            goShared(account, link)
        } else if wait > 0, state.isShared {
            fallBack(account, at: Worker.clock())
        }
        updateStatus()
    }

    private func goShared(_ account: LedgerAccount, _ link: LedgerLink) {
        let now = Worker.clock()
        let id = ObjectIdentifier(account)
        accounts[id]?.isShared = true
        _ = account.setPacing(false, at: now)
        tellUntold(account, link)
        for claim in claims(of: account) {
            guard let record = records[claim], case .waiting = record.phase else { continue }
            if let place = record.place {
                _ = account.share.leave(place, at: now)
                records[claim]?.place = nil
            }
            ask(claim, link, at: now)
        }
    }

    private func fallBack(for reason: String, at now: MonotonicTime) {
        for state in accounts.values { fallBack(state.account, at: now) }
        if !isToldOf {
            isToldOf = true
            worker.service.logger.warning(
                "the shared ledger cannot be used: this instance keeps to its share",
                metadata: ["ledger": "\(address)", "reason": "\(reason.prefix(200))"])
        }
        updateStatus()
    }

    private func fallBack(_ account: LedgerAccount, at now: MonotonicTime) {
        let id = ObjectIdentifier(account)
        guard accounts[id]?.isShared == true else { return }
        accounts[id]?.isShared = false
        let end = now.later(by: account.quiet * 1000)
        accounts[id]?.quietUntil = end
        _ = events.insert(.quietIsOver(account), at: end)
        arm(account.setPacing(true, at: now), of: account)
        status.fallbacks.wrappingAdd(1, ordering: .relaxed)
    }

    private func updateStatus() {
        let isUp = link?.isUp == true && accounts.values.allSatisfy(\.isShared)
        status.isUp.store(isUp, ordering: .relaxed)
        guard isUp, isToldOf else { return }
        isToldOf = false
        worker.service.logger.notice(
            "the shared ledger is in use again", metadata: ["ledger": "\(address)"])
    }
}
