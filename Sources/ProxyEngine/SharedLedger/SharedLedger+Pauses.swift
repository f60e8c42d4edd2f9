internal import EventLoop
internal import ProxyCore
internal import Synchronization

/// Refusals by the provider: all instances hear of them at once.
extension SharedLedger {
    /// Tells the other instances that the provider has refused a key.
    func tell(_ pause: LedgerPause) {
        guard let link else { return }
        link.call(
            [
                "pause", link.name, pause.usesQuota ? "quota" : "rate", "\(pause.key)",
                "\(pause.left.wholeNanoseconds / 1000)", "\(pause.reason.rawValue)",
            ], of: pause.account
        ) { _ in }
    }

    /// Another instance was refused: `pause INSTANCE PREFIX quota|rate KEY MICROSECONDS REASON`.
    func hear(pause words: [Substring], in link: LedgerLink) {
        guard words.count == 7, words[1] != link.name, let key = UInt64(words[4]),
            let left = Int64(words[5]), left > 0,
            let reason = Int(words[6]).flatMap({ PauseReason(rawValue: $0) })
        else { return }
        let now = Worker.clock()
        for state in accounts.values where state.account.prefix.elementsEqual(words[2].utf8) {
            let wake = state.account.pacer.pause(
                key: key, usesQuota: words[3] == "quota",
                for: .nanoseconds(min(left, 1 << 52) * 1000),
                reason: reason, at: now)
            if let wake { worker.mailbox.post(.wake(wake, of: state.account.pacer)) }
        }
    }
}
