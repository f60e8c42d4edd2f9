public import Wire

/// The values of `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11) that Weir's own ledger gives.
public enum RateLimitFields {
    /// The policies, such as `"default";q=20;w=2`; empty without limits.
    ///
    /// A limit of requests at the same time has no window, and says what it counts (`qu`).
    public static func policy(_ windows: [PacingPolicy.Window], naming: Naming = .own) -> [UInt8] {
        let prefix = naming == .own ? "" : prefix
        let parts = zip(names(of: windows), windows).map { name, window in
            window.span == .concurrent
                ? "\"\(prefix)\(name)\";q=\(window.requests);qu=\"concurrent-requests\""
                : "\"\(prefix)\(name)\";q=\(window.requests);w=\(seconds(window.per))"
        }
        return Array(parts.joined(separator: ", ").utf8)
    }

    /// Writes what is left, such as `"default";r=7;t=2`.
    ///
    /// - Parameter name: of the limit, quoted, as in the policy.
    public static func append(
        _ headroom: Headroom, named name: [UInt8], naming: Naming = .own,
        to output: inout some ByteSink & ~Copyable
    ) {
        if naming == .prefixed {
            output.append(0x22)
            output.append(prefix.utf8.span)
            output.append(name.span.extracting(1..<name.count))
        } else {
            output.append(name)
        }
        output.append(literal: ";r=")
        JSONWriter.integer(max(0, headroom.remaining), into: &output)
        output.append(literal: ";t=")
        JSONWriter.integer(seconds(headroom.resetIn), into: &output)
    }

    /// The names of the limits, each once: a single one is the default; of several, each is called after what
    /// it counts, with its place where that is the same.
    public static func names(of windows: [PacingPolicy.Window]) -> [String] {
        guard windows.count != 1 else { return ["default"] }
        var names: [String] = []
        for (index, window) in windows.enumerated() {
            let name =
                switch window.span {
                case .rolling: "\(window.requests)-per-\(seconds(window.per))s"
                case .day: "\(window.requests)-per-day"
                case .month: "\(window.requests)-per-month"
                case .concurrent: "\(window.requests)-concurrent"
                }
            names.append(names.contains(name) ? "\(name)-\(index + 1)" : name)
        }
        return names
    }

    /// Whole seconds, rounded up: whoever waits so long does not come too early.
    private static func seconds(_ duration: Duration) -> Int {
        let nanoseconds = max(0, duration.wholeNanoseconds)
        return Int(nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0))
    }
}
