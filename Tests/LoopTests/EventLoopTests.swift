import CEpoll
import Glibc
import Loop
import Testing

@Suite("the event loop")
struct LoopTests {
    /// A descriptor that a test makes readable.
    private final class Signal {
        let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))

        deinit { close(descriptor) }

        func raise() { eventfd_write(descriptor, 1) }
    }

    /// Counts what it is told, and may do something then.
    private final class Counter: ReadinessHandler {
        var told: [(descriptor: Int32, readiness: Readiness)] = []
        var action: () -> Void = {}

        func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
            told.append((descriptor, readiness))
            action()
        }
    }

    @Test("a handler is told when its descriptor is ready, and not before")
    func readiness() throws {
        let (loop, signal, counter) = (try EventLoop(), Signal(), Counter())
        try loop.watch(signal.descriptor, for: .readable, handler: counter)
        #expect(loop.wait(atMost: 0) == 0)
        signal.raise()
        #expect(loop.wait(atMost: 1000) == 1)
        #expect(counter.told.map(\.descriptor) == [signal.descriptor])
        #expect(counter.told.first?.readiness.contains(.readable) == true)
        #expect(counter.told.first?.readiness.isDisjoint(with: .ended) == true)
    }

    @Test("nobody is told of a watch that was taken back within the same batch")
    func takenBack() throws {
        let (loop, first, second) = (try EventLoop(), Signal(), Signal())
        let (one, other) = (Counter(), Counter())
        try loop.watch(first.descriptor, for: .readable, handler: one)
        try loop.watch(second.descriptor, for: .readable, handler: other)
        one.action = { loop.unwatch(second.descriptor) }
        other.action = { loop.unwatch(first.descriptor) }
        first.raise()
        second.raise()
        #expect(loop.wait(atMost: 1000) == 2)
        #expect(one.told.count + other.told.count == 1)
    }

    @Test("an event of a descriptor's earlier owner does not reach the next one")
    func reusedNumber() throws {
        let (loop, first, second) = (try EventLoop(), Signal(), Signal())
        let (one, other, next) = (Counter(), Counter(), Counter())
        try loop.watch(first.descriptor, for: .readable, handler: one)
        try loop.watch(second.descriptor, for: .readable, handler: other)
        func replace(_ descriptor: Int32) {
            loop.unwatch(descriptor)
            try? loop.watch(descriptor, for: .readable, handler: next)
        }
        one.action = { replace(second.descriptor) }
        other.action = { replace(first.descriptor) }
        first.raise()
        second.raise()
        loop.wait(atMost: 1000)
        #expect(next.told.isEmpty)
        // It is told of its own.
        (one.action, other.action) = ({}, {})
        loop.wait(atMost: 1000)
        #expect(next.told.count == 1)
    }

    @Test("a number that was closed without a word, and is another descriptor's now, is watched for that one")
    func closedUnsaid() throws {
        let (loop, next, earlier, later) = (try EventLoop(), Signal(), Counter(), Counter())
        let number = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        try loop.watch(number, for: .readable, handler: earlier)
        // Closes the one that was watched, in one step: no other test can get the number in between.
        try #require(dup2(next.descriptor, number) == number)
        defer { close(number) }
        try loop.watch(number, for: .readable, handler: later)
        next.raise()
        #expect(loop.wait(atMost: 1000) == 1)
        #expect(earlier.told.isEmpty)
        #expect(later.told.map(\.descriptor) == [number])
    }

    @Test("a changed interest counts, and a forgotten descriptor can be watched anew")
    func changes() throws {
        let (loop, signal, counter) = (try EventLoop(), Signal(), Counter())
        try loop.watch(signal.descriptor, for: .readable, handler: counter)
        try loop.watch(signal.descriptor, for: .writable, handler: counter)
        loop.wait(atMost: 1000)
        #expect(counter.told.last?.readiness == .writable)
        loop.unwatch(signal.descriptor)
        loop.unwatch(signal.descriptor)
        loop.unwatch(100_000)
        #expect(loop.wait(atMost: 0) == 0)
        try loop.watch(signal.descriptor, for: .writable, handler: counter)
        #expect(loop.wait(atMost: 1000) == 1)
    }

    @Test("a peer that ends its side is told once")
    func hangups() throws {
        let loop = try EventLoop()
        let counter = Counter()
        var ends: [Int32] = [0, 0]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { close(ends[0]) }
        try loop.watch(ends[0], for: .anyChange, handler: counter)
        #expect(loop.wait(atMost: 1000) == 1)
        #expect(counter.told.last?.readiness == .writable)
        #expect(loop.wait(atMost: 0) == 0)
        close(ends[1])
        #expect(loop.wait(atMost: 1000) == 1)
        #expect(counter.told.last?.readiness.isDisjoint(with: .ended) == false)
        #expect(loop.wait(atMost: 0) == 0)
    }

    @Test("what cannot be watched is an error that names the call")
    func errors() throws {
        let loop = try EventLoop()
        #expect(throws: SystemError.self) { try loop.watch(100_000, for: .readable, handler: Counter()) }
        do {
            try loop.watch(100_000, for: .readable, handler: Counter())
        } catch {
            #expect(error.description == "epoll_ctl: Bad file descriptor")
        }
    }
}
