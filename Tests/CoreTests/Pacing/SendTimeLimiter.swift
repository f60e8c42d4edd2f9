/// The usual limiters, which know when a request was sent and nothing else: what the ledger is compared with.
enum SendTimeLimiter {
    /// A bucket of `requests` tokens that fills up in `per`.
    case tokenBucket(tokens: Double, last: Int64)
    /// One request every `per / requests`.
    case evenlySpaced(next: Int64)
    /// At most `requests` sent in any `per` and `margin`.
    case sendLog(times: [Int64], margin: Int64)

    /// When the next request may be sent; never before `now`.
    mutating func nextSend(at now: Int64, requests: Int, per: Int64) -> Int64 {
        switch self {
        case .tokenBucket(let tokens, let last):
            let rate = Double(requests) / Double(per)
            let full = min(Double(requests), tokens + Double(now - last) * rate)
            self = .tokenBucket(tokens: full, last: now)
            return full >= 1 - 1e-9 ? now : now + max(1, Int64(((1 - full) / rate).rounded(.up)))
        case .evenlySpaced(let next):
            return max(now, next)
        case .sendLog(let times, let margin):
            guard times.count >= requests else { return now }
            return max(now, times[times.count - requests] + per + margin)
        }
    }

    mutating func sent(at now: Int64, requests: Int, per: Int64) {
        switch self {
        case .tokenBucket(let tokens, let last): self = .tokenBucket(tokens: tokens - 1, last: last)
        case .evenlySpaced: self = .evenlySpaced(next: now + per / Int64(requests))
        case .sendLog(var times, let margin):
            if times.count >= requests { times.removeFirst() }
            times.append(now)
            self = .sendLog(times: times, margin: margin)
        }
    }
}
