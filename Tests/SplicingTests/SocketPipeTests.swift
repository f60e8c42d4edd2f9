import Glibc
import Splicing
import Testing

@Suite("a pipe between two sockets")
struct SocketPipeTests {
    /// Two connected sockets that do not block, closed in the end.
    private final class Pair {
        let ours: Int32
        let theirs: Int32
        private var isGone = false

        init() throws {
            var ends: (Int32, Int32) = (-1, -1)
            let status = unsafe withUnsafeMutableBytes(of: &ends) { ends in
                unsafe socketpair(
                    AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0,
                    ends.assumingMemoryBound(to: Int32.self).baseAddress)
            }
            try #require(status == 0)
            (ours, theirs) = ends
        }

        deinit {
            close(ours)
            leave()
        }

        /// The other side goes.
        func leave() {
            if !isGone { close(theirs) }
            isGone = true
        }

        /// What has come on the other side, and not yet been read.
        func received() -> [UInt8] {
            var all: [UInt8] = []
            var part = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = unsafe recv(theirs, &part, part.count, 0)
                guard count > 0 else { return all }
                all += part.prefix(count)
            }
        }

        func send(_ bytes: [UInt8]) {
            unsafe #expect(Glibc.send(theirs, bytes, bytes.count, 0) == bytes.count)
        }
    }

    private static let bytes = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 % 251) }

    @Test("what was filled in comes out, no more and no less, and is counted all the while")
    func whole() throws {
        let (from, to) = (try Pair(), try Pair())
        let pipe = try #require(PipePool(descriptorLimit: .max).take())
        #expect(pipe.fill(from: from.ours, atMost: 100) == .wouldBlock)
        from.send(Self.bytes)
        #expect(pipe.fill(from: from.ours, atMost: 30_000) == .moved(30_000))
        #expect(pipe.count == 30_000)
        #expect(pipe.drain(into: to.ours, atMost: 10_000) == 10_000)
        #expect(pipe.count == 20_000)
        #expect(pipe.drain(into: to.ours, atMost: .max) == 20_000)
        #expect(pipe.count == 0)
        #expect(pipe.fill(from: from.ours, atMost: 30_000) == .moved(10_000))
        #expect(pipe.drain(into: to.ours, atMost: .max) == 10_000)
        #expect(to.received() == Self.bytes)
        from.leave()
        #expect(pipe.fill(from: from.ours, atMost: 1) == .ended)
    }

    @Test("a socket that is full takes the rest later")
    func fullSocket() throws {
        let (from, to) = (try Pair(), try Pair())
        var size: Int32 = 4096
        unsafe setsockopt(to.ours, SOL_SOCKET, SO_SNDBUF, &size, 4)
        let pipe = try #require(PipePool(descriptorLimit: .max).take())
        from.send(Self.bytes)
        #expect(pipe.fill(from: from.ours, atMost: .max) == .moved(Self.bytes.count))
        var seen: [UInt8] = []
        var wasFull = false
        while seen.count < Self.bytes.count {
            let count = pipe.drain(into: to.ours, atMost: .max)
            if count < 0 {
                #expect(errno == EAGAIN)
                wasFull = true
            }
            seen += to.received()
        }
        #expect(wasFull || pipe.count == 0)
        #expect(seen == Self.bytes)
        #expect(pipe.count == 0)
    }

    @Test("a peer that has gone is an error, and no signal")
    func deadPeer() throws {
        signal(SIGPIPE, SIG_IGN)
        let (from, to) = (try Pair(), try Pair())
        let pipe = try #require(PipePool(descriptorLimit: .max).take())
        from.send(Self.bytes)
        #expect(pipe.fill(from: from.ours, atMost: .max) == .moved(Self.bytes.count))
        to.leave()
        #expect(pipe.drain(into: to.ours, atMost: .max) == -1)
        #expect(errno == EPIPE)
        #expect(pipe.count == Self.bytes.count)
    }

    @Test("what cannot be spliced is told from a connection that fails")
    func refused() throws {
        let pipe = try #require(PipePool(descriptorLimit: .max).take())
        let directory = unsafe open("/", O_RDONLY | O_DIRECTORY)
        defer { close(directory) }
        #expect(pipe.fill(from: directory, atMost: 100) == .refused)
        #expect(pipe.fill(from: -1, atMost: 100) == .failed(errno: EBADF))
        #expect(pipe.count == 0)
    }

    @Test("a pipe with bytes in it is never lent again, an empty one is")
    func reuse() throws {
        let pool = PipePool(descriptorLimit: .max)
        let from = try Pair()
        from.send(Self.bytes)
        let first = try #require(pool.take())
        #expect(first.fill(from: from.ours, atMost: 100) == .moved(100))
        pool.takeBack(first)
        let second = try #require(pool.take())
        #expect(second !== first && second.count == 0)
        pool.takeBack(second)
        #expect(pool.take() === second)
    }

    @Test("there are only so many pipes, and none of the last descriptors")
    func limits() throws {
        let pool = PipePool(descriptorLimit: .max)
        var lent: [SocketPipe] = []
        while let pipe = pool.take() { lent.append(pipe) }
        #expect(lent.count == 128)
        pool.takeBack(lent.removeLast())
        #expect(pool.take() != nil)
        let poor = PipePool(descriptorLimit: 4)
        #expect(poor.take() == nil)
        poor.closeIdle()
        #expect(poor.take() == nil)
    }
}
