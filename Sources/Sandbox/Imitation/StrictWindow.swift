internal import Core

/// A strict sliding window over arrivals: any interval of its length contains at most `limit` admitted requests.
struct StrictWindow: Sendable {
    /// The result for a request.
    struct Verdict: Sendable, Equatable {
        /// Whether it was admitted.
        var isAdmitted: Bool
        /// How many more requests would be admitted at the same moment.
        var remaining: Int
        /// How long until the oldest request leaves the window.
        var untilReset: Duration
    }

    /// The number of requests per window.
    let limit: Int
    /// Its length.
    let length: Duration
    /// The arrival times of the requests admitted within the last window, oldest first; at most `limit`.
    private var arrivals: [MonotonicTime] = []

    /// An empty window.
    init(limit: Int, length: Duration) {
        self.limit = limit
        self.length = length
    }

    /// Counts a request.
    ///
    /// A rejected request does not count, so that a client that retries too early is not locked out forever.
    mutating func admit(at now: MonotonicTime) -> Verdict {
        arrivals.removeAll { $0 + length <= now }
        let isAdmitted = arrivals.count < limit
        if isAdmitted { arrivals.append(now) }
        let reset = arrivals.first.map { now.duration(to: $0 + length) } ?? length
        return Verdict(isAdmitted: isAdmitted, remaining: limit - arrivals.count, untilReset: reset)
    }

    /// Whether the window is empty.
    func isIdle(at now: MonotonicTime) -> Bool { arrivals.allSatisfy { $0 + length <= now } }
}

/// A strict window per key, for a bounded number of keys.
struct KeyedWindows: Sendable {
    /// The maximum number of separate keys; further ones share one window.
    static let capacity = 1024

    private let empty: StrictWindow
    private var windows: [String: StrictWindow] = [:]
    private var shared: StrictWindow

    /// Windows of that length with `limit` requests.
    init(limit: Int, length: Duration) {
        empty = StrictWindow(limit: limit, length: length)
        shared = empty
    }

    /// The number of requests per window.
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
