import Locking

/// A server that speaks the Redis protocol and replies as the test wants, including invalid replies.
public final class ScriptedRedis: Sendable {
    /// A reply, as its bytes.
    public typealias Reply = String

    private struct Subscriber {
        let channel: String
        let client: Socket
    }

    /// Where it listens.
    public let path: String
    private let directory: TemporaryDirectory
    private let listener: Socket
    private let subscribers = Lock<[Subscriber]>([])
    private let answer: @Sendable (_ words: [String]) -> Reply?
    private let received = Lock<[[String]]>([])

    /// Instead of a reply: closes the connection.
    public static let closing: Reply = "\0"
    /// Instead of a reply: sends no more replies on the connection.
    public static let silence: Reply = "\u{1}"

    /// Starts a server that replies like a ledger with free slots, except where `answer` supplies the reply.
    ///
    /// - Parameter answer: returns the reply to a command, an empty one for no reply; `nil` for the normal one.
    public init(answering answer: @escaping @Sendable (_ words: [String]) -> Reply?) throws {
        self.answer = answer
        directory = try TemporaryDirectory()
        path = directory.path("redis.sock")
        (listener, _) = try Socket.listening(on: .unix(path: path), receiveBuffer: nil)
        let listener = listener
        System.startThread { [weak self] in
            while !listener.isClosed {
                guard Socket.firstReadable(of: [listener], by: .after(.milliseconds(50))) != nil,
                    let client = try? listener.accept()
                else { continue }
                guard let self else { return client.close() }
                System.startThread { try? self.serve(client) }
            }
        }
    }

    deinit { listener.close() }

    /// The configuration's `ledger`.
    public var url: String { "redis+unix://\(path)" }

    /// The received commands with their arguments.
    public var commands: [[String]] { received.withLock { $0 } }

    /// The operation of the ledger's script that a command calls, such as `take`; `nil` if it is another command.
    public static func operation(of words: [String]) -> String? {
        words.count > 4 && ["EVAL", "EVALSHA"].contains(words[0]) ? words[4] : nil
    }

    /// Sends these bytes to all subscribers of a channel.
    public func send(_ bytes: String, toListenersOf channel: String) {
        for subscriber in subscribers.withLock({ $0 }) where subscriber.channel == channel {
            try? subscriber.client.send(Array(bytes.utf8), by: .after(.patience))
        }
    }

    /// Publishes a message, as Redis does.
    public func publish(_ message: String, to channel: String) {
        send(Self.array(["message", channel, message].map(Self.string)), toListenersOf: channel)
    }

    /// A string, as a reply has it.
    public static func string(_ text: String) -> Reply { "$\(text.utf8.count)\r\n\(text)\r\n" }

    /// An array of replies.
    public static func array(_ elements: [Reply]) -> Reply { "*\(elements.count)\r\n" + elements.joined() }

    private func serve(_ client: Socket) throws {
        defer { client.close() }
        var reader = CommandReader(client: client)
        var isSilent = false
        while let words = try reader.next(unless: { listener.isClosed }) {
            received.withLock { $0.append(words) }
            if words[0] == "SUBSCRIBE" {
                subscribers.withLock { $0.append(Subscriber(channel: words[1], client: client)) }
            }
            let reply = answer(words) ?? ordinaryReply(to: words)
            if reply == Self.closing { return }
            isSilent = isSilent || reply == Self.silence
            if !reply.isEmpty, !isSilent { try client.send(Array(reply.utf8), by: .after(.patience)) }
        }
    }

    private func ordinaryReply(to words: [String]) -> Reply {
        switch words[0] {
        case "SUBSCRIBE": return Self.array([Self.string("subscribe"), Self.string(words[1]), ":1\r\n"])
        case "TIME": return Self.array([Self.string("1800000000"), Self.string("0")])
        case "SCRIPT": return Self.string(String(repeating: "a", count: 40))
        default: break
        }
        guard let operation = Self.operation(of: words) else { return "+OK\r\n" }
        if operation == "beat" { publish("beat", to: "weir:\(words[5])") }
        return operation == "pause" ? ":1\r\n" : ":0\r\n"
    }
}

/// Reads commands, which are arrays of strings.
private struct CommandReader {
    let client: Socket
    private var buffer: [UInt8] = []

    init(client: Socket) { self.client = client }

    /// The words of the next command; `nil` when the client has closed its connection, or the server has ended.
    mutating func next(unless hasEnded: () -> Bool) throws -> [String]? {
        while true {
            if let words = take() { return words }
            guard !hasEnded() else { return nil }
            guard Socket.firstReadable(of: [client], by: .after(.milliseconds(50))) != nil else {
                if client.isClosed { return nil }
                continue
            }
            let more = try client.receive(atMost: 64 << 10, by: .after(.patience), what: "a command")
            if more.isEmpty { return nil }
            buffer += more
        }
    }

    private mutating func take() -> [String]? {
        var position = 0
        guard let count = line(at: &position) else { return nil }
        var words: [String] = []
        for _ in 0..<count {
            guard let length = line(at: &position), buffer.count >= position + length + 2 else { return nil }
            words.append(String(decoding: buffer[position..<position + length], as: UTF8.self))
            position += length + 2
        }
        buffer.removeFirst(position)
        return words
    }

    /// The number behind the kind of a line.
    private func line(at position: inout Int) -> Int? {
        guard let end = buffer[position...].firstIndex(of: 0x0A) else { return nil }
        defer { position = end + 1 }
        return Int(String(decoding: buffer[(position + 1)..<(end - 1)], as: UTF8.self))
    }
}
