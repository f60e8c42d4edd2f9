internal import Glibc
public import Loop

/// Receives the events of a connection.
public protocol RedisConnectionDelegate: AnyObject {
    /// The connection has ended or could not be established; no more replies arrive. Called once, and not after
    /// ``RedisConnection/close()``.
    ///
    /// May be called from inside a call into the connection.
    ///
    /// - Parameter isSenseless: whether the server sent an invalid reply, or one that does not fit the command.
    func connectionClosed(_ connection: RedisConnection, reason: String, isSenseless: Bool)

    /// A message of the subscribed channel.
    func connection(_ connection: RedisConnection, received message: [UInt8])
}

/// One connection to a Redis server on an event loop: commands are pipelined, and their replies arrive in the same
/// order.
///
/// The server is not trusted: an invalid, oversized or unexpected reply ends the connection.
///
/// Confined to the loop's thread.
public final class RedisConnection: ReadinessHandler {
    /// The address of the server.
    public enum Place: Hashable, Sendable {
        /// A numeric address, because name resolution would block.
        case tcp(address: String, port: UInt16)
        /// The path of a Unix socket.
        case unix(path: String)
    }

    /// What to do with a reply.
    private enum Expected {
        case reply((RedisReply) -> Void)
        /// The confirmation of the subscription to this channel.
        case subscription([UInt8])
    }

    /// The maximum number of unsent bytes: a server that reads nothing counts as lost.
    private static let largestBacklog = 16 << 20
    /// How many bytes are received at a time, and how often before other events of the loop are handled.
    private static let receiveSize = 16 << 10
    private static let receivesPerEvent = 16

    private let loop: EventLoop
    private weak var delegate: (any RedisConnectionDelegate)?
    /// -1 when the connection has ended.
    private var socket: Int32
    private var isConnected = false
    private var interest: Readiness = []
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var reader = ReplyReader()
    private var expected: [Expected] = []
    private var firstExpected = 0
    private var channels: Set<[UInt8]> = []

    /// Begins to connect.
    ///
    /// - Returns: nil if no attempt can be made.
    public init?(to place: Place, loop: EventLoop, delegate: any RedisConnectionDelegate) {
        self.loop = loop
        self.delegate = delegate
        socket = Self.connect(to: place)
        guard socket >= 0 else { return nil }
        change(to: .writable)
    }

    deinit { release() }

    /// Whether commands can be sent; the connection may still be in progress.
    public var isOpen: Bool { socket >= 0 }

    /// Sends a command.
    ///
    /// - Parameter reply: called with the reply, from inside the loop's call; not called if the connection ends
    ///   first.
    public func send(_ arguments: [[UInt8]], reply: @escaping (RedisReply) -> Void) {
        issue(arguments, expecting: .reply(reply))
    }

    /// Subscribes to a channel; the delegate receives its messages, beginning with an empty one that confirms the
    /// subscription.
    public func subscribe(to channel: [UInt8]) {
        issue([Array("SUBSCRIBE".utf8), channel], expecting: .subscription(channel))
    }

    /// Ends the connection at once.
    public func close() {
        delegate = nil
        release()
    }

    // MARK: Sending

    private func issue(_ arguments: [[UInt8]], expecting reply: Expected) {
        guard isOpen else { return }
        expected.append(reply)
        outgoing.append(contentsOf: "*\(arguments.count)\r\n".utf8)
        for argument in arguments {
            outgoing.append(contentsOf: "$\(argument.count)\r\n".utf8)
            outgoing.append(contentsOf: argument)
            outgoing.append(contentsOf: "\r\n".utf8)
        }
        guard outgoing.count - sent <= Self.largestBacklog else { return end("does not read what is sent") }
        // All commands of one iteration are sent together.
        if isConnected { change(to: [.readable, .writable]) }
    }

    private func write() {
        while sent < outgoing.count {
            let count = unsafe outgoing.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    socket, bytes.baseAddress.map { unsafe $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                guard count < 0, errno != EAGAIN else {
                    outgoing.removeFirst(sent)
                    sent = 0
                    return
                }
                return end(Self.reason(of: errno))
            }
            sent += count
        }
        outgoing.removeAll(keepingCapacity: outgoing.count < Self.receiveSize)
        sent = 0
        change(to: .readable)
    }

    // MARK: Receiving

    private func read() {
        for _ in 0..<Self.receivesPerEvent {
            var room = [UInt8](repeating: 0, count: Self.receiveSize)
            let count = unsafe recv(socket, &room, room.count, 0)
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            guard count > 0 else { return end(count == 0 ? "closed" : Self.reason(of: errno)) }
            reader.append(room[..<count])
            do throws(ReplyReader.Malformed) {
                // Any of them may end the connection.
                while isOpen, let reply = try reader.next() { take(reply) }
            } catch {
                return end("sends what is no reply of Redis: \(error.reason)", isSenseless: true)
            }
            guard isOpen, count == Self.receiveSize else { return }
        }
    }

    private func take(_ reply: RedisReply) {
        if let message = message(in: reply) {
            delegate?.connection(self, received: message)
            return
        }
        guard firstExpected < expected.count else {
            if case .error(let words) = reply { return end(words) }
            return end("sends more than was asked for", isSenseless: true)
        }
        let next = expected[firstExpected]
        firstExpected += 1
        if firstExpected == expected.count || firstExpected > 256 {
            expected.removeFirst(firstExpected)
            firstExpected = 0
        }
        switch next {
        case .reply(let body): body(reply)
        case .subscription(let channel):
            if case .error(let words) = reply { return end(words) }
            guard let parts = reply.elements, parts.count == 3, parts[0] == .bytes(Array("subscribe".utf8)),
                parts[1] == .bytes(channel), parts[2].integer != nil
            else { return end("does not confirm a subscription", isSenseless: true) }
            channels.insert(channel)
            delegate?.connection(self, received: [])
        }
    }

    /// A message of the subscribed channel; empty messages are ignored.
    private func message(in reply: RedisReply) -> [UInt8]? {
        guard !channels.isEmpty, let parts = reply.elements, parts.count == 3,
            parts[0] == .bytes(Array("message".utf8)), case .bytes(let channel) = parts[1],
            channels.contains(channel), case .bytes(let message) = parts[2], !message.isEmpty
        else { return nil }
        return message
    }

    // MARK: The socket

    private static func connect(to place: Place) -> Int32 {
        switch place {
        case .tcp(let address, let port):
            var hints = unsafe addrinfo()
            unsafe hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
            unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var found: UnsafeMutablePointer<addrinfo>?
            guard unsafe getaddrinfo(address, "\(port)", &hints, &found) == 0, let first = unsafe found else {
                return -1
            }
            defer { unsafe freeaddrinfo(first) }
            let socket = unsafe connect(
                family: first.pointee.ai_family, to: first.pointee.ai_addr, length: first.pointee.ai_addrlen)
            var on: Int32 = 1
            if socket >= 0 {
                unsafe setsockopt(
                    socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            }
            return socket
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(
                        family: AF_UNIX, to: $0, length: socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }

    private static func connect(
        family: Int32, to address: UnsafePointer<sockaddr>?, length: socklen_t
    ) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(family, type, 0)
        guard socket >= 0 else { return -1 }
        guard unsafe Glibc.connect(socket, address, length) != 0, errno != EINPROGRESS else { return socket }
        Glibc.close(socket)
        return -1
    }

    private func finishConnecting() {
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &size)
        guard number == 0 else { return end(Self.reason(of: number)) }
        isConnected = true
        change(to: outgoing.isEmpty ? .readable : [.readable, .writable])
    }

    private func change(to wanted: Readiness) {
        guard isOpen, wanted != interest else { return }
        interest = wanted
        // If it cannot be watched, there are no replies, which is detected as a timeout.
        try? loop.watch(socket, for: wanted, handler: self)
    }

    private func end(_ reason: String, isSenseless: Bool = false) {
        guard isOpen else { return }
        release()
        delegate?.connectionClosed(self, reason: reason, isSenseless: isSenseless)
    }

    private func release() {
        guard isOpen else { return }
        loop.unwatch(socket)
        Glibc.close(socket)
        socket = -1
        expected = []
        firstExpected = 0
        outgoing = []
        sent = 0
    }

    private static func reason(of number: Int32) -> String { unsafe String(cString: strerror(number)) }

    // MARK: ReadinessHandler

    /// Reads and writes.
    public func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        guard isOpen else { return }
        if !isConnected { finishConnecting() }
        if isOpen, isConnected, readiness.contains(.writable), sent < outgoing.count { write() }
        if isOpen, isConnected, readiness.contains(.readable) || readiness.isBroken { read() }
    }
}
