internal import CHiredis
public import EventLoop

/// Is told what becomes of a connection.
public protocol RedisConnectionDelegate: AnyObject {
    /// The connection has ended, or could not be made; no reply comes any more.
    ///
    /// May be called from inside a call into the connection.
    func connectionClosed(_ connection: RedisConnection, reason: String)

    /// A message of the channel that is subscribed to.
    func connection(_ connection: RedisConnection, received message: [UInt8])
}

/// One connection to a Redis server, on a loop: commands are sent one behind the other without waiting (pipelined), their
/// replies come in the same order.
///
/// Confined to the loop's thread. hiredis holds it until the connection has ended.
@safe public final class RedisConnection: ReadinessHandler {
    /// Where the server is.
    public enum Place: Hashable, Sendable {
        /// A numeric address, so that nothing is looked up: that would block.
        case tcp(address: String, port: UInt16)
        /// The path of a socket.
        case unix(path: String)
    }

    private enum Kind: Int {
        case command = 1
        case subscription = 2
    }

    private let loop: EventLoop
    private weak var delegate: (any RedisConnectionDelegate)?
    private var context: UnsafeMutablePointer<redisAsyncContext>?
    private var replies: [(RedisReply) -> Void] = []
    private var firstReply = 0
    private var interest: Readiness = []

    /// Begins to connect.
    ///
    /// - Returns: nil if that cannot even be tried.
    public init?(to place: Place, loop: EventLoop, delegate: any RedisConnectionDelegate) {
        self.loop = loop
        self.delegate = delegate
        let made =
            switch place {
            case .tcp(let address, let port): unsafe redisAsyncConnect(address, Int32(port))
            case .unix(let path): unsafe redisAsyncConnectUnix(path)
            }
        guard let made = unsafe made else { return nil }
        guard unsafe made.pointee.err == 0 else {
            unsafe redisAsyncFree(made)
            return nil
        }
        unsafe context = made
        let owner = unsafe Unmanaged.passRetained(self).toOpaque()
        unsafe made.pointee.data = owner
        unsafe made.pointee.ev.data = owner
        unsafe made.pointee.ev.addRead = { unsafe RedisConnection.of($0)?.change { $0.insert(.readable) } }
        unsafe made.pointee.ev.delRead = { unsafe RedisConnection.of($0)?.change { $0.remove(.readable) } }
        unsafe made.pointee.ev.addWrite = { unsafe RedisConnection.of($0)?.change { $0.insert(.writable) } }
        unsafe made.pointee.ev.delWrite = { unsafe RedisConnection.of($0)?.change { $0.remove(.writable) } }
        // Called once, whatever ends the context.
        unsafe made.pointee.ev.cleanup = { data in
            guard let data = unsafe data else { return }
            unsafe Unmanaged<RedisConnection>.fromOpaque(data).takeRetainedValue().contextEnds()
        }
    }

    /// Whether commands can be sent; the connection itself may still be in the making.
    public var isOpen: Bool { unsafe context != nil }

    /// Sends a command.
    ///
    /// - Parameter reply: called with the reply, from inside the loop's call; never when the connection ends before.
    public func send(_ arguments: [[UInt8]], reply: @escaping (RedisReply) -> Void) {
        guard issue(arguments, .command) else { return }
        replies.append(reply)
    }

    /// Subscribes to a channel; the delegate is told its messages, and first an empty one: the subscription holds.
    public func subscribe(to channel: [UInt8]) {
        _ = issue([Array("SUBSCRIBE".utf8), channel], .subscription)
    }

    /// Ends the connection at once.
    public func close() {
        delegate = nil
        if let context = unsafe context { unsafe redisAsyncFree(context) }
    }

    private func issue(_ arguments: [[UInt8]], _ kind: Kind) -> Bool {
        guard let context = unsafe context else { return false }
        var lengths = arguments.map(\.count)
        var flat = arguments.flatMap { $0 }
        // Pointers into one array, so that nothing has to be nested.
        let status = unsafe flat.withUnsafeMutableBytes { bytes in
            var start = 0
            var pointers: [UnsafePointer<CChar>?] = unsafe []
            for length in lengths {
                let base = unsafe bytes.baseAddress.map { unsafe $0 + start }
                unsafe pointers.append(UnsafePointer(base?.assumingMemoryBound(to: CChar.self)))
                start += length
            }
            return unsafe redisAsyncCommandArgv(
                context, { unsafe RedisConnection.take($0, $1, $2) },
                UnsafeMutableRawPointer(bitPattern: kind.rawValue), Int32(arguments.count), &pointers,
                &lengths)
        }
        return status == REDIS_OK
    }

    // MARK: hiredis

    private static func of(_ data: UnsafeMutableRawPointer?) -> RedisConnection? {
        unsafe data.map { unsafe Unmanaged<RedisConnection>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func take(
        _ context: UnsafeMutablePointer<redisAsyncContext>?, _ reply: UnsafeMutableRawPointer?,
        _ kind: UnsafeMutableRawPointer?
    ) {
        // Without a reply the connection has ended, which is told once.
        guard let context = unsafe context, let reply = unsafe reply,
            let connection = unsafe of(context.pointee.data)
        else { return }
        let value = unsafe RedisReply(UnsafePointer(reply.assumingMemoryBound(to: redisReply.self)))
        if Int(bitPattern: kind) == Kind.subscription.rawValue {
            connection.takeMessage(value)
        } else {
            connection.takeReply(value)
        }
    }

    private func takeReply(_ reply: RedisReply) {
        guard firstReply < replies.count else { return }
        let body = replies[firstReply]
        firstReply += 1
        if firstReply == replies.count || firstReply > 256 {
            replies.removeFirst(firstReply)
            firstReply = 0
        }
        body(reply)
    }

    private func takeMessage(_ reply: RedisReply) {
        guard let parts = reply.elements, parts.count == 3, case .bytes(let kind) = parts[0] else { return }
        switch (kind, parts[2]) {
        case (Array("subscribe".utf8), _): delegate?.connection(self, received: [])
        case (Array("message".utf8), .bytes(let message)): delegate?.connection(self, received: message)
        default: break
        }
    }

    private func change(_ body: (inout Readiness) -> Void) {
        guard let context = unsafe context else { return }
        let before = interest
        body(&interest)
        guard interest != before else { return }
        let socket = unsafe context.pointee.c.fd
        guard !interest.isEmpty else { return loop.unwatch(socket) }
        // What cannot be watched gives no reply, which is noticed as a timeout.
        try? loop.watch(socket, for: interest, handler: self)
    }

    private func contextEnds() {
        guard let ending = unsafe context else { return }
        loop.unwatch(unsafe ending.pointee.c.fd)
        let reason = unsafe ending.pointee.errstr.map { unsafe String(cString: $0) } ?? ""
        unsafe context = nil
        replies = []
        firstReply = 0
        delegate?.connectionClosed(self, reason: reason.isEmpty ? "closed" : reason)
    }

    // MARK: ReadinessHandler

    /// Lets hiredis read and write.
    public func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        if readiness.contains(.readable) || readiness.isBroken, let context = unsafe context {
            unsafe redisAsyncHandleRead(context)
        }
        if readiness.contains(.writable), interest.contains(.writable), let context = unsafe context {
            unsafe redisAsyncHandleWrite(context)
        }
    }
}
