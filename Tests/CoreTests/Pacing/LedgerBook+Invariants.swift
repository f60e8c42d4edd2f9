@testable import Core

extension LedgerBook {
    /// The promises that do not hold in this state, in words; none in a healthy one.
    ///
    /// It takes time: it looks at everything.
    func brokenInvariants() -> [String] {
        var broken: [String] = []
        var waiting = 0
        var flying = 0
        var pausedLedgers = 0
        var held = 0
        var ledger = recency.first
        while ledger >= 0 {
            defer { ledger = recencyOrder.next(after: ledger) }
            let record = ledgers[ledger]
            let key = index.key(of: ledger)
            held += 1
            if index[key] != ledger { broken.append("the ledger of \(key) is not found") }
            let waitingHere = self.waiting(ledger)
            waiting += waitingHere
            flying += Int(record.inFlight)
            pausedLedgers += record.isPaused ? 1 : 0
            for (rule, window) in rules.enumerated() where window.scope == Int(record.scope) {
                let used = accounts[Int(ledger) * stride + window.place].used
                if used > rules[rule].capacity, !policy.isObserved {
                    broken.append("\(used) of \(rules[rule].capacity) slots used")
                }
            }
            broken += brokenHeaps(of: ledger)
        }
        if held != index.count { broken.append("\(held) ledgers are held, \(index.count) are counted") }
        if let next = agenda.earliest, next < announced { broken.append("no timer is armed for \(next)") }
        if scopes == 1, waiting != waiters.count {
            broken.append("\(waiting) wait, \(waiters.count) are held")
        }
        if scopes == 1, flying != inFlight {
            broken.append("\(flying) are in flight, \(inFlight) are counted")
        }
        if pausedLedgers != paused { broken.append("\(pausedLedgers) are paused, \(paused) are counted") }
        if waiters.count > policy.queueCapacity { broken.append("too many wait") }
        if index.count > policy.keyCapacity { broken.append("too many keys") }
        return broken
    }

    /// What is wrong with those who wait for `ledger`.
    private func brokenHeaps(of ledger: Int32) -> [String] {
        var broken: [String] = []
        for place in -1..<stride {
            let point = point(ledger, place: place)
            guard crowdsByPoint[Int(point)] >= 0 else { continue }
            let heap = crowds[crowdsByPoint[Int(point)]].heap
            for (position, flow) in heap.enumerated() {
                let record = flows[flow]
                if record.point != point || Int(record.position) != position {
                    broken.append("a flow is not where it says")
                }
                if position > 0, precedes(flow, heap[(position - 1) / 2]) {
                    broken.append("a later flow stands before an earlier one")
                }
                var queued = 0
                for lane in 0..<8 {
                    var place = record.first[lane]
                    while place >= 0 {
                        queued += 1
                        place = laneOrder.next(after: place)
                    }
                }
                if queued != Int(record.waiting) {
                    broken.append("\(queued) are queued, \(record.waiting) are counted")
                }
            }
            if !heap.isEmpty, ledgers[ledger].agenda == nil, ledgers[ledger].attached == 0 {
                broken.append("nobody looks after those who wait at \(point)")
            }
        }
        return broken
    }
}
