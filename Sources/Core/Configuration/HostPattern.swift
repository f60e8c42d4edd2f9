internal import Wire

/// A name, or several, that a request's `Host` may have.
public enum HostPattern: Hashable, Sendable {
    /// Any name.
    case any
    /// This one, in lower case.
    case name([UInt8])
    /// Those below a name: what they end with, in lower case, the dot before it included.
    case below([UInt8])

    /// Reads `api.internal`, `*.internal` or `*`.
    ///
    /// - Throws: `InvalidSetting` for anything else; an address is no name, and always allowed.
    public init(parsing text: String) throws(InvalidSetting) {
        if text == "*" {
            self = .any
            return
        }
        let isBelow = text.hasPrefix("*.")
        let name = Array((isBelow ? String(text.dropFirst(2)) : text).lowercased().utf8)
        let isName = name.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "-._".utf8.contains($0) }
        let areLabels = name.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.first != 0x2D && label.last != 0x2D
        }
        guard isName, areLabels, name.count <= 253 else {
            throw InvalidSetting(
                "must be a name without a port (api.internal), *.NAME for those below it, or *")
        }
        self = isBelow ? .below([0x2E] + name) : .name(name)
    }

    /// Whether `host`, a name without a port, is meant.
    func matches(_ host: Span<UInt8>) -> Bool {
        switch self {
        case .any: return true
        case .name(let name): return host.equalsIgnoringCase(name.span)
        case .below(let end):
            guard host.count > end.count else { return false }
            return host.extracting((host.count - end.count)..<host.count).equalsIgnoringCase(end.span)
        }
    }
}

extension HostPattern: CustomStringConvertible {
    /// The pattern as the configuration spells it.
    public var description: String {
        switch self {
        case .any: "*"
        case .name(let name): String(decoding: name, as: UTF8.self)
        case .below(let end): "*" + String(decoding: end, as: UTF8.self)
        }
    }
}
