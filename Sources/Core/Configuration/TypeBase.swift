/// What the URI of a problem's type begins with.
public enum TypeBase {
    /// Whether `text` is a path, or a URL with a host and perhaps a port; two slashes at the start would name a host.
    public static func isValid(_ text: String) -> Bool {
        guard text.hasCompleteEscapes else { return false }
        guard let mark = text.firstRange(of: "://") else {
            return text.hasPrefix("/") && !text.hasPrefix("//")
        }
        let rest = text[mark.upperBound...]
        return (try? Authority(parsing: rest.prefix { $0 != "/" })) != nil
    }
}
