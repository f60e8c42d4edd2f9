/// Refusals by the provider: all instances hear of them at once.
extension SharedLedger {
    /// Tells the other instances that the provider has refused a key.
    public mutating func tell(_ pause: LedgerPause, at now: MonotonicTime) {
        guard let session, let place = place(of: pause.account) else { return }
        call(
            [
                "pause", session.name, pause.usesQuota ? "quota" : "rate", "\(pause.key)",
                "\(pause.left.wholeNanoseconds / 1000)", "\(pause.reason.rawValue)",
            ], of: place, at: now)
    }

    /// Another instance was refused: `pause INSTANCE PREFIX quota|rate KEY MICROSECONDS REASON`.
    mutating func hear(pause words: [Substring], at now: MonotonicTime) {
        guard words.count == 7, words[1] != session?.name ?? "", let key = UInt64(words[4]),
            let left = Int64(words[5]), left > 0, Self.waits.contains(left),
            let reason = Int(words[6]).flatMap({ PauseReason(rawValue: $0) })
        else { return }
        for state in accounts where state.account.prefix.elementsEqual(words[2].utf8) {
            let pacer = state.account.pacer
            let wake = pacer.pause(
                key: key, usesQuota: words[3] == "quota", for: .microseconds(left),
                reason: reason, at: now)
            if let wake { want(.arm(wake, of: pacer)) }
        }
    }
}
