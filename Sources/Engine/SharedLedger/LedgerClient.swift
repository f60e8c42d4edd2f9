internal import Core
internal import Glibc
internal import Logging
internal import Loop
internal import Redis
internal import Synchronization

/// Executes the decisions of `SharedLedger`: owns the connection, the log and the metrics, and reports events to it.
///
/// Confined to the first worker's thread; other workers reach it through that worker's mailbox.
final class LedgerClient: LedgerLinkOwner {
    private unowned let worker: Worker
    private let address: LedgerAddress
    private let status: LedgerStatus
    private var ledger: SharedLedger
    private var link: LedgerLink?
    /// Establishes the connections if they use TLS.
    private let dialer: LedgerDialer?
    /// Sessions that are over, to be closed outside of the library's callbacks.
    private var endedLinks: [LedgerLink] = []
    /// The session that waits for the host's address, and its deadline.
    private var nextSession: (name: String, latest: MonotonicTime)?
    /// Whether the host's name is being resolved; there is one lookup at a time, however long it takes.
    private var isResolving = false
    /// How long a session waits for an address, in nanoseconds.
    private static let longestLookup: Int64 = 5_000_000_000
    /// The number of lookups: each attempt uses the next address, since some may not be served.
    private var lookups = 0
    private var isActing = false
    private var isClosed = false

    init(address: LedgerAddress, status: LedgerStatus, worker: Worker) {
        self.address = address
        self.status = status
        self.worker = worker
        ledger = SharedLedger(startedAt: Worker.clock()) { .random(in: .min ... .max) }
        dialer = LedgerDialer(address, loop: worker.loop)
    }

    /// Also uses these accounts from now on.
    func add(_ accounts: [LedgerAccount], at now: MonotonicTime) {
        ledger.add(accounts, at: now)
        act()
    }

    func receive(_ message: LedgerMessage) {
        worker.loop.confinement.assertKept()
        let now = Worker.clock()
        switch message {
        case .claim(let claim): ledger.take(claim, at: now)
        case .pause(let pause): ledger.tell(pause, at: now)
        case .report(let report, let id): ledger.take(report, of: id, at: now)
        case .addresses(let addresses): resolved(addresses, at: now)
        }
        act()
    }

    /// When it must be called at the latest.
    var deadline: MonotonicTime? {
        guard endedLinks.isEmpty else { return .distantPast }
        let dialling = dialer?.deadlineMilliseconds.map { MonotonicTime(nanoseconds: $0 * 1_000_000) }
        return [ledger.deadline, nextSession?.latest, dialling].compactMap(\.self).min()
    }

    /// Does what is due.
    func run(at now: MonotonicTime) {
        worker.loop.confinement.assertKept()
        closeEndedLinks()
        dialer?.run(nowMilliseconds: now.nanoseconds / 1_000_000)
        if let (session, latest) = nextSession, latest <= now {
            nextSession = nil
            ledger.sessionIsOver(session, reason: "its name was not resolved in time", at: now)
        }
        ledger.run(at: now)
        act()
    }

    /// Closes the connection.
    func close() {
        isClosed = true
        link?.close()
        link = nil
        closeEndedLinks()
        dialer?.close()
        // A running lookup ends on its own; nothing waits for it.
        nextSession = nil
    }

    private func closeEndedLinks() {
        for ended in endedLinks { ended.close() }
        endedLinks = []
    }

    // MARK: Effects

    /// Executes the decided effects; effects that follow from them are appended.
    private func act() {
        guard !isActing, !isClosed else { return }
        isActing = true
        defer { isActing = false }
        while true {
            let effects = ledger.takeEffects()
            if effects.isEmpty { break }
            for effect in effects { execute(effect) }
        }
        status.isUp.store(ledger.isInUse, ordering: .relaxed)
        status.fallbacks.store(ledger.fallbacks, ordering: .relaxed)
    }

    private func execute(_ effect: LedgerEffect) {
        switch effect {
        case .connect(let session): connect(session)
        case .disconnect(let session):
            guard let link, link.name == session else { return }
            endedLinks.append(link)
            self.link = nil
        case .call(let call): link?.call(call)
        case .grant(let waiter): worker.mailboxes[waiter.worker].post(.ledgerGrant(waiter.id))
        case .refuse(let waiter, let refusal):
            worker.mailboxes[waiter.worker].post(.ledgerRefusal(waiter.id, refusal))
        case .arm(let wake, let pacer): worker.mailbox.post(.wake(wake, of: pacer))
        case .tellOfLoss(let reason):
            worker.service.logger.warning(
                "shared ledger unavailable; this instance uses its own share",
                metadata: ["ledger": "\(address)", "reason": "\(redacted(reason).prefix(200))"])
        case .tellOfReturn:
            worker.service.logger.notice(
                "shared ledger available again", metadata: ["ledger": "\(address)"])
        }
    }

    /// Removes secrets: a server that does not know a command repeats it, including the password.
    private func redacted(_ reason: String) -> String {
        guard let password = address.password?.value, !password.isEmpty, reason.contains(password) else {
            return reason
        }
        return "it rejects the credentials"
    }

    // MARK: The way to the server

    private func connect(_ session: String) {
        switch address.place {
        case _ where dialer != nil: open(session) { [dialer] in dialer?.connect(for: $0) }
        case .unix(let path): open(.unix(path: path), for: session)
        case .tcp(let host, let port):
            if LedgerResolver.isNumeric(host) { return open(.tcp(address: host, port: port), for: session) }
            nextSession = (session, Worker.clock().later(by: Self.longestLookup))
            guard !isResolving else { return }
            isResolving = LedgerResolver.resolve(host, for: worker.mailbox)
            if !isResolving { resolved([], at: Worker.clock()) }
        }
    }

    /// The lookup of the server's host has finished; `addresses` may be empty.
    private func resolved(_ addresses: [String], at now: MonotonicTime) {
        isResolving = false
        guard let (session, _) = nextSession, case .tcp(_, let port) = address.place else { return }
        nextSession = nil
        if !addresses.isEmpty {
            let address = addresses[lookups % addresses.count]
            lookups += 1
            open(.tcp(address: address, port: port), for: session)
        } else {
            ledger.sessionIsOver(session, reason: "its name cannot be resolved", at: now)
        }
    }

    private func open(_ place: RedisConnection.Place, for session: String) {
        let loop = worker.loop
        open(session) { RedisConnection(to: place, loop: loop, delegate: $0) }
    }

    private func open(
        _ session: String, connect: (any RedisConnectionDelegate) -> RedisConnection?
    ) {
        guard !isClosed else { return }
        let link = LedgerLink(
            name: session, to: address, status: status, owner: self, connect: connect)
        self.link = link
        ledger.sessionBegins(session, at: Worker.clock())
        link.start()
    }

    // MARK: LedgerLinkOwner

    func linkIsUp(_ link: LedgerLink, clock: Int64, heard: MonotonicTime) {
        ledger.sessionIsUp(link.name, clock: clock, heard: heard, at: Worker.clock())
        act()
    }

    func link(_ link: LedgerLink, received reply: LedgerReply) {
        ledger.take(reply, in: link.name, at: Worker.clock())
        act()
    }

    func link(_ link: LedgerLink, received message: [UInt8]) {
        ledger.take(message: message, in: link.name, at: Worker.clock())
        act()
    }

    func linkIsDown(_ link: LedgerLink, reason: String, isSenseless: Bool) {
        guard link === self.link else { return }
        endedLinks.append(link)
        self.link = nil
        ledger.sessionIsOver(
            link.name, reason: reason, isSenseless: isSenseless, at: Worker.clock())
        act()
    }
}

/// Resolves names.
enum LedgerResolver {
    /// Posts the addresses of `host` to `mailbox` from a thread of its own: getaddrinfo() may block for any time and
    /// cannot be cancelled.
    ///
    /// The thread is not joined, so that the program need not wait for it at its end; it retains nothing but the
    /// mailbox.
    ///
    /// - Returns: false if no thread could be started; then nothing is posted.
    static func resolve(_ host: String, for mailbox: Mailbox<WorkerMessage>) -> Bool {
        let thread = try? LoopThread(name: "weir-resolver") {
            mailbox.post(.ledger(.addresses(lookUp(host, flags: AI_ADDRCONFIG))))
        }
        thread?.detach()
        return thread != nil
    }

    /// Whether `host` is an address that needs no lookup.
    static func isNumeric(_ host: String) -> Bool { !lookUp(host, flags: AI_NUMERICHOST).isEmpty }

    private static func lookUp(_ host: String, flags: Int32) -> [String] {
        resolve(host, flags: flags).addresses
    }

    /// The numeric addresses of a host, and the result of getaddrinfo().
    static func resolve(_ host: String, flags: Int32) -> (addresses: [String], status: Int32) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = flags
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, nil, &hints, &found)
        guard status == 0, let first = unsafe found else { return ([], status) }
        defer { unsafe freeaddrinfo(first) }
        var addresses: [String] = []
        var next: UnsafeMutablePointer<addrinfo>? = unsafe first
        while let entry = unsafe next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let status = unsafe getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
                NI_NUMERICHOST)
            if status == 0 {
                addresses.append(
                    String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
            unsafe next = entry.pointee.ai_next
        }
        return (addresses, 0)
    }
}
