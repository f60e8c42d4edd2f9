/// What the meaning of an answer depends on in the request.
public struct RequestFacts: Sendable {
    /// The method.
    public var method: Text
    /// The path at the provider, behind its base URL; a query behind it does no harm.
    public var path: Text
    /// Whether repeating the method does no more than doing it once (RFC 9110 9.2.2).
    public var isIdempotent: Bool
    /// Whether the request carries an idempotency key, in the field that the profile names.
    public var hasIdempotencyKey: Bool
    /// The credential, redacted where the provider echoes it; shorter than 8 bytes is too short to be told
    /// from other text.
    public var credential: [UInt8]?
    /// What else of the request authenticates it, redacted in the same way.
    public var otherSecrets: [[UInt8]] = []
    /// What hides the secrets of the request, if that is known already: then those two do not matter.
    public var redactor: SecretRedactor?

    /// The facts.
    public init(
        method: Text, path: Text, isIdempotent: Bool, hasIdempotencyKey: Bool = false,
        credential: [UInt8]? = nil, redactor: SecretRedactor? = nil
    ) {
        self.method = method
        self.path = path
        self.isIdempotent = isIdempotent
        self.hasIdempotencyKey = hasIdempotencyKey
        self.credential = credential
        self.redactor = redactor
    }

    /// The facts of a request of which only the line is known.
    public init(method: String, path: String, hasIdempotencyKey: Bool = false) {
        let idempotent = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]
        self.init(
            method: Text(method), path: Text(path), isIdempotent: idempotent.contains(method),
            hasIdempotencyKey: hasIdempotencyKey)
    }
}
