internal import Core

/// A strict sliding window, counted at arrival: within any stretch of its length it admits so many requests
/// and not one more.
struct StrictWindow: Sendable {
    /// What became of a request.
    struct Verdict: Sendable, Equatable {
        /// Whether it was admitted.
        var isAdmitted: Bool
        /// How many more would be admitted at the same moment.
        var remaining: Int
        /// How long until the oldest request that counts does so no more.
        var untilReset: Duration
    }

    /// How many requests a window has.
    let limit: Int
    /// Its length.
    let length: Duration
    /// When the requests came that were admitted within the last window, oldest first; at most `limit`.
    private var arrivals: [MonotonicTime] = []

    /// A window in which nothing has been counted.
    init(limit: Int, length: Duration) {
        self.limit = limit
        self.length = length
    }

    /// Counts a request.
    ///
    /// One that is refused does not count: who tries again too early is not kept out for ever.
    mutating func admit(at now: MonotonicTime) -> Verdict {
        arrivals.removeAll { $0 + length <= now }
        let isAdmitted = arrivals.count < limit
        if isAdmitted { arrivals.append(now) }
        let reset = arrivals.first.map { now.duration(to: $0 + length) } ?? length
        return Verdict(isAdmitted: isAdmitted, remaining: limit - arrivals.count, untilReset: reset)
    }

    /// Whether no request counts any more.
    func isIdle(at now: MonotonicTime) -> Bool { arrivals.allSatisfy { $0 + length <= now } }
}

/// A strict window for each key, of a bounded number of keys.
struct KeyedWindows: Sendable {
    /// The most keys that are told apart at a time; those beyond share one window.
    static let capacity = 1024

    private let empty: StrictWindow
    private var windows: [String: StrictWindow] = [:]
    private var shared: StrictWindow

    /// Windows of `limit` requests and that length.
    init(limit: Int, length: Duration) {
        empty = StrictWindow(limit: limit, length: length)
        shared = empty
    }

    /// How many requests a window has.
    var limit: Int { empty.limit }

    /// Counts a request of `key`.
    mutating func admit(_ key: String, at now: MonotonicTime) -> StrictWindow.Verdict {
        if windows[key] == nil, windows.count >= Self.capacity {
            windows = windows.filter { !$0.value.isIdle(at: now) }
        }
        guard windows[key] != nil || windows.count < Self.capacity else { return shared.admit(at: now) }
        return windows[key, default: empty].admit(at: now)
    }
}
