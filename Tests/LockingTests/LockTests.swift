import Locking
import TestSupport
import Testing

@Suite("a lock", .blocking)
struct LockTests {
    private struct Refusal: Error, Equatable {}

    private struct Counts {
        var total = 0
        var history: [Int] = []
    }

    /// Counts the ends of values.
    private final class Witness: Sendable {
        let ends = Lock(0)
    }

    /// A value that cannot be copied and counts its end.
    private struct Resource: ~Copyable {
        let witness: Witness

        deinit { witness.ends.withLock { $0 += 1 } }
    }

    private final class Holder: Sendable {
        let resource: Lock<Resource>

        init(_ resource: consuming sending Resource) { self.resource = Lock(resource) }
    }

    /// Under the thread sanitizer: what two threads do within a lock is no race.
    @Test("a lock lets one thread at a time touch its value")
    func exclusion() throws {
        final class Shared: Sendable {
            let counts = Lock(Counts())
        }
        let shared = Shared()
        let (threads, rounds) = (4, 2000)
        let running = (0..<threads).map { _ in
            Background {
                for _ in 0..<rounds {
                    shared.counts.withLock { counts in
                        counts.total += 1
                        counts.history.append(counts.total)
                    }
                }
            }
        }
        for thread in running { try thread.join() }
        let history = shared.counts.withLock { $0.history }
        #expect(history == Array(1...threads * rounds))
    }

    @Test("an error leaves the block and releases the lock")
    func error() {
        let lock = Lock(1)
        #expect(throws: Refusal()) { try lock.withLock { _ in throw Refusal() } }
        #expect(lock.withLock { $0 } == 1)
    }

    @Test("the value of a lock may be noncopyable, and ends with the lock, once")
    func lifetime() {
        let witness = Witness()
        var holder: Holder? = Holder(Resource(witness: witness))
        #expect(holder?.resource.withLock { $0.witness === witness } == true)
        #expect(witness.ends.withLock { $0 } == 0)
        holder = nil
        #expect(witness.ends.withLock { $0 } == 1)
    }

    @Test("a value of any alignment keeps all of its bytes")
    func alignment() {
        let wide = Lock(SIMD64<UInt8>(repeating: 7))
        wide.withLock { $0[63] = 9 }
        #expect(wide.withLock { $0[0] } == 7)
        #expect(wide.withLock { $0[63] } == 9)
        let nothing = Lock(())
        #expect(nothing.withLock { _ in true })
    }
}
