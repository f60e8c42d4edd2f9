/// The values of `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11) that Weir's own ledger gives.
public enum RateLimitFields {
    /// The policies, such as `"default";q=20;w=2`; empty without limits.
    public static func policy(_ windows: [PacingPolicy.Window]) -> [UInt8] {
        var parts: [String] = []
        for window in windows {
            parts.append(
                "\"\(name(of: window, among: windows))\";q=\(window.requests);w=\(seconds(window.per))")
        }
        return Array(parts.joined(separator: ", ").utf8)
    }

    /// Writes what is left, such as `"default";r=7;t=2`.
    ///
    /// - Parameter name: of the limit, quoted, as in the policy.
    public static func append(_ headroom: Headroom, named name: [UInt8], to output: inout [UInt8]) {
        output += name
        output.append(contentsOf: ";r=".utf8)
        JSONWriter.integer(max(0, headroom.remaining), into: &output)
        output.append(contentsOf: ";t=".utf8)
        JSONWriter.integer(seconds(headroom.resetIn), into: &output)
    }

    /// A single limit is the default one; of several, each is called after its window.
    public static func name(of window: PacingPolicy.Window, among windows: [PacingPolicy.Window]) -> String {
        windows.count == 1 ? "default" : "\(window.requests)-per-\(seconds(window.per))s"
    }

    /// Whole seconds, rounded up: whoever waits so long does not come too early.
    private static func seconds(_ duration: Duration) -> Int {
        let nanoseconds = max(0, duration.wholeNanoseconds)
        return Int(nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0))
    }
}
