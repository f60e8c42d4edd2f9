/// Recognises texts that stand for a key in examples, and were not replaced.
public enum CredentialPlaceholder {
    /// Texts that are a placeholder as a whole, without separators.
    private static let whole: Set<String> = [
        "key", "apikey", "token", "secret", "password", "credential", "accesstoken", "test", "dummy",
        "example",
        "sample", "foo", "bar", "foobar", "todo", "fixme", "none", "null", "undefined", "nil", "empty", "tbd",
    ]

    /// Texts that make a placeholder of whatever contains them, without separators.
    private static let parts = [
        "yourapikey", "youraccesstoken", "yoursecret", "yourtoken", "yourkey", "yourcredential",
        "yourpassword",
        "changeme", "changethis", "replaceme", "replacethis", "replacewith", "insertyour", "insertkey",
        "putyour", "enteryour", "pasteyour", "placeholder", "redacted", "apikeyhere", "keyhere", "tokenhere",
    ]

    /// Whether a credential looks like a placeholder rather than a key.
    public static func matches(_ credential: String) -> Bool {
        guard credential.utf8.count <= 256 else { return false }
        let text = credential.lowercased()
        if let first = text.first, let last = text.last, text.count > 2 {
            if "<[{".contains(first), ">]}".contains(last) { return true }
            // A variable that no program has replaced.
            if first == "$",
                text.dropFirst().allSatisfy({ $0.isLetter || $0.isNumber || "_{}()".contains($0) })
            {
                return true
            }
        }
        let letters = text.filter { $0.isLetter || $0.isNumber }
        if letters.isEmpty || whole.contains(letters) { return true }
        if parts.contains(where: { letters.contains($0) }) { return true }
        return isFiller(text)
    }

    /// Whether the longest part between separators is one character many times: `xxx`, `sk-xxxxxxxx`, `0000`.
    private static func isFiller(_ text: String) -> Bool {
        let words = text.split { !$0.isLetter && !$0.isNumber }
        guard let longest = words.max(by: { $0.count < $1.count }), longest.count >= 3 else { return false }
        return Set(longest).count == 1
    }
}
