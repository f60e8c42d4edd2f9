public import Wire

/// The values of `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11) that Weir's own ledger gives.
public enum RateLimitFields {
    /// The policies, such as `"default";q=20;w=2`; empty without limits.
    ///
    /// A limit of requests at the same time has no window, and says what it counts (`qu`).
    public static func policy(
        _ windows: [PacingPolicy.Window], called given: [String?] = [], naming: Naming = .own
    ) -> [UInt8] {
        let prefix = naming == .own ? "" : prefix
        let parts = zip(names(of: windows, called: given), windows).map { name, window in
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

    /// The names of the limits, each once: those that they were given; else a single one is the default, and of several
    /// each is called after what it counts, with its place where that is the same.
    ///
    /// - Parameter given: the names that they have, by their places; none for the others.
    public static func names(of windows: [PacingPolicy.Window], called given: [String?] = []) -> [String] {
        func name(at index: Int) -> String? { index < given.count ? given[index] : nil }
        guard windows.count != 1 else { return [name(at: 0) ?? "default"] }
        var names: [String] = []
        for (index, window) in windows.enumerated() {
            if let name = name(at: index) {
                names.append(name)
                continue
            }
            let name =
                switch window.span {
                case .rolling, .aligned: "\(window.requests)-per-\(seconds(window.per))s"
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

extension RateLimitFields {
    /// What Weir's items are called behind those of a provider.
    public enum Naming: Sendable, Hashable {
        /// As ever.
        case own
        /// With ``RateLimitFields/prefix``, since the provider uses one of their names for a limit of its own.
        case prefixed
    }

    /// What stands before the names of Weir's limits where the provider uses one of them itself.
    public static let prefix = "weir-"

    /// Whether an answer's field is one of the two: `RateLimit` or `RateLimit-Policy`.
    public static func isOne(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 9: return name.equalsIgnoringCase("ratelimit")
        case 16: return name.equalsIgnoringCase("ratelimit-policy")
        default: return false
        }
    }

    /// How Weir's items are called behind those in `fields`; `nil` if they must be left out.
    ///
    /// They are where the provider's value is no list of named items (the dictionary of draft 07, `limit=100, remaining=50`, or
    /// anything malformed), which ours behind it would make worse, and where it uses the prefixed names as well.
    ///
    /// - Parameter names: those of Weir's limits, quoted.
    public static func naming(behind fields: FieldBlock, names: [[UInt8]]) -> Naming? {
        let names = names.map { Array($0[1..<$0.count - 1]) }
        switch search(fields, for: names) {
        case .noList: return nil
        case .free: return .own
        case .used:
            return search(fields, for: names.map { Array(prefix.utf8) + $0 }) == .free ? .prefixed : nil
        }
    }

    /// What the provider's items say about names that are wanted.
    private enum Finding {
        case noList
        case used
        case free
    }

    private static func search(_ fields: FieldBlock, for names: [[UInt8]]) -> Finding {
        var finding = Finding.free
        fields.forEach { field, value in
            guard isOne(field) else { return }
            RateState.forEachItem(in: value) { item in
                guard let range = rangeOfName(in: item) else {
                    finding = .noList
                    return
                }
                let name = item.extracting(range)
                if finding == .free, names.contains(where: { name.equals($0.span) }) { finding = .used }
            }
        }
        return finding
    }

    /// Writes the values of the field `name` in `fields` as the beginning of a list to which an item is added.
    public static func appendItems(
        of name: [UInt8], in fields: FieldBlock, to output: inout some ByteSink & ~Copyable
    ) {
        fields.forEach { field, value in
            let value = value.extracting(value.trimmedRange)
            guard value.count > 0, field.equalsIgnoringCase(name.span) else { return }
            output.append(value)
            output.append(literal: ", ")
        }
    }

    /// The name of a list's item, a String without its quotes or a Token (RFC 9651 3.3); `nil` for anything else.
    private static func rangeOfName(in item: Span<UInt8>) -> Range<Int>? {
        var end = 0
        if item[0] == 0x22 {
            end = item.index(of: 0x22, from: 1)
            // A quote or a backslash inside would be written as two bytes, and nobody calls a limit so.
            guard end < item.count, item.index(of: 0x5C, from: 1) > end, endsName(item, at: end + 1) else {
                return nil
            }
            return 1..<end
        }
        guard item[0].isASCIILetter || item[0] == 0x2A else { return nil }
        while end < item.count, isTokenByte(item[end]) { end += 1 }
        return endsName(item, at: end) ? 0..<end : nil
    }

    /// Whether an item's name is over at `index`: there is nothing more, or there are its parameters.
    private static func endsName(_ item: Span<UInt8>, at index: Int) -> Bool {
        index == item.count || item[index] == 0x3B
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || "!#$%&'*+-.^_`|~:/".utf8.contains(byte)
    }
}
