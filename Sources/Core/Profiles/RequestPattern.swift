internal import Wire

/// A method and a path, such as `POST /emails` or `* /campaigns/*/leads/`.
///
/// `*` as the method is any method; as a step of the path it is any one step, and so is `{name}`, which gives it a name; as the last
/// step, `**` is any rest. The path is the provider's own, behind the base URL, without the query.
public struct RequestPattern: Sendable, Hashable {
    private var method: Text
    private var steps: [Text]
    /// The names of the steps, if one has a name.
    fileprivate var names: [String?]

    /// The names of the steps that have one.
    public var stepNames: [String] { names.compactMap { $0 } }

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

    /// The step of a path that has this name here; `nil` if the path does not fit, or no step has the name.
    public func step(named name: String, of path: Text) -> Text? {
        guard let index = names.firstIndex(of: name), matches(path: path) else { return nil }
        let parts = path.bytes.prefix { $0 != 0x3F }.split(separator: 0x2F, omittingEmptySubsequences: false)
        // The first part is what stands before the first slash.
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

    /// Whether a request fits; whatever follows a `?` in `path` does not count.
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
    /// Which step of the path has this name, from 0; `nil` if none has.
    func index(ofStep name: String) -> Int? { names.firstIndex(of: name) }

    /// Where a step of a path stands, counted from 0; `nil` if the path is shorter.
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
