public import Core
internal import Glibc
internal import Loop
internal import Redis

/// Asks the server of the shared ledger for all that an instance needs.
///
/// It writes a few keys below `weir:{doctor}`, which expire after seconds.
public enum LedgerCheck {
    /// The facts; blocks its thread, for the time limit at most.
    ///
    /// - Parameter ledgers: the names of ledgers, such as `p.lemlist`, whose members are counted.
    public static func run(
        _ address: LedgerAddress, ledgers: [String], within limit: Duration
    ) -> LedgerFacts {
        do {
            return try LedgerTrial(address, within: limit).facts(of: ledgers)
        } catch {
            return LedgerFacts(failure: "\(error)")
        }
    }

    /// The name of the ledger that counts a provider's requests.
    public static func ledgerName(of provider: ProviderConfiguration) -> String { Ledgers.name(of: provider) }
}

/// The conversation with the server, on a loop of its own.
private final class LedgerTrial: RedisConnectionDelegate {
    /// How many round trips are measured.
    private static let roundTrips = 5
    private static let wordLimit = 120

    private let address: LedgerAddress
    private let deadline: ContinuousClock.Instant
    private let loop: EventLoop
    /// Establishes the connections if they use TLS.
    private let dialer: LedgerDialer?
    private var closed: String?
    private var isSubscribed = false

    /// Tries every command that the script calls, and returns those that are refused.
    private static let permissionScript = """
        local z, h, s = KEYS[1] .. ':z', KEYS[1] .. ':h', KEYS[1] .. ':s'
        local refused = {}
        for _, command in ipairs({
          { 'TIME' }, { 'ZADD', z, 1, 'a' }, { 'EXPIRE', z, 5 }, { 'ZSCORE', z, 'a' }, { 'ZRANGE', z, 0, 0 },
          { 'ZRANGEBYSCORE', z, 0, 1 }, { 'ZCOUNT', z, 0, 1 }, { 'ZREM', z, 'b' }, { 'ZREMRANGEBYSCORE', z, 2, 3 },
          { 'HSET', h, 'a', 1 }, { 'EXPIRE', h, 5 }, { 'HINCRBY', h, 'a', 1 }, { 'HGET', h, 'a' }, { 'HGETALL', h },
          { 'HLEN', h }, { 'HDEL', h, 'b' }, { 'SET', s, 1 }, { 'EXPIRE', s, 5 }, { 'GET', s }, { 'EXISTS', s },
          { 'INCR', s }, { 'PUBLISH', 'weir:doctor', 'x' },
        }) do
          local reply = redis.pcall(unpack(command))
          if type(reply) == 'table' and reply.err then refused[#refused + 1] = command[1] .. ' ' .. reply.err end
        end
        return refused
        """

    init(_ address: LedgerAddress, within limit: Duration) throws(SystemError) {
        self.address = address
        deadline = ContinuousClock.now + limit
        loop = try EventLoop()
        dialer = LedgerDialer(address, loop: loop)
    }

    deinit { dialer?.close() }

    func facts(of ledgers: [String]) -> LedgerFacts {
        guard let connection = connect() else {
            return LedgerFacts(failure: closed ?? "no connection within the time limit")
        }
        defer { connection.close() }
        var facts = LedgerFacts()
        for _ in 0..<Self.roundTrips {
            let start = ContinuousClock.now
            switch ask(connection, ["PING"]) {
            case nil: return LedgerFacts(failure: closed ?? "does not answer")
            case .error(let words)?: return LedgerFacts(failure: redacted(words))
            default: break
            }
            let time = Double((ContinuousClock.now - start).wholeNanoseconds) / 1e6
            facts.milliseconds = min(facts.milliseconds ?? time, time)
        }
        facts.version = version(connection)
        facts.refusals = refusals(connection) + refusedSubscription()
        let clock = ask(connection, ["TIME"]).flatMap(LedgerLink.microseconds)
        if let clock { facts.members = ledgers.compactMap { members(connection, of: $0, at: clock) } }
        if let closed, facts.refusals.isEmpty { facts.failure = closed }
        return facts
    }

    private func version(_ connection: RedisConnection) -> String? {
        guard let text = ask(connection, ["INFO", "server"])?.text else { return nil }
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("redis_version:") }
        return line.map { String($0.dropFirst("redis_version:".count).prefix(32)) }
    }

    private func refusals(_ connection: RedisConnection) -> [String] {
        var found: [String] = []
        let script = Array(LedgerScript.text)
        if case .error(let words)? = ask(connection, [Array("SCRIPT".utf8), Array("LOAD".utf8), script]) {
            found.append("SCRIPT LOAD \(redacted(words))")
        }
        switch ask(connection, ["EVAL", Self.permissionScript, "1", "weir:{doctor}"]) {
        case .error(let words)?: found.append("EVAL \(redacted(words))")
        case .array(let refused)?: found += refused.compactMap(\.text).map(redacted)
        default: break
        }
        return found
    }

    private func refusedSubscription() -> [String] {
        guard let connection = connect() else { return closed.map { ["SUBSCRIBE \($0)"] } ?? [] }
        defer { connection.close() }
        connection.subscribe(to: Array("weir:doctor".utf8))
        run(until: { self.isSubscribed })
        let reason = closed
        // The first connection is still open.
        closed = nil
        return isSubscribed ? [] : ["SUBSCRIBE \(reason ?? "no answer")"]
    }

    private func members(
        _ connection: RedisConnection, of ledger: String, at clock: Int64
    ) -> (name: String, count: Int)? {
        ask(connection, ["ZCOUNT", "weir:{\(ledger)}:seats", "(\(clock)", "+inf"])?.integer.map {
            (ledger, Int($0))
        }
    }

    // MARK: The connection

    /// The first address that accepts a connection, with the credentials; otherwise `closed` has the reason.
    private func connect() -> RedisConnection? {
        for attempt in attempts() {
            closed = nil
            guard let connection = attempt() else {
                closed = "cannot be reached"
                continue
            }
            if let password = address.password {
                let words = ["AUTH"] + [address.user].compactMap { $0 } + [password.value]
                if case .error(let reason)? = ask(connection, words) {
                    closed = redacted(reason)
                    connection.close()
                    return nil
                }
            }
            if address.database != 0,
                case .error(let reason)? = ask(connection, ["SELECT", "\(address.database)"])
            {
                closed = redacted(reason)
                connection.close()
                return nil
            }
            // A server that wants a password says so to the first command.
            if case .error(let reason)? = ask(connection, ["PING"]), reason.hasPrefix("NOAUTH") {
                closed = redacted(reason)
                connection.close()
                return nil
            }
            if closed == nil { return connection }
            connection.close()
        }
        return nil
    }

    private func attempts() -> [() -> RedisConnection?] {
        if let dialer { return [{ dialer.connect(for: self) }] }
        return places().map { place in { RedisConnection(to: place, loop: self.loop, delegate: self) } }
    }

    private func places() -> [RedisConnection.Place] {
        switch address.place {
        case .unix(let path): return [.unix(path: path)]
        case .tcp(let host, let port):
            if LedgerResolver.isNumeric(host) { return [.tcp(address: host, port: port)] }
            let left = ContinuousClock.now.duration(to: deadline)
            let lookup = HostLookup.run(host, within: max(left, .zero))
            if let failure = lookup.failure { closed = "\(host) has no address: \(failure)" }
            return lookup.addresses.map { .tcp(address: "\($0)", port: port) }
        }
    }

    /// The reply to a command; `nil` if the connection ends, or the time is over.
    private func ask(_ connection: RedisConnection, _ words: [String]) -> RedisReply? {
        ask(connection, words.map { Array($0.utf8) })
    }

    private func ask(_ connection: RedisConnection, _ arguments: [[UInt8]]) -> RedisReply? {
        var reply: RedisReply?
        connection.send(arguments) { reply = $0 }
        run(until: { reply != nil || !connection.isOpen })
        return reply
    }

    private func run(until isDone: () -> Bool) {
        while !isDone(), closed == nil {
            let left = ContinuousClock.now.duration(to: deadline).wholeNanoseconds / 1_000_000
            guard left > 0 else {
                closed = "no answer within the time limit"
                return
            }
            let now = Worker.clock().nanoseconds / 1_000_000
            dialer?.run(nowMilliseconds: now)
            guard !isDone(), closed == nil else { return }
            let next = dialer?.deadlineMilliseconds.map { max(0, $0 - now) } ?? left
            loop.wait(atMost: Int32(clamping: min(left, next)))
        }
    }

    /// Removes secrets: a server that does not know a command repeats it, including the password.
    private func redacted(_ words: String) -> String {
        let text = String(words.filter { !$0.isNewline }.prefix(Self.wordLimit))
        guard let password = address.password?.value, !password.isEmpty, words.contains(password) else {
            return text
        }
        return "rejects the credentials"
    }

    // MARK: RedisConnectionDelegate

    func connectionClosed(_ connection: RedisConnection, reason: String, isSenseless: Bool) {
        closed = redacted(reason)
    }

    func connection(_ connection: RedisConnection, received message: [UInt8]) { isSubscribed = true }
}
