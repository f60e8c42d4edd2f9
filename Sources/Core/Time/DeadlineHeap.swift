/// Deadlines in order, the earliest first: a binary heap whose entries can be removed.
///
/// O(log n) to add and to remove, O(1) to read the first. One heap serves a whole worker, so that no request needs
/// its own timer.
public struct DeadlineHeap<Element> {
    /// Identifies an entry; valid until it is removed.
    public struct Ticket: Hashable, Sendable {
        let slot: Int32
    }

    private struct Entry {
        var time: MonotonicTime
        var slot: Int32
    }

    private var heap: [Entry] = []
    /// The index of each slot's entry in the heap, or -1 for a free slot.
    private var places: [Int32] = []
    private var elements: [Element?] = []
    private var freeSlots: [Int32] = []

    /// No deadlines.
    public init() {}

    /// The earliest deadline.
    public var earliest: MonotonicTime? { heap.first?.time }

    /// Whether there is no deadline.
    public var isEmpty: Bool { heap.isEmpty }

    /// Adds a deadline.
    public mutating func insert(_ element: Element, at time: MonotonicTime) -> Ticket {
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
            elements[Int(slot)] = element
        } else {
            slot = Int32(elements.count)
            elements.append(element)
            places.append(-1)
        }
        heap.append(Entry(time: time, slot: slot))
        places[Int(slot)] = Int32(heap.count - 1)
        siftUp(heap.count - 1)
        return Ticket(slot: slot)
    }

    /// Removes a deadline.
    public mutating func remove(_ ticket: Ticket) {
        let place = Int(places[Int(ticket.slot)])
        precondition(place >= 0, "a deadline was removed twice")
        removeEntry(at: place)
    }

    /// Removes and returns the earliest deadline if it is due.
    public mutating func popDue(at now: MonotonicTime) -> Element? {
        guard let first = heap.first, first.time <= now else { return nil }
        let element = elements[Int(first.slot)]
        removeEntry(at: 0)
        return element
    }

    private mutating func removeEntry(at place: Int) {
        let slot = heap[place].slot
        let last = heap.removeLast()
        if place < heap.count {
            heap[place] = last
            places[Int(last.slot)] = Int32(place)
            siftUp(place)
            siftDown(Int(places[Int(last.slot)]))
        }
        places[Int(slot)] = -1
        elements[Int(slot)] = nil
        freeSlots.append(slot)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { return }
            swap(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var child = 2 * parent + 1
            guard child < heap.count else { return }
            if child + 1 < heap.count, heap[child + 1].time < heap[child].time { child += 1 }
            guard heap[child].time < heap[parent].time else { return }
            swap(child, parent)
            parent = child
        }
    }

    private mutating func swap(_ first: Int, _ second: Int) {
        heap.swapAt(first, second)
        places[Int(heap[first].slot)] = Int32(first)
        places[Int(heap[second].slot)] = Int32(second)
    }
}
