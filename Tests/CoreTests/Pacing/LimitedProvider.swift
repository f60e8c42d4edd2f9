import Wire

@testable import Core

/// A provider that enforces any set of limits, strictly, in virtual time: written from what a limit means, without the pacer's code.
struct LimitedProvider {
    private struct Counter: Hashable {
        var limit: Int
        var key: String
    }

    private let limits: [RateLimit]
    /// What is to be added to the simulated time to have the time since 1970, in nanoseconds.
    private let wallOffset: Int64
    private var arrivals: [Counter: [(time: Int64, cost: Int)]] = [:]
    private var periods: [Counter: (period: Int64, used: Int)] = [:]
    private var running: [Counter: Int] = [:]
    /// The names of the limits that have refused a request.
    private(set) var refusing: Set<Int> = []

    init(_ limits: [RateLimit], wallOffset: Int64) {
        self.limits = limits
        self.wallOffset = wallOffset
    }

    /// Whether each limit that counts a request has room for it; then it is counted by all.
    mutating func serve(_ request: VirtualTraffic.Request, at now: Int64) -> Bool {
        var isAccepted = true
        let counters = counters(of: request)
        for (counter, cost) in counters where used(counter, at: now) + cost > limits[counter.limit].requests {
            refusing.insert(counter.limit)
            isAccepted = false
        }
        // Refused requests count as well: the strictest kind.
        for (counter, cost) in counters {
            switch limits[counter.limit].span {
            case .rolling: arrivals[counter, default: []].append((now, cost))
            case .concurrent: running[counter, default: 0] += cost
            default: periods[counter]?.used += cost
            }
        }
        return isAccepted
    }

    /// A response has ended.
    mutating func finish(_ request: VirtualTraffic.Request) {
        for (counter, cost) in counters(of: request) where limits[counter.limit].span == .concurrent {
            running[counter, default: 0] -= cost
        }
    }

    private func counters(of request: VirtualTraffic.Request) -> [(Counter, Int)] {
        let (method, path) = (Text(request.method), Text(request.path))
        let counting = limits.counting(method: method, path: path)
        return limits.enumerated().compactMap { index, limit in
            guard counting.contains(limit) else { return nil }
            let cost = limit.costs.first { $0.request.matches(method: method, path: path) }?.slots ?? 1
            return (Counter(limit: index, key: key(limit, request)), cost)
        }
    }

    private func key(_ limit: RateLimit, _ request: VirtualTraffic.Request) -> String {
        let (method, path) = (Text(request.method), Text(request.path))
        let patterns = limit.operations.isEmpty ? limit.routes : limit.operations
        let place = patterns.firstIndex { $0.matches(method: method, path: path) }
        return limit.by.parts.map { part in
            switch part {
            case .credential, .header, .query: "\(request.credential)"
            case .provider, .group: "all"
            case .combined, .body: ""
            case .operation: "\(place ?? -1)"
            case .path(let names):
                names.map { name in
                    place.flatMap { patterns[$0].step(named: name, of: path) }?.string ?? ""
                }.joined(separator: "/")
            }
        }.joined(separator: ",")
    }

    private mutating func used(_ counter: Counter, at now: Int64) -> Int {
        let limit = limits[counter.limit]
        switch limit.span {
        case .rolling:
            let start = now - limit.per.wholeNanoseconds
            arrivals[counter, default: []].removeAll { $0.time <= start }
            return arrivals[counter, default: []].reduce(0) { $0 + $1.cost }
        case .concurrent: return running[counter, default: 0]
        default:
            let period = Self.period(limit, at: now + wallOffset)
            if periods[counter]?.period != period { periods[counter] = (period, 0) }
            return periods[counter]?.used ?? 0
        }
    }

    /// A number for each day or month.
    private static func period(_ limit: RateLimit, at time: Int64) -> Int64 {
        if case .aligned(let alignment) = limit.span {
            // Half of the year the clock is less far ahead.
            let ahead = alignment.offset - (time / 86_400_000_000_000 / 180 % 2 == 0 ? 0 : alignment.slack)
            return (time + Int64(ahead) * 1_000_000_000) / limit.per.wholeNanoseconds
        }
        let day = time / 86_400_000_000_000
        guard limit.span == .month else { return day }
        // The civil date of a day since 1970, counted year by year.
        var (year, rest) = (1970, Int(day))
        func length(_ year: Int) -> Int { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365 }
        while rest >= length(year) {
            rest -= length(year)
            year += 1
        }
        var month = 0
        let months = [31, length(year) == 366 ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        while rest >= months[month] {
            rest -= months[month]
            month += 1
        }
        return Int64(year * 12 + month)
    }
}

/// Requests that a limit counts, and how many of them the limits can let through.
struct LimitProbe {
    let limits: [RateLimit]
    let method: String
    let path: String

    /// A request that the limit at `index` counts; `nil` if there is none to be found.
    ///
    /// - Parameter variable: what stands at the captures of the path.
    init?(_ limits: [RateLimit], index: Int, variable: String = "v") {
        self.limits = limits
        let limit = limits[index]
        let patterns = limit.named.map(\.description)
        let candidates =
            patterns.isEmpty
            ? ["GET", "POST"].flatMap { method in
                ["/", "/x", "/weir/rest/of/it"].map { "\(method) \($0)" }
            } : patterns
        for candidate in candidates {
            let words = candidate.split(separator: " ")
            let method = words[0] == "*" ? "POST" : String(words[0])
            let path = words[1].split(separator: "/", omittingEmptySubsequences: false).map { step in
                step == "*" || step == "**" ? "x" : step.hasPrefix("{") ? variable : String(step)
            }.joined(separator: "/")
            if limits.counting(method: Text(method), path: Text(path)).contains(limit) {
                (self.method, self.path) = (method, path)
                return
            }
        }
        return nil
    }

    /// The limits that count it, with what it costs in each.
    var counting: [(limit: RateLimit, cost: Int)] {
        limits.counting(method: Text(method), path: Text(path)).map { limit in
            let cost = limit.costs.first { $0.request.matches(method: Text(method), path: Text(path)) }
            return (limit, cost?.slots ?? 1)
        }
    }

    /// How many of it can be accepted until `end`, if each slot is free again one window after the first byte of its response: the
    /// n-th one is sent as soon as that which stands as many before it as a limit has slots has freed its own.
    func possible(until end: Int64, there: Int64, back: Int64, body: Int64, wallOffset: Int64) -> Int {
        var sent: [Int64] = []
        let roundTrip = there + back
        while sent.count < 100_000 {
            var time = sent.last ?? 0
            for (limit, cost) in counting {
                let slots = limit.requests / cost
                guard sent.count >= slots, slots > 0 else { continue }
                let former = sent[sent.count - slots]
                switch limit.span {
                case .rolling: time = max(time, former + roundTrip + limit.per.wholeNanoseconds)
                case .concurrent: time = max(time, former + roundTrip + body)
                case .aligned(let alignment):
                    let per = limit.per.wholeNanoseconds
                    let ahead = wallOffset + Int64(alignment.offset) * 1_000_000_000
                    time = max(time, ((former + ahead) / per + 1) * per - ahead)
                case .day, .month:
                    let day: Int64 = 86_400_000_000_000
                    // A month is not waited for.
                    if limit.span == .month { return sent.count }
                    time = max(time, ((former + wallOffset) / day + 1) * day - wallOffset)
                }
            }
            guard time + roundTrip <= end else { return sent.count }
            sent.append(time)
        }
        return sent.count
    }

    /// The time in which the shortest window is used up several times, or as long as a number of requests need that can be simulated.
    var duration: Double {
        let windows = counting.map(\.limit).filter { $0.span != .concurrent }
        let shortest = windows.map { Double($0.per.wholeNanoseconds) / 1e9 }.min() ?? 10
        let rate = windows.map { Double($0.requests) / (Double($0.per.wholeNanoseconds) / 1e9) }.min() ?? 100
        return max(min(shortest * 5.5, 800 / max(rate, 0.001)), 2)
    }
}
