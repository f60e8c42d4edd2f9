import Foundation
import Glibc
import JSONLog
import Logging
import Testing

@Suite("Log writer", .timeLimit(.minutes(1)))
struct LogWriterTests {
    @Test("lines come out whole and in order, however many threads log")
    func concurrentLoggers() async throws {
        let sink = try Sink()
        let writer = try LogWriter(descriptor: sink.writeEnd, capacity: 64 << 20)
        let read = sink.startReading()
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    let logger = Logger(label: "test") { _ in JSONLogHandler(writer: writer) }
                    for number in 0..<500 {
                        let filler = String(repeating: "x", count: number % 97 * 60)
                        logger.info(
                            "\(filler)",
                            metadata: [
                                "thread": .stringConvertible(thread), "number": .stringConvertible(number),
                            ])
                    }
                }
            }
        }
        writer.shutdown(within: .seconds(30))
        close(sink.writeEnd)
        var next = [0, 0, 0, 0]
        for line in read() {
            let object = try Sink.object(line)
            let thread = try #require(object["thread"] as? Int)
            #expect(object["number"] as? Int == next[thread])
            next[thread] += 1
        }
        #expect(next == [500, 500, 500, 500])
        #expect(writer.droppedLines == 0)
    }

    @Test("a reader that does not read blocks nobody; when it reads again, a line tells what was lost")
    func readerThatSleeps() throws {
        let sink = try Sink()
        let writer = try LogWriter(descriptor: sink.writeEnd, capacity: 20_000, delay: .zero)
        let line = Array((String(repeating: "x", count: 99) + "\n").utf8)
        var count = 0
        // Until the pipe is full, and then as much again as the buffer takes, many times over.
        repeat {
            for _ in 0..<100 { writer.write(line) }
            count += 100
        } while writer.flush(within: .milliseconds(20))
        for _ in 0..<5000 { writer.write(line) }
        count += 5000
        let lost = Int(writer.droppedLines)
        #expect(lost > 0)
        let read = sink.startReading()
        writer.shutdown(within: .seconds(30))
        close(sink.writeEnd)
        let lines = read()
        let reports = lines.filter { $0.contains("log lines were dropped") }
        #expect(lines.count - reports.count == count - lost)
        let told = try reports.map { try Sink.object($0)["dropped"] as? Int ?? 0 }.reduce(0, +)
        #expect(told == lost)
        try #require(!reports.isEmpty)
        #expect(try Sink.object(reports[0])["level"] as? String == "warning")
    }

    @Test("a shutdown does not wait for a reader that never reads")
    func shutdownIsBounded() throws {
        let sink = try Sink()
        let writer = try LogWriter(descriptor: sink.writeEnd, delay: .zero)
        for _ in 0..<5000 { writer.write(Array((String(repeating: "x", count: 99) + "\n").utf8)) }
        let begin = ContinuousClock.now
        writer.shutdown(within: .milliseconds(50))
        #expect(ContinuousClock.now - begin < .seconds(20))
        // On a busy machine the thread finds out later that nobody waits any more.
        #expect(writer.flush(within: .seconds(60)))
        #expect(writer.droppedLines > 0)
        close(sink.writeEnd)
    }

    @Test("a full disk loses lines, and neither blocks nor ends the process")
    func fullDisk() throws {
        let descriptor = unsafe open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let writer = try LogWriter(descriptor: descriptor, delay: .zero)
        for _ in 0..<3 {
            for _ in 0..<100 { writer.write(Array("a line\n".utf8)) }
            #expect(writer.flush(within: .seconds(30)))
        }
        #expect(writer.droppedLines == 300)
        writer.shutdown(within: .seconds(30))
    }

    @Test("a reader that has gone loses lines, and its signal does not end the process")
    func readerThatIsGone() throws {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        close(ends[0])
        let writer = try LogWriter(descriptor: ends[1], delay: .zero)
        writer.write(Array("a line\n".utf8))
        #expect(writer.flush(within: .seconds(30)))
        #expect(writer.droppedLines == 1)
        writer.shutdown(within: .seconds(30))
        close(ends[1])
    }

    @Test("a descriptor that somebody made non-blocking is waited for, and nothing is lost")
    func nonBlockingDescriptor() throws {
        let sink = try Sink()
        _ = fcntl(sink.writeEnd, F_SETFL, O_NONBLOCK)
        let writer = try LogWriter(descriptor: sink.writeEnd, capacity: 4 << 20, delay: .zero)
        for _ in 0..<5000 { writer.write(Array((String(repeating: "x", count: 99) + "\n").utf8)) }
        let read = sink.startReading()
        writer.shutdown(within: .seconds(30))
        close(sink.writeEnd)
        #expect(read().count == 5000)
        #expect(writer.droppedLines == 0)
    }

    @Test("flush returns when all lines before it are written, and an urgent line does not wait for others")
    func flushAndUrgency() throws {
        let sink = try Sink()
        let writer = try LogWriter(descriptor: sink.writeEnd, delay: .seconds(3600))
        writer.write(Array("one\n".utf8))
        #expect(writer.flush(within: .seconds(30)))
        var bytes = [UInt8](repeating: 0, count: 100)
        #expect(unsafe read(sink.readEnd, &bytes, 100) == 4)
        writer.write(Array("two\n".utf8), urgent: true)
        #expect(unsafe read(sink.readEnd, &bytes, 100) == 4)
        writer.shutdown(within: .seconds(30))
        close(sink.writeEnd)
    }

    @Test("after the shutdown lines are counted as lost, and a second shutdown does nothing")
    func afterShutdown() throws {
        let sink = try Sink()
        let writer = try LogWriter(descriptor: sink.writeEnd)
        writer.write(Array("one\n".utf8))
        writer.shutdown(within: .seconds(30))
        writer.write(Array("two\n".utf8))
        writer.shutdown(within: .seconds(30))
        #expect(writer.droppedLines == 1)
        #expect(sink.lines() == ["one"])
    }

    @Test("a line longer than the whole buffer is dropped, and a later line tells of it")
    func lineBeyondTheBuffer() throws {
        let sink = try Sink()
        let writer = try LogWriter(descriptor: sink.writeEnd, capacity: 100) { 0 }
        writer.write([UInt8](repeating: 0x78, count: 200) + [0x0A])
        writer.write(Array("next\n".utf8))
        writer.shutdown(within: .seconds(30))
        let report =
            #"{"time":"1970-01-01T00:00:00.000Z","level":"warning","message":"log lines were dropped","#
            + #""dropped":1}"#
        #expect(sink.lines() == ["next", report])
    }
}
