/// How the peer ended a connection.
public enum ConnectionEnd: Sendable, Equatable {
    /// It closed in an orderly way.
    case orderly
    /// It reset the connection.
    case reset
}

extension MessageReader {
    /// Reads to the end of the connection; bytes before it are skipped, or an error.
    mutating func waitForEnd(skipping: Bool, by deadline: Deadline) throws -> ConnectionEnd {
        do {
            while true {
                let bytes = try read(atMost: System.readSize, by: deadline, what: "the end of the connection")
                guard !bytes.isEmpty else { return .orderly }
                guard skipping else { throw PeerError.unexpected("\(bytes.count) bytes instead of the end") }
            }
        } catch PeerError.reset {
            return .reset
        }
    }

    /// Throws if a byte or the end arrives within `duration`.
    mutating func expectSilence(for duration: Duration) throws {
        do {
            let bytes = try read(atMost: 64, by: .after(duration), what: "silence")
            let what = bytes.isEmpty ? "the end" : "the bytes \(String(decoding: bytes, as: UTF8.self))"
            throw PeerError.unexpected("\(what) instead of silence")
        } catch PeerError.timedOut {
            return
        }
    }
}

extension Socket {
    /// Sends in pieces with a pause between them.
    func sendSlowly(_ bytes: [UInt8], chunk: Int, every pause: Duration, by deadline: Deadline) throws {
        precondition(chunk > 0, "a chunk has at least one byte")
        var start = 0
        while start < bytes.count {
            let end = min(start + chunk, bytes.count)
            try send(Array(bytes[start..<end]), by: deadline)
            start = end
            if start < bytes.count { pauseThread(for: pause) }
        }
    }
}
