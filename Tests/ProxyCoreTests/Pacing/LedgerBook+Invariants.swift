@testable import ProxyCore

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
            waiting += Int(record.waiting)
            flying += Int(record.inFlight)
            pausedLedgers += record.isPaused ? 1 : 0
            if record.waiting > 0, record.announced == .distantFuture, record.inFlight == 0 {
                broken.append("nothing will wake the \(record.waiting) waiting requests of \(key)")
            }
            for rule in rules.indices {
                let used = Int(freeTimes[Int(ledger) * rules.count + rule].slots) + heldInFlight(ledger)
                if used > rules[rule].capacity {
                    broken.append("\(used) of \(rules[rule].capacity) slots used")
                }
            }
            var queued = 0
            var place = record.queue.first
            while place >= 0 {
                queued += 1
                place = queueOrder.next(after: place)
            }
            if queued != record.waiting {
                broken.append("\(queued) are queued, \(record.waiting) are counted")
            }
        }
        if held != index.count { broken.append("\(held) ledgers are held, \(index.count) are counted") }
        if waiting != waiters.count { broken.append("\(waiting) wait, \(waiters.count) are held") }
        if flying != inFlight { broken.append("\(flying) are in flight, \(inFlight) are counted") }
        if pausedLedgers != paused { broken.append("\(pausedLedgers) are paused, \(paused) are counted") }
        if waiters.count > policy.queueCapacity { broken.append("too many wait") }
        if index.count > policy.keyCapacity { broken.append("too many keys") }
        return broken
    }
}
