/// The text of a credential, as a file has it.
public enum CredentialText {
    /// The longest credential, in bytes.
    public static let limit = 4096

    /// Whether a text can be sent as a credential: visible ASCII, without blanks.
    public static func isValid(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= limit && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The credential that is the content of a file, without the line end behind it; `nil` if it is none.
    public static func credential(inFile content: [UInt8]) -> Secret? {
        var bytes = content[...]
        while bytes.last == 0x0A || bytes.last == 0x0D { bytes.removeLast() }
        let text = String(decoding: bytes, as: UTF8.self)
        return isValid(text) ? Secret(text) : nil
    }
}
