internal import Core

/// What is told of reloads: in numbers to `/metrics`, in words to the status page.
struct ReloadStatus: Sendable {
    var counts: ReloadCounts
    /// The places and keys of the mistakes that the last reload failed for; empty if it did not.
    var mistakes: [String] = []
    /// The keys of the configuration in force that wait for a restart.
    var needsRestart: [String] = []

    init(startedNanoseconds: Int64) { counts = ReloadCounts(startedNanoseconds: startedNanoseconds) }

    mutating func succeed(at wallNanoseconds: Int64, needsRestart: [String]) {
        counts.successes += 1
        counts.lastWasSuccessful = true
        counts.lastSuccessNanoseconds = wallNanoseconds
        mistakes = []
        self.needsRestart = needsRestart
    }

    mutating func fail(for mistakes: [String]) {
        counts.failures += 1
        counts.lastWasSuccessful = false
        self.mistakes = mistakes
    }
}
