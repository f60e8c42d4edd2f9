import Wire

@testable import Core

/// A provider that enforces its limits on one key, and reports its count as real ones do.
struct ReportingProvider {
    /// How a window counts.
    enum Kind: CaseIterable {
        case fixed
        case sliding
        case bucket
    }

    /// How the count is reported.
    enum Dialect: CaseIterable {
        /// `X-RateLimit-*` with seconds until the reset, rounded up.
        case seconds
        /// The same, rounded down.
        case secondsRoundedDown
        /// GitHub: seconds since 1970.
        case epoch
        case epochMilliseconds
        /// A date, as RFC 9110 has it.
        case duration
        case draft07
        case draft08
        /// Shopify: used and allowed.
        case used
        /// Several windows in one field.
        case slashes
        /// A field for each window.
        case fieldPerWindow
        /// No reset at all.
        case withoutReset
    }

    struct Window {
        var requests: Int
        var per: Int64
        var used: [(time: Int64, cost: Int)] = []
        var tokens: Double
        var last: Int64 = 0

        init(requests: Int, per: Int64) {
            self.requests = requests
            self.per = per
            tokens = Double(requests)
        }
    }

    let kind: Kind
    let dialect: Dialect
    let cost: Int
    private(set) var windows: [Window]
    /// Where fixed windows begin, and what is to be added to the simulated time to have the time since 1970.
    private let phase: Int64 = 1_300_000_000
    static let epoch: Int64 = 1_789_178_859_000_000_000

    init(_ kind: Kind, _ dialect: Dialect, windows: [(Int, Int64)], cost: Int = 1) {
        self.kind = kind
        self.dialect = dialect
        self.cost = cost
        self.windows = windows.map { Window(requests: $0.0, per: $0.1 * 1_000_000_000) }
    }

    /// The names that a profile for it has.
    static let names: RateFields = {
        var names = RateFields()
        names.limit = ["X-RateLimit-Limit", "X-Limit-Minute", "X-Limit-Hour"]
        names.remaining = ["X-RateLimit-Remaining", "X-Remaining-Minute", "X-Remaining-Hour"]
        names.reset = ["X-RateLimit-Reset", "X-Reset-Minute", "X-Reset-Hour"]
        names.used = ["X-Call-Limit"]
        names.state = ["RateLimit"]
        names.policy = ["RateLimit-Policy"]
        return names
    }()

    mutating func serve(at now: Int64) -> (isAccepted: Bool, fields: FieldBlock) {
        let left = windows.indices.map { remaining($0, at: now) }
        let isAccepted = left.allSatisfy { $0 >= cost }
        if isAccepted {
            for index in windows.indices {
                windows[index].used.append((now, cost))
                windows[index].tokens -= Double(cost)
            }
        }
        return (isAccepted, fields(at: now))
    }

    private mutating func remaining(_ index: Int, at now: Int64) -> Int {
        let window = windows[index]
        switch kind {
        case .fixed:
            let start = (now + phase) / window.per * window.per - phase
            windows[index].used.removeAll { $0.time < start }
        case .sliding: windows[index].used.removeAll { $0.time <= now - window.per }
        case .bucket:
            let rate = Double(window.requests) / Double(window.per)
            windows[index].tokens = min(
                Double(window.requests), window.tokens + Double(now - window.last) * rate)
            windows[index].last = now
            return Int(windows[index].tokens + 1e-6)
        }
        return window.requests - windows[index].used.reduce(0) { $0 + $1.cost }
    }

    /// Until the window begins anew, the oldest request leaves it, or there is a whole token again.
    private func reset(_ index: Int, at now: Int64) -> Int64 {
        let window = windows[index]
        switch kind {
        case .fixed: return ((now + phase) / window.per + 1) * window.per - phase - now
        case .sliding: return (window.used.first?.time ?? now) + window.per - now
        case .bucket: return max(Int64((1 - window.tokens) * Double(window.per) / Double(window.requests)), 1)
        }
    }

    private mutating func fields(at now: Int64) -> FieldBlock {
        var block = FieldBlock()
        let left = windows.indices.map { remaining($0, at: now) }
        let resets = windows.indices.map { reset($0, at: now) }
        let up = resets.map { ($0 + 999_999_999) / 1_000_000_000 }
        func usual(_ reset: String?) {
            block.append("X-RateLimit-Limit", "\(windows[0].requests)")
            block.append("X-RateLimit-Remaining", "\(left[0])")
            if let reset { block.append("X-RateLimit-Reset", reset) }
        }
        let whole = Self.epoch / 1_000_000_000 + now / 1_000_000_000
        switch dialect {
        case .seconds: usual("\(up[0])")
        case .secondsRoundedDown: usual("\(resets[0] / 1_000_000_000)")
        case .epoch: usual("\((Self.epoch + now + resets[0]) / 1_000_000_000)")
        case .epochMilliseconds: usual("\((Self.epoch + now + resets[0]) / 1_000_000)")
        case .duration: usual("\(resets[0] / 1_000_000)ms")
        case .withoutReset: usual(nil)
        case .draft07:
            block.append(
                "RateLimit", "limit=\(windows[0].requests), remaining=\(left[0]), reset=\(up[0])")
        case .draft08:
            let items = windows.indices.map { "\"w\($0)\";r=\(left[$0]);t=\(up[$0])" }
            let policies = windows.indices.map {
                "\"w\($0)\";q=\(windows[$0].requests);w=\(windows[$0].per / 1_000_000_000)"
            }
            block.append("RateLimit", items.joined(separator: ", "))
            block.append("RateLimit-Policy", policies.joined(separator: ", "))
        case .used: block.append("X-Call-Limit", "\(windows[0].requests - left[0])/\(windows[0].requests)")
        case .slashes:
            block.append("X-RateLimit-Limit", windows.map { "\($0.requests)" }.joined(separator: "/"))
            block.append("X-RateLimit-Remaining", left.map { "\($0)" }.joined(separator: "/"))
            block.append("X-RateLimit-Reset", "\(up[0])")
        case .fieldPerWindow:
            for (index, name) in ["Minute", "Hour"].enumerated() where index < windows.count {
                block.append("X-Limit-\(name)", "\(windows[index].requests)")
                block.append("X-Remaining-\(name)", "\(left[index])")
                block.append("X-Reset-\(name)", "\(up[index])")
            }
        }
        _ = whole
        return block
    }
}
