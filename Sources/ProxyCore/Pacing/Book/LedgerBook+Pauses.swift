extension LedgerBook {
    /// The longest pause that a provider can ask for: beyond any monthly quota.
    private static let longestPause: Int64 = 32 * 86_400_000_000_000
    /// The longest pause that we choose ourselves, unless the window is longer.
    private static let longestBackoff: Int64 = 300_000_000_000
    /// The longest time that a probe is waited for before another request may try.
    private static let longestProbe: Int64 = 30_000_000_000

    /// The shortest window: after it, a provider that names no time may have room again.
    private var shortestWindow: Int64 { rules.lazy.map(\.per).min() ?? 1_000_000_000 }

    /// Closes `ledger` because the provider refused one of its requests.
    mutating func pause(
        _ ledger: Int32, for asked: Duration?, reason: PauseReason, probeRefused: Bool, at now: MonotonicTime
    ) {
        if probeRefused { ledgers[ledger].refusedProbes = min(ledgers[ledger].refusedProbes + 1, 32) }
        let until = now.later(by: pauseLength(asked, refusedProbes: ledgers[ledger].refusedProbes))
        if !ledgers[ledger].isPaused { paused += 1 }
        // While a probe is out, `closedUntil` is its time limit, not something that the provider asked for.
        let isTrying = ledgers[ledger].probe >= 0
        ledgers[ledger].closedUntil = isTrying ? until : max(until, ledgers[ledger].closedUntil)
        // Its answer, if it is still to come, is older than this refusal: another request tries after the
        // pause.
        ledgers[ledger].probe = -1
        ledgers[ledger].pauseReason = reason
    }

    /// Ends the pause of `ledger`: its probe was accepted.
    mutating func open(_ ledger: Int32) {
        ledgers[ledger].closedUntil = .distantPast
        ledgers[ledger].probe = -1
        ledgers[ledger].refusedProbes = 0
        paused -= 1
    }

    /// Makes `flight` the one request that tries; no other is sent until it is answered or has taken too
    /// long.
    mutating func beginProbe(_ flight: Int32, on ledger: Int32, at now: MonotonicTime) {
        ledgers[ledger].probe = flight
        let given = max(min(shortestWindow, Self.longestProbe).saturatingSum(grace), responseTime)
        ledgers[ledger].closedUntil = now.later(by: min(given, Self.longestProbe))
    }

    /// Lets another request try at once if `flight` was the probe: it has told nothing.
    mutating func abandonProbe(_ flight: Int32, on ledger: Int32, at now: MonotonicTime) {
        guard ledgers[ledger].probe == flight else { return }
        ledgers[ledger].probe = -1
        ledgers[ledger].closedUntil = now
    }

    private func pauseLength(_ asked: Duration?, refusedProbes: UInt8) -> Int64 {
        // A provider that says "now" and refuses again has named no time.
        if let asked, asked > .zero { return min(asked.wholeNanoseconds, Self.longestPause) }
        let limit = max(Self.longestBackoff, shortestWindow)
        let (factor, overflow) = shortestWindow.multipliedReportingOverflow(by: 1 << Int64(refusedProbes))
        return overflow ? limit : min(factor, limit)
    }
}

extension Int64 {
    fileprivate func saturatingSum(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
