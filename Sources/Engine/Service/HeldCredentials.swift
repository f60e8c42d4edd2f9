internal import Core
internal import Locking
internal import Loop
internal import Synchronization

/// What is known about the credentials that Weir adds to one provider's requests, shared by all workers.
final class HeldCredentials: Sendable {
    private let standings: Lock<[CredentialStanding]>
    /// Whether each credential was accepted last, so that most responses take no lock: a bit for each.
    private let accepted = Atomic<UInt64>(0)

    /// - Parameter secrets: the credentials, in the order of the configuration.
    init(_ secrets: [Secret]) {
        let now = Self.wallSeconds
        standings = Lock(
            secrets.map { CredentialStanding(expiry: CredentialExpiry.seconds(of: $0.value), since: now) })
    }

    /// Records what a response says about the credential at `index`.
    func record(_ verdict: CredentialQuarantine.Verdict, isQuarantined: Bool, of index: Int) {
        let bit: UInt64 = 1 << UInt64(index & 63)
        guard verdict != .open, verdict != .taken || accepted.load(ordering: .relaxed) & bit == 0 else {
            return
        }
        standings.withLock { standings in
            guard index < standings.count else { return }
            standings[index].record(verdict, isQuarantined: isQuarantined, at: Self.wallSeconds)
            if verdict == .taken {
                accepted.bitwiseOr(bit, ordering: .relaxed)
            } else {
                accepted.bitwiseAnd(~bit, ordering: .relaxed)
            }
        }
    }

    /// The state of each credential, in order.
    var readings: [CredentialReading] {
        let now = Self.wallSeconds
        return standings.withLock { $0 }.enumerated().map { index, standing in
            CredentialReading(position: index + 1, of: standing, at: now)
        }
    }

    private static var wallSeconds: Int64 { SystemClock.wallNanoseconds / 1_000_000_000 }
}
