internal import Wire

/// Finds tokens after the name of an authentication scheme (RFC 9110 11.1) in a text, unless they are ordinary words.
enum AuthenticationScheme: CaseIterable {
    case basic
    case bearer
    case token
    case apiKey
    case apiKeyField
    case apiKeyParameter
    case apiKeyWords
    case digest
    case dpop
    case oauth
    case jwt
    case negotiate
    case ntlm
    case ssws
    case authorization

    private var name: StaticString {
        switch self {
        case .basic: "basic"
        case .bearer: "bearer"
        case .token: "token"
        case .apiKey: "apikey"
        case .apiKeyField: "api-key"
        case .apiKeyParameter: "api_key"
        case .apiKeyWords: "api key"
        case .digest: "digest"
        case .dpop: "dpop"
        case .oauth: "oauth"
        case .jwt: "jwt"
        case .negotiate: "negotiate"
        case .ntlm: "ntlm"
        case .ssws: "ssws"
        case .authorization: "authorization"
        }
    }

    /// The names of all schemes, in lower case.
    static let names = allCases.map { Array($0.name.description.utf8) }

    /// The maximum number of bytes between the name of a scheme and the token.
    private static let gapLimit = 12
    private static let longestWord = 64

    /// Words that may follow the name of a scheme in a sentence, or are a part of one that does.
    private static let words: Set<[UInt8]> = Set(
        """
        access account api app application auth authentication authenticator authorisation authorization authorized based challenge \
        client code credential credentials data description digest empty error expected expired expiry failed field format from \
        generation has header headers http id identifier information invalid issued issuer key keys login malformed method mismatch \
        missing must name not null only param parameter password plan realm redacted refresh rejected request required response revoked scheme \
        schemes scope scopes secret security session string subscription support token tokens type undefined unknown user username \
        validation value verification was with without
        """.split(separator: " ").map { Array($0.utf8) })

    /// Calls `body` with the range of each such token.
    static func forEachToken(in text: Span<UInt8>, _ body: (Range<Int>) -> Void) {
        var index = 0
        while index < text.count {
            guard let scheme = scheme(in: text, at: index) else {
                index += 1
                continue
            }
            index += scheme.name.utf8CodeUnitCount
            guard let (token, isSecret) = scheme.token(in: text, behind: index) else { continue }
            if isSecret { body(token) }
            // A word may be the name of the next scheme. A longer text is checked only once.
            if isSecret || token.count > longestWord { index = token.upperBound }
        }
    }

    /// Whether the byte may appear in a token: letters, digits, `-` and `_`.
    static func isTokenByte(_ byte: UInt8) -> Bool {
        byte.isASCIILetter || byte.isASCIIDigit || byte == 0x2D || byte == 0x5F
    }

    private static func scheme(in text: Span<UInt8>, at index: Int) -> AuthenticationScheme? {
        switch text[index].lowercasedASCII {
        case 0x61, 0x62, 0x64, 0x6A, 0x6E, 0x6F, 0x73, 0x74: break
        default: return nil
        }
        if index > 0, text[index - 1].isASCIILetter || text[index - 1].isASCIIDigit { return nil }
        let rest = text.extracting(index..<text.count)
        return allCases.first { rest.startsIgnoringCase(with: $0.name) }
    }

    /// The token after the scheme's name, which ends at `start`; `nil` if there is none.
    private func token(in text: Span<UInt8>, behind start: Int) -> (token: Range<Int>, isSecret: Bool)? {
        var first = start
        var hasEquals = false
        while first < text.count, first - start < Self.gapLimit {
            let length = Self.gapLength(text, at: first, isFirst: first == start)
            guard length > 0 else { break }
            if text[first] == 0x3D { hasEquals = true }
            first += length
        }
        guard first > start else { return nil }
        var end = first
        while end < text.count, Self.isToken68(text[end]) { end += 1 }
        let nameEnd = end
        while end < text.count, text[end] == 0x3D { end += 1 }
        if end == nameEnd + 1, Self.isParameter(text, first..<nameEnd) { return nil }
        while end > first, text[end - 1] == 0x2E { end -= 1 }
        guard end > first else { return nil }
        let token = text.extracting(first..<end)
        let isKnown =
            isSecret(token, isAssigned: hasEquals) && !Self.isProse(text, first..<end, isAssigned: hasEquals)
        return (first..<end, isKnown)
    }

    /// Whether the token is a word of a sentence that continues.
    private static func isProse(_ text: Span<UInt8>, _ token: Range<Int>, isAssigned: Bool) -> Bool {
        guard !isAssigned, token.count < 20, token.upperBound + 1 < text.count,
            text[token.upperBound] == 0x20,
            text[token.upperBound + 1].isASCIILetter
        else { return false }
        for index in token {
            let isLetter = text[index] &- 0x61 < 26 || index == token.lowerBound && text[index].isASCIILetter
            guard isLetter || text[index] == 0x2D else { return false }
        }
        return true
    }

    /// Whether the name before an equals sign is that of a parameter with a value: `realm="x"`.
    private static func isParameter(_ text: Span<UInt8>, _ name: Range<Int>) -> Bool {
        guard name.count <= 24, name.upperBound + 1 < text.count else { return false }
        for index in name {
            guard text[index] &- 0x61 < 26 || text[index] == 0x5F || text[index] == 0x2D else { return false }
        }
        let next = text[name.upperBound + 1]
        return next == 0x22 || next == 0x27 || next == 0x5C || next == 0x2F || isTokenByte(next)
    }

    /// How many bytes form a separator between the name and the token: whitespace in any encoding of a form or a
    /// list, or a quotation mark; 0 for anything else.
    private static func gapLength(_ text: Span<UInt8>, at index: Int, isFirst: Bool) -> Int {
        switch text[index] {
        case 0x20, 0x09...0x0D, 0x2B, 0x3A, 0x3D, 0x28, 0x3C, 0x5B, 0x7B: return 1
        case 0x22, 0x27, 0x60, 0x2A: return isFirst ? 0 : 1
        case 0xC2 where index + 1 < text.count:
            // A blank that breaks no line, or a quotation mark.
            return text[index + 1] == 0xA0 ? 2 : text[index + 1] == 0xAB && !isFirst ? 2 : 0
        case 0xE2 where index + 2 < text.count && text[index + 1] == 0x80:
            switch text[index + 2] {
            case 0x80...0x8D, 0xA8, 0xA9, 0xAF: return 3
            case 0x98...0x9F, 0xB9: return isFirst ? 0 : 3
            default: return 0
            }
        case 0xE3 where index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] == 0x80: return 3
        default: return 0
        }
    }

    private static func isToken68(_ byte: UInt8) -> Bool {
        isTokenByte(byte) || byte == 0x2E || byte == 0x7E || byte == 0x2B || byte == 0x2F
    }

    /// - Parameter isAssigned: whether an equals sign precedes the token.
    private func isSecret(_ token: Span<UInt8>, isAssigned: Bool) -> Bool {
        var hasDigit = false
        var lower = 0
        var upper = 0
        for index in 0..<token.count {
            if token[index].isASCIIDigit { hasDigit = true }
            if token[index] &- 0x61 < 26 { lower += 1 }
            if token[index] &- 0x41 < 26 { upper += 1 }
        }
        if !hasDigit, Self.isPhrase(token) { return false }
        // Upper case occurs beyond the first letter of a word, but not everywhere.
        let isMixed = upper > 1 && lower > 0 || upper == 1 && !(token[0] &- 0x41 < 26)
        switch self {
        case .basic:
            if Self.isPair(token, minimum: hasDigit || token[token.count - 1] == 0x3D ? 4 : 8) { return true }
            return token.count >= 8 && (hasDigit || isMixed)
        case .bearer: return token.count >= 8 || token.count >= 4 && (hasDigit || isMixed)
        default: return token.count >= 8 && (hasDigit || isMixed || isAssigned || token.count >= 20)
        }
    }

    /// Whether the token consists of words, at least one of which is known to follow a scheme's name.
    private static func isPhrase(_ token: Span<UInt8>) -> Bool {
        var word: [UInt8] = []
        var isKnown = token.count == 0
        for index in 0...token.count {
            let byte = index < token.count ? token[index] : 0x2D
            if byte.isASCIILetter {
                word.append(byte.lowercasedASCII)
                continue
            }
            // No word ends with equals signs.
            if byte == 0x3D { return false }
            if words.contains(word) { isKnown = true }
            word.removeAll(keepingCapacity: true)
        }
        return isKnown
    }

    /// Whether the token is base 64 of a user and a password, or of something typed instead.
    private static func isPair(_ token: Span<UInt8>, minimum: Int) -> Bool {
        guard token.count >= minimum, let pair = Base64.decode(token), pair.count >= 3,
            String(validating: pair, as: UTF8.self) != nil,
            pair.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return false }
        return pair.contains(0x3A) || token.count >= 8
    }
}
