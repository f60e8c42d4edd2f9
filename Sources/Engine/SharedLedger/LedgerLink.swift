internal import Core
internal import Downstream
internal import Loop
internal import Redis
internal import Synchronization

/// Receives the events of a session with the ledger's server.
protocol LedgerLinkOwner: AnyObject {
    /// The session is ready for calls.
    ///
    /// - Parameters:
    ///   - clock: a time of the server's clock, in microseconds since 1970.
    ///   - heard: when it was received.
    func linkIsUp(_ link: LedgerLink, clock: Int64, heard: MonotonicTime)
    /// The oldest pending call has received its reply.
    func link(_ link: LedgerLink, received reply: LedgerReply)
    /// The server has published a message.
    func link(_ link: LedgerLink, received message: [UInt8])
    /// The session is over; reported once.
    ///
    /// - Parameter isSenseless: whether the server sent a reply that no valid server sends.
    func linkIsDown(_ link: LedgerLink, reason: String, isSenseless: Bool)
}

/// One session with the ledger's server: a connection for calls and one for published messages.
final class LedgerLink: RedisConnectionDelegate {
    /// The name of this session, under which the server knows the instance.
    let name: String
    private let address: LedgerAddress
    private let status: LedgerStatus
    private weak var owner: (any LedgerLinkOwner)?
    private var calls: RedisConnection?
    private var messages: RedisConnection?
    private var digest: [UInt8] = []
    /// The number of confirmed subscriptions: one channel for all instances, and one for this instance.
    private var subscriptions = 0
    private var isUp = false
    private var isOver = false
    /// A time of the server's clock, in microseconds, and when it was received by ours.
    private var clock: (server: Int64, heard: MonotonicTime)?

    init(
        name: String, to address: LedgerAddress, status: LedgerStatus, owner: any LedgerLinkOwner,
        connect: (any RedisConnectionDelegate) -> RedisConnection?
    ) {
        self.name = name
        self.address = address
        self.status = status
        self.owner = owner
        calls = connect(self)
        messages = connect(self)
    }

    /// Starts the session; its owner is notified of the result.
    func start() {
        guard let calls, let messages else { return fail("cannot be reached") }
        authenticate(calls)
        authenticate(messages)
        messages.subscribe(to: Array("weir:all".utf8))
        messages.subscribe(to: Array("weir:\(name)".utf8))
        ask([Array("TIME".utf8)]) { [weak self] reply in
            guard let self else { return }
            guard let server = Self.microseconds(ofTime: reply) else {
                return fail("its reply to TIME is invalid", isSenseless: true)
            }
            clock = (server, Worker.clock())
        }
        ask([Array("SCRIPT".utf8), Array("LOAD".utf8), LedgerScript.text]) { [weak self] reply in
            guard let self else { return }
            guard case .bytes(let digest) = reply, digest.count == Self.digestLength else {
                return fail("does not load the script", isSenseless: true)
            }
            self.digest = digest
            lookWhetherUp()
        }
    }

    /// The length of a script's SHA-1 in hexadecimal digits.
    private static let digestLength = 40
    /// The last second whose microseconds fit into the script's numbers (2^53): in the year 2255.
    private static let lastSecond: Int64 = 9_007_199_254

    /// The reply to TIME, two numbers as strings, in microseconds since 1970; nil for anything else.
    static func microseconds(ofTime reply: RedisReply) -> Int64? {
        guard let parts = reply.elements, parts.count == 2,
            let seconds = parts[0].text.flatMap({ Int64($0) }),
            let rest = parts[1].text.flatMap({ Int64($0) }), (0...lastSecond).contains(seconds),
            (0..<1_000_000).contains(rest)
        else { return nil }
        return seconds * 1_000_000 + rest
    }

    private func authenticate(_ connection: RedisConnection) {
        func say(_ words: [String]) {
            connection.send(words.map { Array($0.utf8) }) { [weak self] reply in
                if case .error(let words) = reply { self?.fail(words) }
            }
        }
        if let password = address.password {
            say(["AUTH"] + [address.user].compactMap { $0 } + [password.value])
        }
        if address.database != 0 { say(["SELECT", "\(address.database)"]) }
    }

    private func lookWhetherUp() {
        guard !isUp, !isOver, subscriptions == 2, !digest.isEmpty, let clock else { return }
        isUp = true
        owner?.linkIsUp(self, clock: clock.server, heard: clock.heard)
    }

    /// Calls the script.
    func call(_ call: LedgerCall) {
        let head =
            call.needsText ? [Array("EVAL".utf8), LedgerScript.text] : [Array("EVALSHA".utf8), digest]
        send(head + [Array("1".utf8), call.key] + call.words.map { Array($0.utf8) }) { [weak self] reply in
            guard let self, !isOver else { return }
            owner?.link(self, received: LedgerReply(reply))
        }
    }

    /// Sends a request that is needed before the script can be called.
    private func ask(_ arguments: [[UInt8]], _ body: @escaping (RedisReply) -> Void) {
        send(arguments) { [weak self] reply in
            if case .error(let words) = reply { self?.fail(words) } else { body(reply) }
        }
    }

    private func send(_ arguments: [[UInt8]], _ body: @escaping (RedisReply) -> Void) {
        guard let calls, !isOver else { return }
        status.commands.wrappingAdd(1, ordering: .relaxed)
        calls.send(arguments, reply: body)
    }

    private func fail(_ reason: String, isSenseless: Bool = false) {
        guard !isOver else { return }
        isOver = true
        owner?.linkIsDown(self, reason: reason, isSenseless: isSenseless)
    }

    /// Closes both connections; must not be called from inside their callbacks.
    func close() {
        isOver = true
        calls?.close()
        messages?.close()
    }

    // MARK: RedisConnectionDelegate

    func connectionClosed(_ connection: RedisConnection, reason: String, isSenseless: Bool) {
        fail(reason, isSenseless: isSenseless)
    }

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

extension LedgerReply {
    fileprivate init(_ reply: RedisReply) {
        switch reply {
        case .integer(let number): self = .numbers([number])
        case .array(let elements):
            let numbers = elements.compactMap(\.integer)
            self = .numbers(numbers.count == elements.count ? numbers : [])
        case .error(let words): self = .error(words)
        case .bytes, .null: self = .numbers([])
        }
    }
}

/// The keys of shared ledgers.
enum LedgerKeys {
    /// The same in every instance, and not reversible to the credential.
    static let digest: LedgerDigest = { KeyedDigest.value(of: $0, key: Array("weir ledger".utf8)) }
}

/// Messages from workers to the one that owns the connection to the ledger.
enum LedgerMessage: Sendable {
    case claim(LedgerClaim)
    case pause(LedgerPause)
    case report(LedgerReport, of: UInt64)
    /// The addresses of the ledger's host; none if its name does not resolve.
    case addresses([String])
}

/// The state of the shared ledger for metrics and pages.
final class LedgerStatus: Sendable {
    /// Whether the ledger is in use, for all providers.
    let isUp = Atomic(false)
    /// How often it was lost.
    let fallbacks = Atomic<UInt64>(0)
    /// Commands sent to it.
    let commands = Atomic<UInt64>(0)

    var gauges: LedgerGauges {
        LedgerGauges(
            isUp: isUp.load(ordering: .relaxed), fallbacks: fallbacks.load(ordering: .relaxed),
            commands: commands.load(ordering: .relaxed))
    }
}
