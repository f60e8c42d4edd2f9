internal import Core

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
