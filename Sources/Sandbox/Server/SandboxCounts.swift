internal import Locking

/// The counts of all imitations, by profile; written by the server's thread, read by any.
final class SandboxCounts: Sendable {
    private let counts = Lock<[String: ProviderCounts]>([:])

    /// Counts a request.
    func add(_ profile: String, isRefusal: Bool) {
        counts.withLock { counts in
            counts[profile, default: ProviderCounts()].requests += 1
            if isRefusal { counts[profile, default: ProviderCounts()].refusals += 1 }
        }
    }

    /// What was counted for a profile.
    subscript(_ profile: String) -> ProviderCounts {
        counts.withLock { $0[profile] ?? ProviderCounts() }
    }
}
