/// What Weir knows about one provider: data, read from a profile file, immutable.
public struct Profile: Sendable {
    /// The name, such as `lettr`.
    public var name: String
    /// The base URL of the API; a profile for any provider has none.
    public var upstream: String?
    /// Where an app's request carries the credential, in the order in which they are tried.
    public var credentialPlaces: [CredentialPlace] = []
    /// Where Weir puts a credential that it holds itself.
    public var credentialInjection: CredentialPlace?
    /// How the provider's secrets begin, such as `lttr_`: redacted wherever a body shows one.
    public var secretPrefixes: [Text] = []
    /// The provider's rate limits.
    public var limits: [RateLimit] = []
    /// The requests that a used-up quota stops; empty if that is not known.
    public var quotaRequests: [RequestPattern] = []
    /// Fields that a request gets unless it has them, such as `Accept: application/json`.
    public var requestDefaults: [(name: String, value: String)] = []
    /// Which requests the provider performs only once per key.
    public var idempotency: Idempotency?
    /// Response fields that may hold the provider's id of the request, in order.
    public var requestIDFields: [Text] = []
    /// Where an answer says how long to wait, in order.
    public var waits: [WaitSource] = []
    /// The fields in which the provider tells the state of its rate limit.
    public var rateFields = RateFields()
    /// Where bodies hold what.
    public var reading = BodyReading()
    /// Members of the body that go into the problem unchanged.
    public var kept: [Text] = []
    /// The meaning of sentences about fields.
    public var fieldPhrases = FieldPhrases([])
    /// The rules, in order; the first that matches decides.
    public var rules: [Rule] = []
    /// Recorded answers and what becomes of them.
    public var cases: [ProfileCase] = []

    /// A profile that knows nothing but its name.
    public init(name: String) { self.name = name }

    /// Whether the provider performs this request only once when it carries an idempotency key.
    public func honoursIdempotencyKey(method: Text, path: Text) -> Bool {
        idempotency?.requests.contains { $0.matches(method: method, path: path) } ?? false
    }
}
