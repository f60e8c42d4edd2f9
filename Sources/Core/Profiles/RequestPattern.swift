internal import Wire

/// A method and a path, such as `POST /emails` or `* /campaigns/*/leads/`.
///
/// `*` as the method matches any method; as a segment of the path it matches any one segment, and so does `{name}`,
/// which names it; `**` as the last segment matches any rest. The path is the provider's, after the base URL and
/// without the query.
public struct RequestPattern: Sendable, Hashable {
    private var method: Text
    private var steps: [Text]
    /// The names of the segments, if any has a name.
    fileprivate var names: [String?]

    /// The names of the segments that have one.
    public var stepNames: [String] { names.compactMap { $0 } }

    /// Reads `METHOD PATH`.
    ///
    /// - Throws: what is allowed, also if a pattern could never match a request: methods are compared
    ///   case-sensitively, paths as they are sent.
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
        guard words[1].hasCompleteEscapes else {
            throw InvalidSetting("must have two hexadecimal digits behind each '%' of its path")
        }
        let parts = words[1].dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard !RequestTarget.hasDotSegments(Array(words[1].utf8).span) else {
            throw InvalidSetting(
                "must have a path without '.' and '..' steps (%2E included): clients resolve them before they send it"
            )
        }
        for (index, part) in parts.enumerated() where part.contains("*") {
            guard part == "*" || part == "**" && index == parts.count - 1 else {
                throw InvalidSetting(
                    "must have * as a whole step, and ** as the last one alone: /campaigns/*/leads, /files/**"
                )
            }
        }
        var names: [String?] = []
        for part in parts {
            let isNamed = part.contains("{") || part.contains("}")
            guard isNamed else {
                names.append(nil)
                continue
            }
            let name = part.dropFirst().dropLast()
            guard part.first == "{", part.last == "}", let first = name.first, first.isLetter,
                name.utf8.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || $0 == 0x5F })
            else {
                throw InvalidSetting(
                    "must have {name} as a whole step: letters, digits and _, such as /bases/{base}")
            }
            guard !names.contains(String(name)) else {
                throw InvalidSetting("must not have two steps {\(name)}")
            }
            names.append(String(name))
        }
        method = Text(words[0])
        steps = zip(parts, names).map { part, name in name == nil ? Text(String(part)) : "*" }
        self.names = names.contains { $0 != nil } ? names : []
    }

    /// Reads `METHOD PATH`, or `nil` if it is not a valid pattern.
    public init?(_ text: String) {
        guard let pattern = try? RequestPattern(parsing: text) else { return nil }
        self = pattern
    }

    /// Whether a request matches, without converting its bytes; anything after a `?` in `path` is ignored.
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

    /// The segment of a path that has this name in the pattern; `nil` if the path does not match, or no segment has
    /// the name.
    public func step(named name: String, of path: Text) -> Text? {
        guard let index = names.firstIndex(of: name), matches(path: path) else { return nil }
        let parts = path.bytes.prefix { $0 != 0x3F }.split(separator: 0x2F, omittingEmptySubsequences: false)
        // The first part is the text before the first slash.
        return index + 1 < parts.count ? Text(path.storage, in: parts[index + 1].indices) : nil
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

    /// Whether a request matches; anything after a `?` in `path` is ignored.
    public func matches(method: Text, path: Text) -> Bool {
        (self.method == "*" || self.method == method) && matches(path: path)
    }

    private func matches(path: Text) -> Bool {
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

extension RequestPattern {
    /// The index of the path segment with this name, from 0; `nil` if there is none.
    func index(ofStep name: String) -> Int? { names.firstIndex(of: name) }

    /// The range of a path segment, counted from 0; `nil` if the path is shorter.
    static func range(ofStep step: Int, in path: borrowing Span<UInt8>) -> Range<Int>? {
        var (start, index) = (0, -1)
        while start < path.count, path[start] == 0x2F {
            index += 1
            var end = start + 1
            while end < path.count, path[end] != 0x2F, path[end] != 0x3F { end += 1 }
            if index == step { return start + 1..<end }
            start = end
        }
        return nil
    }
}

extension RequestPattern: CustomStringConvertible {
    /// The pattern as it is written: `POST /emails`.
    public var description: String {
        let parts = steps.indices.map { index in
            let name = index < names.count ? names[index] : nil
            return name.map { "{\($0)}" } ?? steps[index].string
        }
        return "\(method.string) /\(parts.joined(separator: "/"))"
    }
}
