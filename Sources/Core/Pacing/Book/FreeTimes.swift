/// When the used slots of one ledger and one window are freed: times in order, each with a count.
///
/// A ring buffer that grows as needed. If times are rounded (`WindowRule.resolution`), many slots share an entry.
struct FreeTimes {
    private struct Entry {
        var time: MonotonicTime
        var slots: Int32
    }

    private var ring: [Entry] = []
    private var head: Int32 = 0
    /// The number of different times.
    private(set) var entries: Int32 = 0
    /// The number of slots in all entries.
    private(set) var slots: Int32 = 0

    /// When the first slot is freed.
    var first: MonotonicTime? { entries > 0 ? ring[Int(head)].time : nil }

    /// When the last slot is freed.
    var last: MonotonicTime? { entries > 0 ? ring[position(entries - 1)].time : nil }

    /// Removes the slots that are free at `now`.
    mutating func removeFree(at now: MonotonicTime) {
        while entries > 0, ring[Int(head)].time <= now {
            slots -= ring[Int(head)].slots
            head = Int32(position(1))
            entries -= 1
        }
    }

    /// Removes the slots that are free before `time`, and returns their number.
    mutating func removeAll(before time: MonotonicTime) -> Int32 {
        let former = slots
        while entries > 0, ring[Int(head)].time < time {
            slots -= ring[Int(head)].slots
            head = Int32(position(1))
            entries -= 1
        }
        return former - slots
    }

    /// Adds slots that are freed at `time`.
    mutating func add(_ time: MonotonicTime, slots count: Int32 = 1) {
        slots += count
        let place = firstEntry(notBefore: time)
        if place < entries, ring[position(place)].time == time {
            ring[position(place)].slots += count
            return
        }
        if Int(entries) == ring.count { grow() }
        entries += 1
        var index = entries - 1
        // Times arrive almost in order: only slots of lost connections have later ones.
        while index > place {
            ring[position(index)] = ring[position(index - 1)]
            index -= 1
        }
        ring[position(place)] = Entry(time: time, slots: count)
    }

    /// Calls `body` with each time and its slots, in order.
    func forEach(_ body: (_ time: MonotonicTime, _ slots: Int32) -> Void) {
        for index in 0..<entries { body(ring[position(index)].time, ring[position(index)].slots) }
    }

    /// Removes slots that were added for `time`, as far as they still exist.
    mutating func withdraw(_ time: MonotonicTime, slots count: Int32 = 1) {
        let place = firstEntry(notBefore: time)
        guard place < entries, ring[position(place)].time == time else { return }
        let withdrawn = min(count, ring[position(place)].slots)
        slots -= withdrawn
        ring[position(place)].slots -= withdrawn
        guard ring[position(place)].slots == 0 else { return }
        var index = place
        while index < entries - 1 {
            ring[position(index)] = ring[position(index + 1)]
            index += 1
        }
        entries -= 1
    }

    /// When slot number `ordinal` (from 0) is freed; nil after the last one.
    func time(ofSlot ordinal: Int) -> MonotonicTime? {
        guard ordinal >= 0, ordinal < Int(slots) else { return nil }
        if slots == entries { return ring[position(Int32(ordinal))].time }
        var passed = 0
        for index in 0..<entries {
            let entry = ring[position(index)]
            passed += Int(entry.slots)
            if passed > ordinal { return entry.time }
        }
        return nil
    }

    /// The ring's capacity is a power of two.
    @inline(__always)
    private func position(_ index: Int32) -> Int { (Int(head) + Int(index)) & (ring.count - 1) }

    private func firstEntry(notBefore time: MonotonicTime) -> Int32 {
        guard let last, time <= last else { return entries }
        if time == last { return entries - 1 }
        var low: Int32 = 0
        var high = entries
        while low < high {
            let middle = (low + high) / 2
            if ring[position(middle)].time < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func grow() {
        let capacity = max(4, ring.count * 2)
        var grown: [Entry] = []
        grown.reserveCapacity(capacity)
        for index in 0..<entries { grown.append(ring[position(index)]) }
        while grown.count < capacity { grown.append(Entry(time: .distantPast, slots: 0)) }
        ring = grown
        head = 0
    }
}
