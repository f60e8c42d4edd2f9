import Foundation
import Glibc
import JSONLog
import Locking
import Logging

/// A pipe that a test reads when it wants to.
final class Sink: Sendable {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
    }

    /// The lines that were written, without their line feeds, once the writing end is closed.
    func drained() -> [String] {
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(readEnd, &part, part.count)
            guard count > 0 else { break }
            all += part[..<count]
        }
        let text = String(decoding: all, as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    /// Begins to read on a thread of its own, since a test that waits for the writer must not wait for the
    /// reader too.
    ///
    /// - Returns: waits for the end, and returns the lines.
    func startReading() -> () -> [String] {
        let done = DispatchSemaphore(value: 0)
        let box = Box()
        Thread.detachNewThread {
            let all = self.drained()
            box.lines.withLock { $0 = all }
            done.signal()
        }
        return {
            done.wait()
            return box.lines.withLock { $0 }
        }
    }

    /// Closes the writing end and reads all that was written.
    func lines() -> [String] {
        close(writeEnd)
        return drained()
    }

    /// What a logger writes while `body` uses it.
    static func lines(
        level: Logger.Level = .trace, _ body: (inout Logger) throws -> Void
    ) throws -> [String] {
        let sink = try Sink()
        let writer = try LogWriter(descriptor: sink.writeEnd, delay: .zero)
        let handler = JSONLogHandler(writer: writer, logLevel: level) { 1_769_860_800_007 }
        var logger = Logger(label: "test") { _ in handler }
        try body(&logger)
        writer.shutdown(within: .seconds(10))
        return sink.lines()
    }

    /// The members of a line.
    static func object(_ line: String) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
    }
}

private final class Box: Sendable {
    let lines = Lock<[String]>([])
}
