/// Pacing by what responses say, where no limit is configured: see `LearnedWindow`.
extension LedgerBook {
    /// Nothing of a key is sent before: the end of its pause, and what was learned of it.
    func opens(_ ledger: Int32) -> MonotonicTime {
        guard learns, ledgers[ledger].scope == 0 else { return ledgers[ledger].closedUntil }
        var time = ledgers[ledger].closedUntil
        for window in learned[Int(ledger)].windows { time = max(time, window.opening) }
        if let caution = learned[Int(ledger)].caution { time = max(time, caution.opening) }
        return time
    }

    /// When a request with `ahead` others before it may be sent, as far as what was learned says: a request that tries is taken to be
    /// answered after the usual time, and to open the way.
    func expectedOpening(_ ledger: Int32, behind ahead: Int, at now: MonotonicTime) -> MonotonicTime {
        var time = now
        for window in learned[Int(ledger)].windows where window.opening > now {
            let opening =
                window.trial >= 0
                ? flights[window.trial].sentAt.later(by: responseTime)
                : ahead > 0 ? window.opening.later(by: responseTime) : window.opening
            time = max(time, opening)
        }
        if let caution = learned[Int(ledger)].caution {
            let gap = max(caution.gap, responseTime)
            let next =
                caution.flight >= 0 ? flights[caution.flight].sentAt.later(by: gap) : caution.opening
            time = max(time, next.later(by: gap.multipliedSaturating(by: Int64(ahead))))
        }
        return time
    }

    /// Takes a request of what was learned, and remembers what else is under way: its response may not count that.
    mutating func takeLearned(_ flight: Int32, on ledger: Int32, underWay: Int32, at now: MonotonicTime) {
        let place = Int(ledger)
        learned[place].sent &+= 1
        flights[flight].baseline[0] = learned[place].sent
        flights[flight].baseline[1] = underWay
        for index in learned[place].windows.indices {
            learned[place].windows[index].take(flight: flight, at: now)
        }
        learned[place].caution?.take(flight: flight, at: now)
    }

    /// Reads what the response to `flight` says of the provider's counts.
    mutating func learn(_ report: RateReport, of flight: Int32, at now: MonotonicTime) {
        let ledger = flights[flight].seats.ledgers[0]
        guard learns, ledger >= 0, report.count > 0 else { return }
        let place = Int(ledger)
        let stamp = flights[flight].baseline[0]
        let overlapping = max(Int(flights[flight].baseline[1]) + Int(learned[place].sent &- stamp), 0)
        for index in 0..<report.count {
            let reading = report[index]
            if let known = learned[place].windows.firstIndex(where: { $0.id == reading.id }) {
                learned[place].windows[known].read(
                    reading, of: flight, stamp: stamp, overlapping: overlapping, isFirst: false, at: now)
            } else if learned[place].windows.count < RateReport.maximumReadings {
                var window = LearnedWindow(id: reading.id, source: reading.source)
                window.read(
                    reading, of: flight, stamp: stamp, overlapping: overlapping, isFirst: true, at: now)
                learned[place].windows.append(window)
            }
        }
    }

    /// `flight` is no longer under way: what it tried for, and told nothing about, another may try.
    mutating func landLearned(_ flight: Int32, isAccepted: Bool, at now: MonotonicTime) {
        let ledger = flights[flight].seats.ledgers[0]
        guard learns, ledger >= 0 else { return }
        let place = Int(ledger)
        for index in learned[place].windows.indices {
            learned[place].windows[index].abandonTrial(flight, at: now)
        }
        let sentAt = flights[flight].sentAt
        if learned[place].caution?.land(flight, sentAt: sentAt, isAccepted: isAccepted, at: now) == false {
            learned[place].caution = nil
        }
    }

    /// The provider has refused `flight`, a request of a key, and nothing says how much it allows.
    mutating func beCautious(_ ledger: Int32, flight: Int32, at now: MonotonicTime) {
        guard learns, ledger >= 0, !policy.isObserved, learned[Int(ledger)].windows.isEmpty else { return }
        if learned[Int(ledger)].caution == nil {
            learned[Int(ledger)].caution = Caution(at: now)
        } else if learned[Int(ledger)].caution?.flight == flight {
            // Others that are refused were sent before it began.
            learned[Int(ledger)].caution?.refuse(at: now)
        }
    }

    /// Until when something that was learned of a key matters.
    func learnedEnd(_ ledger: Int32) -> MonotonicTime {
        guard learns else { return .distantPast }
        var end = MonotonicTime.distantPast
        for window in learned[Int(ledger)].windows { end = max(end, window.resetsAt ?? window.renewal) }
        if let caution = learned[Int(ledger)].caution {
            end = max(end, caution.opening.later(by: 60_000_000_000))
        }
        return end
    }

    /// What is shown of it.
    func learnedReadings(_ ledger: Int32, at now: MonotonicTime) -> [PacerSnapshot.Learned] {
        guard learns, ledgers[ledger].scope == 0 else { return [] }
        return learned[Int(ledger)].windows.map { window in
            PacerSnapshot.Learned(
                source: window.source, limit: window.limit, remaining: max(window.credit, 0),
                cost: window.cost, resetIn: window.resetsAt.map { max(now.duration(to: $0), .zero) })
        }
    }
}
