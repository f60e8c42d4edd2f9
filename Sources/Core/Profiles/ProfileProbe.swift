public import Wire

/// A cheap authenticated request of a provider: its response shows whether a credential is valid.
public struct ProfileProbe: Sendable {
    /// The target behind the base URL, such as `/team`.
    public var path: String
    /// Where the response names the team or the account; `nil` if it does not.
    public var account: ValuePlace?

    /// A probe.
    public init(path: String, account: ValuePlace? = nil) {
        self.path = path
        self.account = account
    }

    /// The maximum length of ``path``, in bytes.
    static let pathLimit = 1024
    /// The maximum length of an account's name, in characters.
    static let nameLimit = 100

    /// Reads the request as a profile spells it: `GET /team`.
    ///
    /// - Throws: what is allowed. Only GET is: a probe must change nothing.
    public static func path(parsing text: String) throws(InvalidSetting) -> String {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 2, words[0] == "GET", words[1].hasPrefix("/") else {
            throw InvalidSetting("must be GET and a path, such as GET /account: a probe must change nothing")
        }
        let path = words[1]
        guard path.utf8.count <= pathLimit,
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"#{}*\\".utf8.contains($0) })
        else {
            throw InvalidSetting(
                "must have the path of one request as it is sent: visible ASCII without # { } * and \\, at most \(pathLimit) bytes"
            )
        }
        guard path.hasCompleteEscapes else {
            throw InvalidSetting("must have two hexadecimal digits behind each '%' of its path")
        }
        guard !RequestTarget.hasDotSegments(Array(path.utf8).span) else {
            throw InvalidSetting("must have a path without '.' and '..' steps")
        }
        return path
    }

    /// The name of the account in a response, without control characters; `nil` if there is none.
    public func accountName(fields: FieldBlock, body: [UInt8]) -> String? {
        guard let account else { return nil }
        let context = PlaceContext(json: JSONDocument(body), fields: fields, text: Text(body))
        guard let found = account.text(in: context).flatMap({ MessageText.clean($0) }) else { return nil }
        return String(found.string.prefix(Self.nameLimit))
    }
}
