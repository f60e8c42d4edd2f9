/// A provider that enforces `requests` per `per` nanoseconds on one key, and counts when a request arrives.
struct SimulatedProvider {
    enum Kind: CaseIterable {
        case slidingWindow
        case slidingWindowThatCountsRefusals
        case fixedWindow
        case tokenBucket
    }

    private let kind: Kind
    private let requests: Int
    private let per: Int64
    /// Where fixed windows begin.
    private let phase: Int64
    private var counted: [Int64] = []
    private var firstCounted = 0
    private var tokens: Double
    private var lastArrival: Int64 = 0

    init(_ kind: Kind, requests: Int, per: Int64, phase: Int64) {
        self.kind = kind
        self.requests = requests
        self.per = per
        self.phase = phase
        tokens = Double(requests)
    }

    /// Whether it takes a request that arrives at `now`; calls come in the order of time.
    mutating func accepts(at now: Int64) -> Bool {
        switch kind {
        case .slidingWindow, .slidingWindowThatCountsRefusals:
            forget(until: now - per)
            let isAccepted = counted.count - firstCounted < requests
            if isAccepted || kind == .slidingWindowThatCountsRefusals { counted.append(now) }
            return isAccepted
        case .fixedWindow:
            forget(until: (now + phase) / per * per - phase - 1)
            guard counted.count - firstCounted < requests else { return false }
            counted.append(now)
            return true
        case .tokenBucket:
            tokens = min(
                Double(requests), tokens + Double(now - lastArrival) * Double(requests) / Double(per))
            lastArrival = now
            // A hair less than one: the sum of fractions must not decide.
            guard tokens >= 1 - 1e-6 else { return false }
            tokens -= 1
            return true
        }
    }

    private mutating func forget(until time: Int64) {
        while firstCounted < counted.count, counted[firstCounted] <= time { firstCounted += 1 }
        if firstCounted > 1024 {
            counted.removeFirst(firstCounted)
            firstCounted = 0
        }
    }
}
