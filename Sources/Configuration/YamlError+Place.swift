internal import Yams

extension YamlError {
    /// Where the text stops being YAML, line and column from 1; `nil` if the parser does not say.
    var place: (line: Int, column: Int)? {
        switch self {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
            return (mark.line, mark.column)
        case .duplicatedKeysInMapping(_, let context): return (context.mark.line, context.mark.column)
        case .reader(_, let offset?, _, let text):
            let lines = text.prefix(offset).split(
                omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            return (lines.count, (lines.last?.count ?? 0) + 1)
        default: return nil
        }
    }

    /// What is wrong, without the text around it: a secret may stand there.
    var problemText: String {
        switch self {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _),
            .reader(let problem, _, _, _):
            return problem
        case .duplicatedKeysInMapping(let keys, _):
            return "these keys stand there twice: "
                + YAMLValue.printable(keys.sorted().joined(separator: ", "))
        default: return "it cannot be read"
        }
    }
}
