internal import Core
internal import Locking
internal import Loop
internal import Synchronization

/// What is known about the credentials that Weir adds to one provider's requests, shared by all workers.
final class HeldCredentials: Sendable {
    private struct Entry {
        var standing: CredentialStanding
        /// When a rejected credential is tried again although there are others.
        var nextTry: MonotonicTime?
    }

    /// How long a rejected credential is left aside: a little longer than until the probe of its quarantine.
    private static let rest = CredentialQuarantine.probeInterval + .seconds(1)

    private let entries: Lock<[Entry]>
    /// Whether each credential was accepted last, so that most responses take no lock: a bit for each.
    private let accepted = Atomic<UInt64>(0)

    /// - Parameter secrets: the credentials, in the order of the configuration.
    init(_ secrets: [Secret]) {
        let now = Self.wallSeconds
        entries = Lock(
            secrets.map {
                Entry(
                    standing: CredentialStanding(expiry: CredentialExpiry.seconds(of: $0.value), since: now))
            })
    }

    /// Records what a response says about the credential at `index`.
    func record(_ verdict: CredentialQuarantine.Verdict, isQuarantined: Bool, of index: Int) {
        let bit: UInt64 = 1 << UInt64(index & 63)
        guard verdict != .open, verdict != .taken || accepted.load(ordering: .relaxed) & bit == 0 else {
            return
        }
        entries.withLock { entries in
            guard index < entries.count else { return }
            entries[index].standing.record(verdict, isQuarantined: isQuarantined, at: Self.wallSeconds)
            entries[index].nextTry = verdict == .refused ? Worker.clock() + Self.rest : nil
            if verdict == .taken {
                accepted.bitwiseOr(bit, ordering: .relaxed)
            } else {
                accepted.bitwiseAnd(~bit, ordering: .relaxed)
            }
        }
    }

    /// Whether the credential at `index` is worth a request: it was not rejected, or long ago.
    func isUsable(_ index: Int, at now: MonotonicTime) -> Bool {
        entries.withLock { entries in
            guard index < entries.count, let nextTry = entries[index].nextTry else { return true }
            return nextTry <= now
        }
    }

    /// A request tries the credential at `index`; others leave it aside until its response, or for a while.
    func noteTry(_ index: Int, at now: MonotonicTime) {
        entries.withLock { entries in
            guard index < entries.count, entries[index].nextTry != nil else { return }
            entries[index].nextTry = now + Self.rest
        }
    }

    /// The state of each credential, in order.
    var readings: [CredentialReading] {
        let now = Self.wallSeconds
        return entries.withLock { $0 }.enumerated().map { index, entry in
            CredentialReading(position: index + 1, of: entry.standing, at: now)
        }
    }

    private static var wallSeconds: Int64 { SystemClock.wallNanoseconds / 1_000_000_000 }
}
