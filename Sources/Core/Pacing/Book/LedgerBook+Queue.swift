/// The queues: which request waits for what, and which one is next.
extension LedgerBook {
    /// The maximum number of slots that the bookkeeping of a queue sums up.
    private static let countLimit: Int32 = 1 << 30

    // MARK: Coming and going

    /// Adds a request to the queue.
    mutating func enqueue(
        _ waiter: Waiter, _ seats: Seats, lane: Int, slack: SIMD8<Int32>, at now: MonotonicTime
    ) -> Place {
        let generation = nextGeneration()
        let place = waiters.insert(
            WaiterRecord(
                waiter: waiter, generation: generation, flow: -1, lane: UInt8(lane), weights: seats.weights,
                since: now, sequence: nextSequence()))
        arrivalOrder.append(place, to: &arrivals)
        lineUp(place, seats, slack: slack)
        refile(waiters[place].flow, at: now)
        return Place(index: place, generation: generation)
    }

    /// Appends a waiting request to its flow; the flow must be filed afterwards.
    mutating func lineUp(_ place: Int32, _ seats: Seats, slack: SIMD8<Int32>) {
        let flow = flow(of: seats) ?? insertFlow(seats)
        let lane = Int(waiters[place].lane)
        waiters[place].flow = flow
        var chain = Chain(first: flows[flow].first[lane], last: flows[flow].last[lane])
        laneOrder.append(place, to: &chain)
        setChain(chain, lane: lane, of: flow)
        flows[flow].waiting += 1
        join(seats, lane: lane, slack: slack)
    }

    /// Removes a request from the queue.
    mutating func dequeue(_ place: Int32, at now: MonotonicTime) {
        let (flow, lane) = (waiters[place].flow, Int(waiters[place].lane))
        var chain = Chain(first: flows[flow].first[lane], last: flows[flow].last[lane])
        laneOrder.remove(place, from: &chain)
        setChain(chain, lane: lane, of: flow)
        arrivalOrder.remove(place, from: &arrivals)
        flows[flow].waiting -= 1
        part(Seats(ledgers: flows[flow].seats.ledgers, weights: waiters[place].weights), lane: lane, of: flow)
        waiters[place].isWaiting = false
        waiters.remove(place)
    }

    private mutating func setChain(_ chain: Chain, lane: Int, of flow: Int32) {
        flows[flow].first[lane] = chain.first
        flows[flow].last[lane] = chain.last
    }

    /// Counts a request at all points that it needs.
    private mutating func join(_ seats: Seats, lane: Int, slack: SIMD8<Int32>) {
        forEachPoint(of: seats) { book, point, weight, rule in
            let crowd = book.crowd(at: point)
            book.crowds[crowd].lanes[lane] = min(
                book.crowds[crowd].lanes[lane] &+ weight, Self.countLimit)
            // The requests that it overtakes may be overtaken by correspondingly fewer.
            for later in lane + 1..<8 where book.crowds[crowd].lanes[later] > 0 {
                let left = book.crowds[crowd].slack[later]
                if left != .max { book.crowds[crowd].slack[later] = max(left - weight, 0) }
            }
            guard rule >= 0 else { return }
            book.crowds[crowd].slack[lane] = min(book.crowds[crowd].slack[lane], slack[rule])
        }
    }

    private mutating func part(_ seats: Seats, lane: Int, of flow: Int32) {
        forEachPoint(of: seats) { book, point, weight, _ in
            let crowd = book.crowdsByPoint[Int(point)]
            book.crowds[crowd].lanes[lane] = max(book.crowds[crowd].lanes[lane] &- weight, 0)
            if book.crowds[crowd].lanes[lane] == 0 { book.crowds[crowd].slack[lane] = .max }
        }
    }

    /// Calls `body` with each point that a request needs, the slots needed there, and the limit (-1 for the pauses of
    /// a ledger).
    private mutating func forEachPoint(
        of seats: Seats, _ body: (inout LedgerBook, Int32, Int32, Int) -> Void
    ) {
        for scope in 0..<scopes where seats.ledgers[scope] >= 0 {
            body(&self, point(seats.ledgers[scope], place: -1), 1, -1)
        }
        for rule in rules.indices where seats.weights[rule] > 0 {
            let point = point(seats.ledgers[rules[rule].scope], place: rules[rule].place)
            body(&self, point, Int32(seats.weights[rule]), rule)
        }
    }

    private mutating func crowd(at point: Int32) -> Int32 {
        if crowdsByPoint[Int(point)] < 0 { crowdsByPoint[Int(point)] = crowds.insert(Crowd()) }
        return crowdsByPoint[Int(point)]
    }

    // MARK: Flows

    /// The flow of requests with the same needs as `seats`.
    private func flow(of seats: Seats) -> Int32? {
        var hash = flowHash(seats)
        while let flow = flowIndex[LedgerKey(hash: hash)] {
            if flows[flow].seats.ledgers == seats.ledgers, mask(flows[flow].seats) == mask(seats) {
                return flow
            }
            hash &+= 1
        }
        return nil
    }

    private mutating func insertFlow(_ seats: Seats) -> Int32 {
        let flow = flows.insert(FlowRecord(seats: seats))
        var hash = flowHash(seats)
        while flowIndex[LedgerKey(hash: hash)] != nil { hash &+= 1 }
        flowIndex.insert(LedgerKey(hash: hash), ledger: flow)
        return flow
    }

    private func mask(_ seats: Seats) -> SIMDMask<SIMD8<Int16>> { seats.weights .> 0 }

    private func flowHash(_ seats: Seats) -> UInt64 {
        var hash: UInt64 = 0
        for scope in 0..<scopes {
            hash = hash &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(UInt32(bitPattern: seats.ledgers[scope]))
        }
        for rule in rules.indices where seats.weights[rule] > 0 { hash &+= 1 << (40 + UInt64(rule)) }
        return hash
    }

    /// Determines the head of `flow` again, and its position among the waiting flows; an empty flow is removed.
    mutating func refile(_ flow: Int32, at now: MonotonicTime) {
        let point = flows[flow].point
        if point >= 0 { unfile(flow) }
        guard flows[flow].waiting > 0 else {
            release(flows[flow].seats)
            flowIndex.remove(flow)
            flows.remove(flow)
            return
        }
        chooseHead(of: flow)
        if point >= 0 {
            file(flow, at: point)
        } else {
            let seats = headSeats(of: flow)
            // A flow that nothing delays any more waits for the wake that is due at once.
            let first = self.point(seats.ledgers[0], place: -1)
            file(flow, at: blocker(of: seats, flow: flow, at: now)?.point ?? first)
        }
    }

    /// What the first request of `flow` needs.
    func headSeats(of flow: Int32) -> Seats {
        Seats(ledgers: flows[flow].seats.ledgers, weights: waiters[flows[flow].head].weights)
    }

    private mutating func chooseHead(of flow: Int32) {
        var head: Int32 = -1
        var rank = MonotonicTime.distantFuture
        for lane in 0..<8 {
            let first = flows[flow].first[lane]
            guard first >= 0 else { continue }
            let own = waiters[first].since.later(by: aging.multipliedSaturating(by: Int64(lane)))
            if head < 0 || own < rank
                || (own == rank && waiters[first].sequence < waiters[head].sequence)
            {
                (head, rank) = (first, own)
            }
        }
        flows[flow].head = head
        flows[flow].rank = rank
        flows[flow].sequence = waiters[head].sequence
    }

    /// Removes the records of points at which no request waits.
    private mutating func release(_ seats: Seats) {
        forEachPoint(of: seats) { book, point, _, _ in
            let crowd = book.crowdsByPoint[Int(point)]
            guard crowd >= 0, book.crowds[crowd].lanes == SIMD8(repeating: 0),
                book.crowds[crowd].heap.isEmpty
            else { return }
            book.crowds.remove(crowd)
            book.crowdsByPoint[Int(point)] = -1
        }
    }

    // MARK: The heaps of the points

    func precedes(_ left: Int32, _ right: Int32) -> Bool {
        if flows[left].rank != flows[right].rank { return flows[left].rank < flows[right].rank }
        return flows[left].sequence < flows[right].sequence
    }

    /// The flow that is next at `point`.
    func top(_ point: Int32) -> Int32? {
        let crowd = crowdsByPoint[Int(point)]
        return crowd < 0 ? nil : crowds[crowd].heap.first
    }

    mutating func file(_ flow: Int32, at point: Int32) {
        let crowd = crowd(at: point)
        flows[flow].point = point
        crowds[crowd].heap.append(flow)
        place(flow, at: crowds[crowd].heap.count - 1, of: crowd)
        siftUp(crowds[crowd].heap.count - 1, of: crowd)
    }

    mutating func unfile(_ flow: Int32) {
        let crowd = crowdsByPoint[Int(flows[flow].point)]
        let position = Int(flows[flow].position)
        let last = crowds[crowd].heap.removeLast()
        flows[flow].point = -1
        guard last != flow else { return }
        place(last, at: position, of: crowd)
        siftUp(position, of: crowd)
        siftDown(Int(flows[last].position), of: crowd)
    }

    private mutating func place(_ flow: Int32, at position: Int, of crowd: Int32) {
        crowds[crowd].heap[position] = flow
        flows[flow].position = Int32(position)
    }

    private mutating func siftUp(_ start: Int, of crowd: Int32) {
        var child = start
        while child > 0 {
            let (own, other) = (crowds[crowd].heap[child], crowds[crowd].heap[(child - 1) / 2])
            guard precedes(own, other) else { return }
            place(other, at: child, of: crowd)
            child = (child - 1) / 2
            place(own, at: child, of: crowd)
        }
    }

    private mutating func siftDown(_ start: Int, of crowd: Int32) {
        let count = crowds[crowd].heap.count
        var parent = start
        while 2 * parent + 1 < count {
            var child = 2 * parent + 1
            if child + 1 < count, precedes(crowds[crowd].heap[child + 1], crowds[crowd].heap[child]) {
                child += 1
            }
            let (own, other) = (crowds[crowd].heap[parent], crowds[crowd].heap[child])
            guard precedes(other, own) else { return }
            place(other, at: parent, of: crowd)
            place(own, at: child, of: crowd)
            parent = child
        }
    }
}

extension Int64 {
    /// The product; saturates.
    func multipliedSaturating(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        guard overflow else { return product }
        return (self < 0) == (factor < 0) ? .max : .min
    }

    /// The sum of non-negative numbers; saturates.
    func saturatingSum(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
