internal import EventLoop
internal import ProxyCore
internal import RedisClient
internal import Synchronization

/// Is told what becomes of the way to the ledger.
protocol LedgerLinkOwner: AnyObject {
    /// Calls can be made.
    func linkIsUp(_ link: LedgerLink)
    /// A slot was given to a claim that waited: its name and, behind a blank, after how many microseconds it may be sent.
    func link(_ link: LedgerLink, received message: [UInt8])
    /// No reply comes any more; told once.
    func linkIsDown(_ link: LedgerLink, reason: String)
}

/// One session with the ledger's server: a connection for calls, one for what it has to say.
final class LedgerLink: RedisConnectionDelegate {
    /// A call that takes longer is not waited for: the server is as good as lost.
    static let patience: Int64 = 1_000_000_000

    /// The name of this session, under which the server knows the instance.
    let name: String
    private let address: LedgerAddress
    private let status: LedgerStatus
    private weak var owner: (any LedgerLinkOwner)?
    private var calls: RedisConnection?
    private var messages: RedisConnection?
    private var digest: [UInt8] = []
    /// When the calls were made that have no reply, the oldest at `firstCall`.
    private var times: [MonotonicTime] = []
    private var firstCall = 0
    /// To what it listens: to what is meant for all instances, and for this one.
    private var subscriptions = 0
    private let startedAt: MonotonicTime
    private(set) var isUp = false
    private var isOver = false
    /// A moment of the server's clock, in microseconds, and ours when it was heard of.
    private var clock: (server: Int64, at: MonotonicTime)?

    init(
        to address: LedgerAddress, place: RedisConnection.Place, loop: EventLoop, status: LedgerStatus,
        owner: any LedgerLinkOwner
    ) {
        name = String(UInt64.random(in: .min ... .max), radix: 36)
        self.address = address
        self.status = status
        self.owner = owner
        startedAt = Worker.clock()
        calls = RedisConnection(to: place, loop: loop, delegate: self)
        messages = RedisConnection(to: place, loop: loop, delegate: self)
    }

    /// Introduces itself; the owner hears whether that went well.
    func start() {
        guard let calls, let messages else { return fail("cannot be connected to") }
        authenticate(calls)
        authenticate(messages)
        messages.subscribe(to: Array("weir:all".utf8))
        messages.subscribe(to: Array("weir:\(name)".utf8))
        command(["TIME"]) { [weak self] reply in
            let parts = reply.elements?.compactMap { $0.text.flatMap { Int64($0) } } ?? []
            guard let self, parts.count == 2 else { return }
            clock = (parts[0] * 1_000_000 + parts[1], Worker.clock())
        }
        send([Array("SCRIPT".utf8), Array("LOAD".utf8), LedgerScript.text]) { [weak self] reply in
            guard let self, case .bytes(let digest) = reply else { return }
            self.digest = digest
            lookWhetherUp()
        }
    }

    private func authenticate(_ connection: RedisConnection) {
        func say(_ words: [String]) {
            connection.send(words.map { Array($0.utf8) }) { [weak self] in self?.check($0) }
        }
        if let password = address.password {
            say(["AUTH"] + [address.user].compactMap { $0 } + [password.value])
        }
        if address.database != 0 { say(["SELECT", "\(address.database)"]) }
    }

    private func lookWhetherUp() {
        guard !isUp, !isOver, subscriptions == 2, !digest.isEmpty, clock != nil else { return }
        isUp = true
        owner?.linkIsUp(self)
    }

    /// Calls the script.
    func call(_ arguments: [String], of account: LedgerAccount, _ body: @escaping (RedisReply) -> Void) {
        guard isUp else { return }
        let rest = [Array("1".utf8), account.prefix] + arguments.map { Array($0.utf8) }
        send([Array("EVALSHA".utf8), digest] + rest) { [weak self] reply in
            if case .error(let words) = reply, words.hasPrefix("NOSCRIPT") {
                // The server has forgotten the script: what is given as a whole it remembers.
                self?.send([Array("EVAL".utf8), LedgerScript.text] + rest, body)
            } else {
                body(reply)
            }
        }
    }

    private func command(_ words: [String], _ body: @escaping (RedisReply) -> Void) {
        send(words.map { Array($0.utf8) }, body)
    }

    private func send(_ arguments: [[UInt8]], _ body: @escaping (RedisReply) -> Void) {
        guard let calls, !isOver else { return }
        times.append(Worker.clock())
        status.commands.wrappingAdd(1, ordering: .relaxed)
        calls.send(arguments) { [weak self] reply in
            guard let self, !isOver else { return }
            replyHasCome()
            if case .error(let words) = reply, !words.hasPrefix("NOSCRIPT") { return fail(words) }
            body(reply)
        }
    }

    private func replyHasCome() {
        firstCall += 1
        guard firstCall == times.count || firstCall > 1024 else { return }
        times.removeFirst(firstCall)
        firstCall = 0
    }

    private func check(_ reply: RedisReply) {
        if case .error(let words) = reply { fail(words) }
    }

    /// When a call that is made now is not to be acted on any more, in microseconds of the server's clock: nobody waits for
    /// its reply then.
    func latest(at now: MonotonicTime) -> Int64 {
        guard let clock else { return 0 }
        return clock.server + (clock.at.nanoseconds(to: now) + Self.patience) / 1000 + 500_000
    }

    /// When the server has to have answered; nil if nothing is to be answered.
    var deadline: MonotonicTime? {
        if !isUp, !isOver { return startedAt.later(by: Self.patience) }
        return firstCall < times.count ? times[firstCall].later(by: Self.patience) : nil
    }

    /// Looks whether the server is too slow.
    func look(at now: MonotonicTime) {
        guard let deadline, deadline <= now, !isOver else { return }
        fail("it does not answer in time")
    }

    /// Ends the session, and tells the owner, from the turn: what is called from inside hiredis comes here as well.
    private func fail(_ reason: String) {
        guard !isOver else { return }
        isOver = true
        isUp = false
        owner?.linkIsDown(self, reason: reason)
    }

    /// Closes both connections.
    func close() {
        isOver = true
        isUp = false
        calls?.close()
        messages?.close()
    }

    // MARK: RedisConnectionDelegate

    func connectionClosed(_ connection: RedisConnection, reason: String) { fail(reason) }

    func connection(_ connection: RedisConnection, received message: [UInt8]) {
        guard !isOver else { return }
        if message.isEmpty {
            subscriptions += 1
            lookWhetherUp()
        } else {
            owner?.link(self, received: message)
        }
    }
}
