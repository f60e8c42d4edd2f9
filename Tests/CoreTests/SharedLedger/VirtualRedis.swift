import TestSupport

@testable import Core

/// The script of the ledger in a real Redis, by a clock that the test sets; what it publishes is handed back.
///
/// It is the text that Weir sends, with its clock and its messages replaced.
final class VirtualRedis {
    /// What one call led to.
    struct Outcome {
        let reply: LedgerReply
        /// In their order, each the name of a channel, a blank, and the message.
        let messages: [String]
    }

    private let client: RawClient
    private let text: String
    private var digest = ""
    private var received: [UInt8] = []
    private var position = 0
    /// Calls made.
    private(set) var calls = 0

    /// An empty one.
    ///
    /// - Parameters:
    ///   - server: where the script runs; nobody else may use it at the same time.
    ///   - changes: texts of the script and what to put in their place, to see what a mistake in it leads to.
    init(_ server: RedisServer, changing changes: [(String, String)] = []) throws {
        client = try RawClient(to: .unix(path: server.path))
        var body = String(decoding: LedgerScript.text, as: UTF8.self)
        let own = [
            ("redis.call('TIME')", "{ KEYS[2], KEYS[3] }"), ("redis.call('PUBLISH', ", "publish("),
        ]
        for (old, new) in own + changes { body = try Self.replace(old, by: new, in: body) }
        guard !body.contains("TIME'"), !body.contains("PUBLISH") else {
            throw PeerError.unexpected("a clock or a message in the script that is not replaced")
        }
        text = """
            local messages = {}
            local function publish(channel, message)
              messages[#messages + 1] = channel .. ' ' .. message
              local listeners = 0
              for index = 4, #KEYS do
                if channel == KEYS[index] or channel == 'weir:all' then listeners = listeners + 1 end
              end
              return listeners
            end
            local function ledger()
            \(body)
            end
            local reply = ledger()
            return { reply, messages }
            """
        _ = try command(["FLUSHALL"])
        try load()
    }

    private static func replace(_ old: String, by new: String, in text: String) throws -> String {
        let parts = text.split(separator: old, omittingEmptySubsequences: false)
        guard parts.count > 1 else { throw PeerError.unexpected("a script without \(old)") }
        return parts.joined(separator: new)
    }

    private func load() throws { digest = try command(["SCRIPT", "LOAD", text]).text }

    /// Forgets everything but the scripts.
    func forget() throws { _ = try command(["FLUSHALL"]) }

    /// Forgets the scripts.
    func forgetScripts() throws { _ = try command(["SCRIPT", "FLUSH"]) }

    /// Makes a call of Weir's.
    ///
    /// - Parameters:
    ///   - time: of the server's clock, in microseconds.
    ///   - channels: to which somebody listens.
    func call(_ call: LedgerCall, at time: Int64, channels: [String] = []) throws -> Outcome {
        let key = String(decoding: call.key, as: UTF8.self)
        let keys = [key, "\(time / 1_000_000)", "\(time % 1_000_000)"] + channels
        calls += 1
        let reply = try command(
            (call.needsText ? ["EVAL", text] : ["EVALSHA", digest]) + ["\(keys.count)"] + keys + call.words)
        switch reply {
        case .error(let words): return Outcome(reply: .error(words), messages: [])
        case .array(let parts) where parts.count == 2:
            return Outcome(reply: parts[0].ledgerReply, messages: parts[1].elements.map(\.text))
        default: throw PeerError.unexpected("\(reply)")
        }
    }

    // MARK: The protocol

    /// A value of RESP2.
    enum Value {
        case integer(Int64)
        case text(String)
        case error(String)
        case array([Value])

        var text: String { if case .text(let text) = self { text } else { "" } }
        var elements: [Value] { if case .array(let elements) = self { elements } else { [] } }
        var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
        var ledgerReply: LedgerReply {
            switch self {
            case .integer(let number): .numbers([number])
            case .array(let elements): .numbers(elements.compactMap(\.integer))
            case .error(let words): .error(words)
            case .text: .numbers([])
            }
        }
    }

    /// Runs a command of Redis.
    func command(_ words: [String]) throws -> Value {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words {
            bytes += Array("$\(word.utf8.count)\r\n".utf8)
            bytes += Array(word.utf8)
            bytes += [13, 10]
        }
        try client.send(bytes, within: .seconds(60))
        received = []
        position = 0
        return try readValue()
    }

    private func readValue() throws -> Value {
        let line = try readLine()
        let rest = String(decoding: line.dropFirst(), as: UTF8.self)
        switch line.first {
        case UInt8(ascii: "+"): return .text(rest)
        case UInt8(ascii: "-"): return .error(rest)
        case UInt8(ascii: ":"): return .integer(Int64(rest) ?? 0)
        case UInt8(ascii: "$"):
            guard let count = Int(rest), count >= 0 else { return .text("") }
            try fill(to: position + count + 2)
            let bytes = received[position..<position + count]
            position += count + 2
            return .text(String(decoding: bytes, as: UTF8.self))
        case UInt8(ascii: "*"):
            return .array(try (0..<max(Int(rest) ?? 0, 0)).map { _ in try readValue() })
        default: throw PeerError.unexpected("a reply that begins with \(line)")
        }
    }

    private func readLine() throws -> [UInt8] {
        var scanned = position
        while true {
            if let end = received[scanned...].firstIndex(of: 10) {
                defer { position = end + 1 }
                return Array(received[position..<end - 1])
            }
            scanned = received.count
            try fill(to: received.count + 1)
        }
    }

    private func fill(to count: Int) throws {
        while received.count < count {
            let more = try client.readBytes(atMost: 65536, within: .seconds(60))
            guard !more.isEmpty else { throw PeerError.unexpected("the end of the connection to Redis") }
            received += more
        }
    }
}
