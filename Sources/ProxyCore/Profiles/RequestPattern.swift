/// A method and a path, such as `POST /emails` or `* /campaigns/*/leads/`.
///
/// `*` as the method is any method; as a step of the path it is any one step; as the last step, `**` is any
/// rest. The path is the provider's own, behind the base URL, without the query.
public struct RequestPattern: Sendable, Hashable {
    private var method: Text
    private var steps: [Text]

    /// Reads `METHOD PATH`, or `nil` if there are not two words or the path has no slash at its start.
    public init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, words[1].hasPrefix("/") else { return nil }
        method = Text(String(words[0]))
        steps = words[1].dropFirst().split(separator: "/", omittingEmptySubsequences: false).map {
            Text(String($0))
        }
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
