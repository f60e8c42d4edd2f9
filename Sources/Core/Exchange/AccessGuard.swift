internal import Wire

/// Tokens with which callers may use Weir; each is as good as the others, so that one can replace another.
public struct AccessTokens: Hashable, Sendable {
    private let tokens: [Secret]

    /// The field in which a caller presents its token: `Authorization` is the provider's.
    ///
    /// It is never forwarded; see ``FieldRules``.
    public static let field = "X-Weir-Token"
    /// The most tokens.
    public static let maximum = 8
    /// The valid lengths of a token, in bytes: a shorter one could be guessed.
    public static let lengths = 16...1024

    /// These tokens; without any, nothing is required.
    public init(_ tokens: [Secret] = []) { self.tokens = tokens }

    /// Whether there is no token.
    public var isEmpty: Bool { tokens.isEmpty }

    /// These tokens and those of `other`.
    public func union(_ other: AccessTokens) -> AccessTokens { AccessTokens(tokens + other.tokens) }

    /// Whether `text` is one of the tokens.
    ///
    /// The time depends on the lengths, not on how much of a token is right: it cannot be found byte by byte.
    public func contains(_ text: Span<UInt8>) -> Bool {
        var isKnown = false
        for secret in tokens {
            let token = secret.value.utf8.span
            var difference = UInt8(text.count == token.count ? 0 : 1)
            for index in 0..<token.count {
                difference |= token[index] ^ (index < text.count ? text[index] : 0)
            }
            if difference == 0 { isKnown = true }
        }
        return isKnown
    }
}

/// Rejects requests of callers without a token.
public struct AccessGuard: Sendable {
    private let tokens: AccessTokens
    private let allowsBearer: Bool
    private var presented = 0
    private var isKnown = false

    /// A guard that has seen no field.
    ///
    /// - Parameter allowsBearer: whether `Authorization: Bearer` may have the token as well, as scrapers send it: only where no request is
    ///   forwarded.
    public init(_ tokens: AccessTokens, allowsBearer: Bool) {
        self.tokens = tokens
        self.allowsBearer = allowsBearer
    }

    /// Inspects one field of the request.
    public mutating func take(name: Span<UInt8>, value: Span<UInt8>) {
        switch name.count {
        case 12: if name.equalsIgnoringCase("x-weir-token") { take(value) }
        case 13:
            guard allowsBearer, name.equalsIgnoringCase("authorization"),
                value.startsIgnoringCase(with: "bearer ")
            else { return }
            take(value.extracting(7..<value.count))
        default: break
        }
    }

    private mutating func take(_ token: Span<UInt8>) {
        presented += 1
        isKnown = tokens.contains(token.extracting(token.trimmedRange))
    }

    /// Why the request is rejected, or `nil`; to be called after the last field.
    ///
    /// - Parameter key: the configuration's key of the tokens.
    public func refusal(key: StaticString) -> Fault? {
        if presented == 1, isKnown { return nil }
        let reason =
            switch presented {
            case 0: "\(AccessTokens.field) is missing"
            case 1: "\(AccessTokens.field) has another token"
            default: "there is more than one token"
            }
        var fault = Fault(
            .badClientRequest, detail: Text("A token is required (`\(key)`), and \(reason)."),
            effect: Effect.none, proxyError: .httpRequestDenied)
        // Not 401: its challenge would be about Authorization, which is the provider's.
        fault.status = 403
        return fault
    }
}
