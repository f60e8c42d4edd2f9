internal import Glibc
public import Loop
public import Upstream

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
public final class RedisConnection: ReadinessHandler, CurlConnectionDelegate {
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
    /// `nil` when the connection has ended.
    private var stream: RedisStream?
    private var isConnected = false
    private var interest: Readiness = []
    /// Commands that wait until those before them were sent.
    private var outgoing: [UInt8] = []
    /// The bytes that are being sent, and how many of them were: they stay where they are, since TLS has begun records of them.
    private var sending: [UInt8] = []
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
        stream = RedisStream(to: place)
        guard isOpen else { return nil }
        change(to: .writable)
    }

    /// Begins to connect with TLS to the server of `multi`, which must outlive the connection.
    public init(through multi: CurlMulti, loop: EventLoop, delegate: any RedisConnectionDelegate) {
        self.loop = loop
        self.delegate = delegate
        stream = .secure(multi.connect(for: self))
    }

    deinit { release() }

    /// Whether commands can be sent; the connection may still be in progress.
    public var isOpen: Bool { stream != nil }

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
        guard outgoing.count + sending.count - sent <= Self.largestBacklog else {
            return end("does not read what is sent")
        }
        // All commands of one iteration are sent together.
        if isConnected { change(to: [.readable, .writable]) }
    }

    private var hasUnsentBytes: Bool { !sending.isEmpty || !outgoing.isEmpty }

    private func write() {
        while let stream, hasUnsentBytes {
            if sending.isEmpty { (sending, outgoing) = (outgoing, sending) }
            let step = unsafe sending.withUnsafeBytes { unsafe stream.send(.init(rebasing: $0[sent...])) }
            switch step {
            case .moved(let count): sent += count
            case .wouldBlock: return change(to: [.readable, .writable])
            case .ended: return end("closed")
            case .failed(let number): return end(stream.reason(of: number))
            }
            if sent == sending.count {
                sending.removeAll(keepingCapacity: sending.count < Self.receiveSize)
                sent = 0
            }
        }
        change(to: .readable)
    }

    // MARK: Receiving

    private func read() {
        for _ in 0..<Self.receivesPerEvent {
            guard let stream else { return }
            var room = [UInt8](repeating: 0, count: Self.receiveSize)
            let step = unsafe room.withUnsafeMutableBytes { unsafe stream.receive(into: $0) }
            switch step {
            case .wouldBlock: return
            case .ended: return end("closed")
            case .failed(let number): return end(stream.reason(of: number))
            case .moved(let count):
                reader.append(room[..<count])
                takeReplies()
                if count < Self.receiveSize, !stream.mayHoldBytes { return }
            }
        }
        // What TLS still holds is signalled by no descriptor; a socket that can be written to is, at once.
        if stream?.mayHoldBytes == true { change(to: [.readable, .writable]) }
    }

    private func takeReplies() {
        do throws(ReplyReader.Malformed) {
            // Any of them may end the connection.
            while isOpen, let reply = try reader.next() { take(reply) }
        } catch {
            end("sends what is no reply of Redis: \(error.reason)", isSenseless: true)
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

    // MARK: The stream

    private func finishConnecting() {
        guard case .socket(let socket) = stream else { return }
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &size)
        guard number == 0 else { return end(RedisStream.words(of: number)) }
        isConnected = true
        change(to: outgoing.isEmpty ? .readable : [.readable, .writable])
    }

    private func change(to wanted: Readiness) {
        guard let stream, wanted != interest else { return }
        interest = wanted
        // If it cannot be watched, there are no replies, which is detected as a timeout.
        try? loop.watch(stream.descriptor, for: wanted, handler: self)
    }

    private func end(_ reason: String, isSenseless: Bool = false) {
        guard isOpen else { return }
        release()
        delegate?.connectionClosed(self, reason: reason, isSenseless: isSenseless)
    }

    private func release() {
        guard let stream else { return }
        self.stream = nil
        if !interest.isEmpty { loop.unwatch(stream.descriptor) }
        stream.close()
        expected = []
        firstExpected = 0
        outgoing = []
        sending = []
        sent = 0
    }

    // MARK: ReadinessHandler

    /// Reads and writes.
    public func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        guard isOpen else { return }
        if !isConnected { finishConnecting() }
        if isOpen, isConnected, readiness.contains(.writable) { write() }
        if isOpen, isConnected, readiness.contains(.readable) || readiness.isBroken || holdsBytes { read() }
    }

    private var holdsBytes: Bool { stream?.mayHoldBytes == true }

    // MARK: CurlConnectionDelegate

    /// TLS is established, or has failed.
    public func connection(_ connection: CurlConnection, didOpen fault: TransferFault?) {
        guard isOpen else { return }
        if let fault { return end(fault.words) }
        isConnected = true
        change(to: outgoing.isEmpty ? .readable : [.readable, .writable])
    }
}

extension TransferFault {
    /// Why no connection to a server was established.
    fileprivate var words: String {
        switch self {
        case .nameNotResolved: "its name cannot be resolved"
        case .connectFailed(let number): number == 0 ? "it cannot be reached" : RedisStream.words(of: number)
        case .connectTimedOut: "it does not respond in time"
        case .tlsUntrusted(let reason): "its certificate is not trusted: \(reason)"
        case .tlsHandshake(let reason): "the TLS handshake failed: \(reason)"
        case .handshakeCut:
            "it ended the connection during the TLS handshake; does it expect TLS at this port?"
        case .tlsFiles(let reason): "a file of `ledger.tls` cannot be used: \(reason)"
        case .tlsAlert(let reason): "it ended TLS: \(reason)"
        default: "it cannot be reached"
        }
    }
}
