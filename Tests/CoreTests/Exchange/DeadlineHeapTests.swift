import Core
import Testing

@Suite("deadlines in order")
struct DeadlineHeapTests {
    private func time(_ nanoseconds: Int) -> MonotonicTime { MonotonicTime(nanoseconds: Int64(nanoseconds)) }

    @Test("deadlines come out in their order, and not before their time")
    func order() {
        var heap = DeadlineHeap<Int>()
        #expect(heap.isEmpty && heap.earliest == nil)
        for value in [5, 1, 4, 2, 3] { _ = heap.insert(value, at: time(value)) }
        #expect(heap.earliest == time(1))
        #expect(heap.popDue(at: time(0)) == nil)
        for value in 1...5 { #expect(heap.popDue(at: time(value)) == value) }
        #expect(heap.isEmpty && heap.popDue(at: .distantFuture) == nil)
    }

    @Test("after any additions and removals, deadlines stay in order and each fires once")
    func randomised() {
        var random = SeededNumbers(seed: 7)
        var heap = DeadlineHeap<Int>()
        var expected: [Int: (time: Int, ticket: DeadlineHeap<Int>.Ticket)] = [:]
        for round in 0..<5000 {
            switch Int.random(in: 0..<3, using: &random) {
            case 0, 1:
                let due = Int.random(in: 0..<1000, using: &random)
                expected[round] = (due, heap.insert(round, at: time(due)))
            default:
                if Bool.random(using: &random), let (value, entry) = expected.first {
                    heap.remove(entry.ticket)
                    expected[value] = nil
                } else if let value = heap.popDue(at: time(500)) {
                    let earliest = expected.values.map(\.time).min()
                    #expect(expected[value]?.time == earliest)
                    expected[value] = nil
                }
            }
            #expect(heap.earliest == expected.values.map(\.time).min().map(time))
        }
        while let value = heap.popDue(at: .distantFuture) {
            #expect(expected.removeValue(forKey: value) != nil)
        }
        #expect(expected.isEmpty)
    }

    @Test("a removed element is released")
    func release() {
        final class Thing {}
        var heap = DeadlineHeap<Thing>()
        weak var first: Thing?
        weak var second: Thing?
        do {
            let (one, two) = (Thing(), Thing())
            (first, second) = (one, two)
            let ticket = heap.insert(one, at: time(1))
            _ = heap.insert(two, at: time(2))
            heap.remove(ticket)
        }
        #expect(first == nil && second != nil)
        _ = heap.popDue(at: time(2))
        #expect(second == nil)
    }
}
