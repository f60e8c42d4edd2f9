internal import Core
internal import Wire

/// Writes the state of limits into the fields in which a provider reports it.
struct RateFieldWriter: Sendable {
    /// How a provider writes the end of a window.
    private enum Form {
        case seconds, epochSeconds, epochMilliseconds, date, duration

        /// The form of a recorded value; `nil` if it is unknown.
        init?(_ recorded: String) {
            if let number = Double(recorded) {
                self = number > 1e11 ? .epochMilliseconds : number > 1e8 ? .epochSeconds : .seconds
            } else if recorded.contains("T"), recorded.contains("-") {
                self = .date
            } else if recorded.hasSuffix("s"), recorded.first?.isNumber == true {
                self = .duration
            } else {
                return nil
            }
        }

        func text(_ wait: Duration, _ now: Moment) -> String {
            let seconds = RateFieldWriter.wholeSeconds(wait)
            return switch self {
            case .seconds: "\(seconds)"
            case .epochSeconds: "\(now.epochSeconds(after: wait))"
            case .epochMilliseconds: "\(now.wallMilliseconds(after: wait))"
            case .date: CivilTime.iso8601(now.epochSeconds(after: wait) * 1000)
            case .duration: "\(seconds)s"
            }
        }
    }

    /// The fields of one window.
    private struct Window: Sendable {
        var limit: String?
        var remaining: String?
        var reset: String?
        /// The lengths of the windows, in seconds, that the fields' names mean; empty for any.
        var lengths: ClosedRange<Double>?
        /// Whether the fields count something else than requests.
        var isForeign: Bool
    }

    private let windows: [Window]
    private let used: [String]
    private let state: [String]
    private let policy: [String]
    private let forms: [String: String]
    /// The names of all fields, in lower case.
    let names: Set<String>

    /// A writer of these fields; how times are written is taken from recorded responses.
    init(_ fields: RateFields, cases: [ProfileCase]) {
        func name(_ list: [Text], _ index: Int) -> String? { index < list.count ? list[index].string : nil }
        let count = [fields.limit.count, fields.remaining.count, fields.reset.count].max() ?? 0
        windows = (0..<count).map { index in
            let (limit, remaining) = (name(fields.limit, index), name(fields.remaining, index))
            let reset = name(fields.reset, index)
            let all = [limit, remaining, reset].compactMap { $0?.lowercased() }.joined(separator: " ")
            return Window(
                limit: limit, remaining: remaining, reset: reset, lengths: Self.lengths(all),
                isForeign: all.contains("token"))
        }
        used = fields.used.map(\.string)
        state = fields.state.map(\.string)
        policy = fields.policy.map(\.string)
        var forms: [String: String] = [:]
        for reset in fields.reset.map(\.string) {
            let values = cases.compactMap { $0.fields.first(reset) }
            forms[reset] = values.first { Form($0) != nil }
        }
        self.forms = forms
        let lists = [fields.limit, fields.remaining, fields.reset, fields.used, fields.state, fields.policy]
        names = Set(lists.flatMap { $0 }.map { $0.string.lowercased() })
    }

    /// Adds the fields to a response.
    func write(_ usages: [StrictLimits.Usage], at now: Moment, into response: inout ImitationResponse) {
        let counting = usages.filter { $0.limit.span != .concurrent }
        guard let first = counting.first else { return }
        for window in windows where !window.isForeign {
            let usage = window.lengths.map { lengths in
                counting.first { lengths.contains(Self.seconds($0.limit)) }
            }
            guard let usage = usage ?? first else { continue }
            if let name = window.limit { response.fields.append(name, "\(usage.limit.requests)") }
            if let name = window.remaining { response.fields.append(name, "\(usage.remaining)") }
            if let name = window.reset {
                let form = forms[name].flatMap(Form.init) ?? .seconds
                response.fields.append(name, form.text(usage.untilReset, now))
            }
        }
        for name in used {
            response.fields.append(
                name, "\(first.limit.requests - first.remaining)/\(first.limit.requests)")
        }
        let seconds = Self.wholeSeconds(first.untilReset)
        for name in state { response.fields.append(name, "\"default\";r=\(first.remaining);t=\(seconds)") }
        for name in policy {
            let length = max(1, Int(Self.seconds(first.limit)))
            response.fields.append(name, "\"default\";q=\(first.limit.requests);w=\(length)")
        }
    }

    /// A duration in whole seconds, rounded up; at least 1.
    static func wholeSeconds(_ duration: Duration) -> Int64 {
        max(1, (duration.wholeNanoseconds + 999_999_999) / 1_000_000_000)
    }

    private static func seconds(_ limit: RateLimit) -> Double {
        Double(limit.per.wholeNanoseconds) / 1e9
    }

    /// The lengths of windows that the names of fields mean.
    private static func lengths(_ names: String) -> ClosedRange<Double>? {
        if names.contains("second") { return 0...10 }
        if names.contains("minute") { return 60...60 }
        if names.contains("hour") && !names.contains("24-hour") { return 3600...3600 }
        if names.contains("24-hour") || names.contains("day") || names.contains("daily") {
            return 86_400...86_400
        }
        if names.contains("month") { return 2_419_200...2_678_400 }
        return nil
    }
}
