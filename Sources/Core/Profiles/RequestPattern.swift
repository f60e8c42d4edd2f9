/// A method and a path, such as `POST /emails` or `* /campaigns/*/leads/`.
///
/// `*` as the method is any method; as a step of the path it is any one step; as the last step, `**` is any
/// rest. The path is the provider's own, behind the base URL, without the query.
public struct RequestPattern: Sendable, Hashable {
    private var method: Text
    private var steps: [Text]

    /// Reads `METHOD PATH`.
    ///
    /// - Throws: what is allowed, also where a pattern could never fit a request: methods are compared with their case, paths as they are
    ///   sent.
    public init(parsing text: String) throws(InvalidSetting) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 2, words[1].hasPrefix("/") else {
            throw InvalidSetting("must be a method and a path, such as POST /emails or * /campaigns/*/leads")
        }
        let isMethod = words[0].utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x2D || $0 == 0x5F }
        guard words[0] == "*" || isMethod else {
            throw InvalidSetting("must have a method in upper case, such as POST, or * for any")
        }
        guard words[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3F && $0 != 0x23 }) else {
            throw InvalidSetting(
                "must have a path as it is sent: visible ASCII, other characters percent-encoded, without a query"
            )
        }
        let parts = words[1].dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() where part.contains("*") {
            guard part == "*" || part == "**" && index == parts.count - 1 else {
                throw InvalidSetting(
                    "must have * as a whole step, and ** as the last one alone: /campaigns/*/leads, /files/**"
                )
            }
        }
        method = Text(words[0])
        steps = parts.map { Text(String($0)) }
    }

    /// Reads `METHOD PATH`, or `nil` if it is no pattern.
    public init?(_ text: String) {
        guard let pattern = try? RequestPattern(parsing: text) else { return nil }
        self = pattern
    }

    /// Whether a request fits, without making anything of its bytes; whatever follows a `?` in `path` does not
    /// count.
    public func matches(method: borrowing Span<UInt8>, path: borrowing Span<UInt8>) -> Bool {
        guard isAny(self.method) || Self.equal(self.method, method, 0..<method.count) else { return false }
        var end = 0
        while end < path.count, path[end] != 0x3F { end += 1 }
        var start = 0
        for (index, step) in steps.enumerated() {
            guard start < end, path[start] == 0x2F else { return false }
            start += 1
            if step.count == 2, index == steps.count - 1, step.bytes.allSatisfy({ $0 == 0x2A }) {
                return true
            }
            var next = start
            while next < end, path[next] != 0x2F { next += 1 }
            guard Self.equal(step, path, start..<next) || (isAny(step) && next > start) else { return false }
            start = next
        }
        return start == end
    }

    private func isAny(_ text: Text) -> Bool { text.count == 1 && text.bytes.first == 0x2A }

    private static func equal(_ text: Text, _ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard text.count == range.count else { return false }
        let (storage, first) = (text.storage.span, text.range.lowerBound)
        for index in 0..<range.count where storage[first + index] != bytes[range.lowerBound + index] {
            return false
        }
        return true
    }

    /// Whether a request fits; whatever follows a `?` in `path` does not count.
    public func matches(method: Text, path: Text) -> Bool {
        guard self.method == "*" || self.method == method else { return false }
        var rest = path.bytes.prefix { $0 != 0x3F }
        for (index, step) in steps.enumerated() {
            guard rest.first == 0x2F else { return false }
            rest.removeFirst()
            if step == "**", index == steps.count - 1 { return true }
            let part = rest.prefix { $0 != 0x2F }
            guard step.bytes == part || (step == "*" && !part.isEmpty) else { return false }
            rest = rest[part.endIndex...]
        }
        return rest.isEmpty
    }
}
