internal import Core

/// The key of a request to lemlist.
struct LemlistCredential: Sendable, Equatable {
    /// The key, as sent.
    var key: String
    /// Whether it opens the team.
    var isAccepted: Bool

    /// Finds the key: the password of Basic, or `access_token`.
    ///
    /// - Returns: `nil` without one; other schemes and Basic without a colon count as none.
    init?(_ request: ImitationRequest) {
        if let token = request.parameter("access_token"), !token.isEmpty {
            self.init(key: token, isAccepted: token == LemlistImitation.key)
            return
        }
        guard let encoded = request.credential("basic"), let bytes = Base64.decode(Array(encoded.utf8).span),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon + 1 < bytes.count
        else { return nil }
        let key = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
        self.init(key: key, isAccepted: colon == 0 && key == LemlistImitation.key)
    }

    private init(key: String, isAccepted: Bool) {
        self.key = key
        self.isAccepted = isAccepted
    }
}
