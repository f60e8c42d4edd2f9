/// The simulated providers' check of e-mail addresses.
enum EmailAddress {
    /// Whether `text` is plausible: a local part, an `@`, and a host name with a dot.
    static func isValid(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, text.utf8.count <= 254 else { return false }
        return !text.utf8.contains { $0 <= 0x20 || $0 == 0x7F || $0 == 0x2C } && isHostName(parts[1])
    }

    /// Whether `text` is a host name of two labels or more.
    static func isHostName(_ text: some StringProtocol) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, text.utf8.count <= 253 else { return false }
        return labels.allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy {
                    $0 == 0x2D || $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 >= 0x80
                }
        }
    }

    /// The part before the `@`.
    static func localPart(_ text: String) -> Substring { text.prefix { $0 != "@" } }

    /// The part after the `@`.
    static func domain(_ text: String) -> Substring { text.split(separator: "@").last ?? "" }
}
