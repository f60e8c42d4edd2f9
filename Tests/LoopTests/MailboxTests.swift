import Loop
import Testing

@Suite("a mailbox between threads")
struct MailboxTests {
    /// Takes what comes until it has seen enough.
    private final class Reader: ReadinessHandler {
        let mailbox: Mailbox<Int>
        var taken: [Int] = []

        init(_ mailbox: Mailbox<Int>) { self.mailbox = mailbox }

        func descriptor(_ descriptor: Int32, isReady readiness: Readiness) { taken += mailbox.takeAll() }
    }

    @Test("messages are taken in order, all at once, and the loop sleeps again")
    func order() throws {
        let mailbox = try Mailbox<Int>()
        let (loop, reader) = (try EventLoop(), Reader(mailbox))
        try loop.watch(mailbox.descriptor, for: .readable, handler: reader)
        for number in 1...3 { mailbox.post(number) }
        #expect(loop.wait(atMost: 1000) == 1)
        #expect(reader.taken == [1, 2, 3])
        #expect(loop.wait(atMost: 0) == 0)
        mailbox.post(4)
        #expect(loop.wait(atMost: 1000) == 1)
        #expect(reader.taken.last == 4)
    }

    @Test("messages of several threads all arrive, those of each in its order")
    func threads() throws {
        let mailbox = try Mailbox<Int>()
        let (loop, reader) = (try EventLoop(), Reader(mailbox))
        try loop.watch(mailbox.descriptor, for: .readable, handler: reader)
        let threads = try (0..<4).map { thread in
            try LoopThread(name: "post-\(thread)") {
                for number in 0..<1000 { mailbox.post(thread * 1000 + number) }
            }
        }
        while reader.taken.count < 4000 { try #require(loop.wait(atMost: 5000) > 0) }
        for thread in threads { thread.join() }
        for thread in 0..<4 {
            let own = reader.taken.filter { $0 / 1000 == thread }
            #expect(own == Array(thread * 1000..<(thread + 1) * 1000))
        }
        #expect(mailbox.takeAll() == [])
    }

    @Test("the monotonic clock does not go back, the wall clock is that of this century")
    func clocks() {
        let first = SystemClock.monotonicNanoseconds
        #expect(SystemClock.monotonicNanoseconds >= first)
        #expect(SystemClock.wallNanoseconds > 1_700_000_000_000_000_000)
    }
}
