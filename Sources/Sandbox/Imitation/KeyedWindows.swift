internal import ProxyCore

/// A strict window for each key, of a bounded number of keys.
struct KeyedWindows: Sendable {
    /// The most keys that are told apart at a time; those beyond share one window.
    static let capacity = 1024

    private let empty: StrictWindow
    private var windows: [String: StrictWindow] = [:]

    /// Windows of `limit` requests and that length.
    init(limit: Int, length: Duration) { empty = StrictWindow(limit: limit, length: length) }

    /// How many requests a window has.
    var limit: Int { empty.limit }

    /// Counts a request of `key`.
    mutating func admit(_ key: String, at now: MonotonicTime) -> StrictWindow.Verdict {
        if windows[key] == nil, windows.count >= Self.capacity {
            windows = windows.filter { !$0.value.isIdle(at: now) }
        }
        // A real key is never as long as this one.
        let shared = String(repeating: "-", count: 4096)
        let place = windows[key] != nil || windows.count < Self.capacity ? key : shared
        return windows[place, default: empty].admit(at: now)
    }
}
