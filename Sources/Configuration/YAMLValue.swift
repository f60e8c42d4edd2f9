/// Resolves the `${…}` references of a file; both functions return `nil` for a missing target.
public struct Surroundings: Sendable {
    /// The value of an environment variable.
    public var variable: @Sendable (String) -> String?
    /// The contents of a file.
    public var file: @Sendable (String) -> String?
    /// Why a certificate and a key, both PEM, cannot be used; `nil` if they can.
    public var identityMistake: @Sendable (_ certificate: String, _ key: String) -> String?

    /// Why certificate authorities, PEM, cannot be used; `nil` if they can.
    public var authorityMistake: @Sendable (_ authorities: String) -> String?

    /// Resolves variables and files with these closures.
    public init(
        variable: @escaping @Sendable (String) -> String?, file: @escaping @Sendable (String) -> String?,
        identityMistake: @escaping @Sendable (String, String) -> String? = { _, _ in nil },
        authorityMistake: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.authorityMistake = authorityMistake
        self.variable = variable
        self.file = file
        self.identityMistake = identityMistake
    }

    /// No references: for files that must not contain any, such as the built-in profiles.
    public static let none = Surroundings(variable: { _ in nil }, file: { _ in nil })
}

/// The shared state of reading a file: its name, its surroundings, and the mistakes found so far.
final class YAMLReading {
    let file: String
    let surroundings: Surroundings
    private(set) var mistakes: [ConfigurationMistake] = []
    /// Enough for any user; a file of another kind could have a mistake on each of its lines.
    private static let maximumMistakes = 100

    init(file: String, surroundings: Surroundings) {
        self.file = file
        self.surroundings = surroundings
    }

    func report(_ reason: String, key: String, line: Int, column: Int) {
        guard mistakes.count < Self.maximumMistakes else { return }
        mistakes.append(
            ConfigurationMistake(file: file, line: line, column: column, key: key, reason: reason))
    }

    /// Parses `text`; a syntax error is reported as one mistake, and returns `nil`.
    func parse(_ text: String) -> YAMLValue? {
        do {
            guard let node = try YAMLNode(parsing: text) else { return nil }
            return YAMLValue(node: node, key: "", reading: self)
        } catch {
            report("is not YAML: \(error.problem)", key: "", line: error.line, column: error.column)
            return nil
        }
    }

    /// Throws `others` and the reported mistakes, in the order of the file.
    func throwMistakes(after others: [ConfigurationMistake] = []) throws(ConfigurationMistakes) {
        guard !mistakes.isEmpty || !others.isEmpty else { return }
        throw ConfigurationMistakes(
            all: others
                + mistakes.sorted {
                    ($0.line, $0.column, $0.key, $0.reason) < ($1.line, $1.column, $1.key, $1.reason)
                })
    }
}

/// A value of a YAML file with its position: each accessor reports a mistake instead of throwing, and continues.
struct YAMLValue {
    let node: YAMLNode
    let key: String
    let reading: YAMLReading

    /// Reports that this value is invalid.
    func report(_ reason: String) {
        reading.report(reason, key: key, line: node.line, column: node.column)
    }

    /// The text as written in the file, for a message: the target of a reference may be a secret.
    var quoted: String {
        guard let text = node.text else { return described }
        return "'\(Self.printable(text))'"
    }

    /// `text` cut to a length that fits on a line, without control characters, and without what may be a secret of a URL.
    static func printable(_ text: String) -> String {
        let text = withoutURLSecrets(text)
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(80) {
            let isControl = scalar.properties.generalCategory == .control
            shown.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(shown) + (text.unicodeScalars.count > 80 ? "…" : "")
    }

    /// `text` without the user and password of a URL, and without its query: they may be secret, whatever key they stand at by mistake.
    private static func withoutURLSecrets(_ text: String) -> String {
        let mark = text.firstRange(of: "://")
        var start = text.startIndex
        if let mark { start = mark.upperBound }
        var shown = text
        if let at = text[start...].lastIndex(of: "@"), mark != nil || text[..<at].contains(":") {
            shown = text[..<start] + "…" + text[at...]
        }
        if mark != nil, let query = shown.firstIndex(of: "?") {
            shown = shown[...query] + "…"
        }
        return shown
    }

    /// What `parse` makes of each element; one that equals an earlier one is reported.
    func distinct<Element: Hashable>(
        _ values: [YAMLValue], _ parse: (YAMLValue) -> Element?
    ) -> [Element] {
        var places: [Element: YAMLValue] = [:]
        return values.compactMap { value in
            guard let element = parse(value) else { return nil }
            if let first = places[element] {
                value.report("\(value.quoted) is a duplicate (first at line \(first.node.line))")
                return nil
            }
            places[element] = value
            return element
        }
    }

    /// The members of a mapping whose keys are all among `allowed`; reports unknown and repeated keys.
    ///
    /// Pass `nil` if the user chooses the keys.
    func members(allowed: [String]?) -> [(name: String, value: YAMLValue)] {
        guard case .mapping(let mapping) = node.content else {
            report("must be a mapping (`key: value` lines), not \(described)")
            return []
        }
        var firstLines: [String: Int] = [:]
        var members: [(name: String, value: YAMLValue)] = []
        for (keyNode, valueNode) in mapping {
            let name = keyNode.text ?? ""
            let path = (key.isEmpty ? "" : "\(key).") + Self.printable(name)
            let keyValue = YAMLValue(node: keyNode, key: path, reading: reading)
            if name.isEmpty {
                keyValue.report("a key must be a non-empty string")
            } else if let allowed, !allowed.contains(name) {
                keyValue.report("unknown key; allowed: \(allowed.joined(separator: ", "))")
            } else if let line = firstLines[name] {
                keyValue.report("duplicate key (first defined at line \(line))")
            } else {
                firstLines[name] = keyNode.line
                members.append((name, YAMLValue(node: valueNode, key: path, reading: reading)))
            }
        }
        return members
    }

    /// The value of a key, without reporting anything; `nil` if there is none.
    func member(_ name: String) -> YAMLValue? {
        guard case .mapping(let mapping) = node.content,
            let member = mapping.first(where: { $0.key.text == name })
        else { return nil }
        return YAMLValue(node: member.value, key: key.isEmpty ? name : "\(key).\(name)", reading: reading)
    }

    /// Whether this is a scalar without quotes.
    var isUnquoted: Bool { node.plainText != nil }

    /// The text of a scalar as it is written, of which nothing is reported; `nil` for anything else.
    var plainText: String? { node.text }

    /// Whether this is a mapping with one of these keys.
    func hasKey(in names: [String]) -> Bool {
        guard case .mapping(let mapping) = node.content else { return false }
        return mapping.contains { names.contains($0.key.text ?? "") }
    }

    /// The members of a mapping that must have some: one without would mean the same as no key.
    func filledMembers(allowed: [String]?) -> [(name: String, value: YAMLValue)] {
        if case .mapping(let mapping) = node.content, mapping.isEmpty {
            let kinds = allowed.map { "; allowed: \($0.joined(separator: ", "))" } ?? ""
            report("must not be empty\(kinds)")
        }
        return members(allowed: allowed)
    }

    /// The elements of a sequence that must not be empty.
    var filledElements: [YAMLValue] {
        let elements = elements
        if isSequence, elements.isEmpty { report("must have at least one element, or be left out") }
        return elements
    }

    /// The elements of a sequence.
    var elements: [YAMLValue] {
        guard case .sequence(let sequence) = node.content else {
            report("must be a list, not \(described)")
            return []
        }
        return sequence.enumerated().map { index, node in
            YAMLValue(node: node, key: "\(key)[\(index)]", reading: reading)
        }
    }

    /// Whether this is a sequence.
    var isSequence: Bool { if case .sequence = node.content { true } else { false } }

    /// Whether this is a mapping.
    var isMapping: Bool { if case .mapping = node.content { true } else { false } }

    /// Whether the file contains `null`, `~` or nothing.
    var isNull: Bool { node.isNull }

    /// The text of a scalar with `${VAR}` and `${file:PATH}` replaced; a missing target is a mistake, and so is
    /// `null`.
    var string: String? {
        guard !isNull else {
            report("must be a string, not empty")
            return nil
        }
        return scalarText
    }

    /// The path of the file whose content is the whole value: `${file:PATH}`; `nil` for any other value.
    var wholeFile: String? {
        guard let text = node.text, text.hasPrefix("${file:"), text.hasSuffix("}") else { return nil }
        let path = text.dropFirst("${file:".count).dropLast()
        return path.isEmpty || path.contains("}") ? nil : String(path)
    }

    /// The text of a scalar like ``string``, but empty for `null`: for values that cannot be empty, whose own mistake
    /// names what is allowed.
    var scalarText: String? {
        guard let text = node.text else {
            report("must be a string, not \(described)")
            return nil
        }
        return isNull ? "" : expand(text)
    }

    /// Whether the file contains an unquoted number other than a plain integer: `1.5`, `1e3`, `.inf`, `0x1F`, `0o17`,
    /// `007`.
    var isSpecialNumber: Bool {
        guard let text = node.plainText else { return false }
        let isNegative = text.hasPrefix("-")
        let number = isNegative || text.hasPrefix("+") ? text.dropFirst() : Substring(text)
        guard [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(number) || Self.isNumber(number)
        else {
            return false
        }
        let isWhole = number.utf8.allSatisfy { (0x30...0x39).contains($0) }
        return !isWhole || text.hasPrefix("+") || number.count > 1 && number.hasPrefix("0")
    }

    /// Whether a text without a sign is a number in YAML 1.1, other than infinite ones: `1_000`, `0x1F`, `0o17`, `0b1`, `1:30`, `1.5e3`.
    private static func isNumber(_ text: Substring) -> Bool {
        let digits = text.filter { $0 != "_" }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            return Int(digits.dropFirst(2), radix: radix) != nil
        }
        guard let first = digits.utf8.first, (0x30...0x39).contains(first) || first == UInt8(ascii: ".")
        else {
            return false
        }
        if digits.contains(":") {
            return digits.split(separator: ":", omittingEmptySubsequences: false).allSatisfy {
                Double($0) != nil
            }
        }
        return Double(digits) != nil
    }

    /// The text of a scalar that may not be empty.
    var nonEmptyString: String? {
        guard let text = scalarText else { return nil }
        guard !text.isEmpty else {
            report("must not be empty")
            return nil
        }
        return text
    }

    /// A whole number within `range`.
    func integer(_ range: ClosedRange<Int>) -> Int? {
        guard let text = scalarText else { return nil }
        guard let value = Int(text), range.contains(value) else {
            report("\(quoted) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// `on` or `off` (also `true`, `false`, `yes`, `no`).
    var boolean: Bool? {
        guard let text = scalarText else { return nil }
        switch text.lowercased() {
        case "on", "true", "yes": return true
        case "off", "false", "no": return false
        default:
            report("\(quoted) must be on or off")
            return nil
        }
    }

    /// One of the names of `choices`.
    func choice<Choice>(_ choices: [(name: String, value: Choice)]) -> Choice? {
        guard let text = scalarText else { return nil }
        if let found = choices.first(where: { $0.name == text }) { return found.value }
        report("\(quoted) is not one of: \(choices.map(\.name).joined(separator: ", "))")
        return nil
    }

    /// A duration within `range`: a number with its unit, `ms`, `s`, `m`, `h` or `d`, such as `250ms` or `1.5s`.
    func duration(_ range: ClosedRange<Duration>) -> Duration? {
        scalarText.flatMap { duration($0, in: range) }
    }

    /// The duration in `text`, the text of this value.
    ///
    /// - Parameter alternative: what else is allowed, for the mistake.
    func duration(_ text: String, in range: ClosedRange<Duration>, alternative: String = "") -> Duration? {
        let allowed =
            "must be a time from \(Self.spell(range.lowerBound)) to \(Self.spell(range.upperBound)), "
            + "with its unit: 250ms, 1.5s, 10m, 1h, 1d\(alternative)"
        guard let value = Self.parseDuration(text), range.contains(value) else {
            report("\(quoted) \(allowed)")
            return nil
        }
        return value
    }

    /// A number of bytes within `range`: a whole number, optionally with `KiB`, `MiB` or `GiB`, such as `64KiB`.
    func byteCount(_ range: ClosedRange<Int>) -> Int? {
        guard let text = scalarText else { return nil }
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)]
        let unit = units.first { text.hasSuffix($0.0) }
        let digits = text.dropLast(unit?.0.count ?? 0)
        if digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits) {
            let (value, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? 1)
            if !overflow, range.contains(value) { return value }
        }
        report(
            "\(quoted) must be a size from \(Self.spell(bytes: range.lowerBound)) to "
                + "\(Self.spell(bytes: range.upperBound)), such as 4096, 64KiB or 16MiB")
        return nil
    }

    /// What this value is, for a message.
    private var described: String {
        switch node.content {
        case .scalar(let text, _): return text.isEmpty ? "nothing" : "a single value"
        case .mapping: return "a mapping"
        case .sequence: return "a list"
        }
    }

    private func expand(_ text: String) -> String? {
        guard text.contains("${") else { return text }
        var result = ""
        var rest = Substring(text)
        while let start = rest.firstRange(of: "${") {
            result += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                report("'${' has no '}'")
                return nil
            }
            let name = String(rest[start.upperBound..<end])
            guard let value = look(up: name) else { return nil }
            result += value
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private func look(up name: String) -> String? {
        if name.hasPrefix("file:") {
            let path = String(name.dropFirst(5))
            guard var contents = reading.surroundings.file(path) else {
                report("${\(Self.printable(name))}: the file cannot be read")
                return nil
            }
            // A secret in a file usually ends with an unintended newline.
            while contents.last?.isNewline == true { contents.removeLast() }
            return contents
        }
        guard let value = reading.surroundings.variable(name) else {
            report("${\(Self.printable(name))}: the environment variable is not set")
            return nil
        }
        return value
    }

    private static func parseDuration(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]
        // Without sign, exponent and hexadecimal digits, which Double would accept.
        guard let unit = units.first(where: { text.hasSuffix($0.0) }),
            text.dropLast(unit.0.count).utf8.allSatisfy({
                (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".")
            }),
            let number = Double(text.dropLast(unit.0.count)), number.isFinite, number < 1e9
        else { return nil }
        let nanoseconds = (number * unit.1 * 1e9).rounded()
        return nanoseconds < 9e18 ? .nanoseconds(Int64(nanoseconds)) : nil
    }

    /// A size as a user writes it.
    static func spell(bytes: Int) -> String {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where bytes != 0 && bytes % size == 0 {
            return "\(bytes / size)\(unit)"
        }
        return "\(bytes) bytes"
    }

    /// A duration as a user writes it.
    static func spell(_ duration: Duration) -> String {
        let milliseconds =
            duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)]
            as [(String, Int64)]
        where milliseconds != 0 && milliseconds % length == 0 {
            return "\(milliseconds / length)\(unit)"
        }
        return "\(milliseconds)ms"
    }
}

/// One mistake in a configuration or profile file: its position, what is wrong, and what is allowed.
public struct ConfigurationMistake: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as the user named it, or the flag or environment variable.
    public var file: String
    /// The line, from 1; 0 for a flag or an environment variable.
    public var line: Int
    /// The column, from 1; 0 with the line.
    public var column: Int
    /// The dotted path of the key, such as `providers.lettr.max_wait`; empty for the whole file.
    public var key: String
    /// What is wrong, the value, and what is allowed.
    public var reason: String

    /// A mistake at a position.
    public init(file: String, line: Int, column: Int, key: String, reason: String) {
        self.file = file
        self.line = line
        self.column = column
        self.key = key
        self.reason = reason
    }

    /// `FILE:LINE:COL: key.path: reason`, or `--flag: reason`.
    public var description: String {
        let place = line == 0 ? "\(file): " : "\(file):\(line):\(column): "
        return key.isEmpty ? place + reason : "\(place)\(key): \(reason)"
    }
}

extension ConfigurationMistake {
    /// A mistake of a whole file, which cannot be read.
    public init(file: String, reason: String) {
        self.init(file: file, line: 0, column: 0, key: "", reason: reason)
    }
}

/// All mistakes of one or more files: the readers continue after a mistake, so that a user sees all of them at once.
public struct ConfigurationMistakes: Error, Sendable, CustomStringConvertible {
    /// The mistakes, in the order of the files and lines.
    public var all: [ConfigurationMistake]

    /// These mistakes.
    public init(all: [ConfigurationMistake]) { self.all = all }

    /// One mistake per line.
    public var description: String { all.map(\.description).joined(separator: "\n") }
}
