/// One mistake in a configuration or profile file: where it is, what is wrong, and what is allowed.
public struct ConfigurationMistake: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as the user named it, or the flag or environment variable.
    public var file: String
    /// The line, from 1; 0 where there are no lines: a flag, an environment variable.
    public var line: Int
    /// The column, from 1; 0 with the line.
    public var column: Int
    /// The dotted path of the key, such as `providers.lettr.max_wait`; empty for the whole file.
    public var key: String
    /// What is wrong, with which value, and what is allowed.
    public var reason: String

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

/// All mistakes of one or more files: whoever reads on collects them, so that a user sees all of them at once.
public struct ConfigurationMistakes: Error, Sendable, CustomStringConvertible {
    /// The mistakes, in the order of the files and lines.
    public var all: [ConfigurationMistake]

    /// These mistakes.
    public init(all: [ConfigurationMistake]) { self.all = all }

    /// One mistake a line.
    public var description: String { all.map(\.description).joined(separator: "\n") }
}
