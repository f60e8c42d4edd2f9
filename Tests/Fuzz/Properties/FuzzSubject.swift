/// A parser of bytes that others wrote, with what must hold for any of them.
///
/// A property that does not hold traps: the fuzzer finds the input, a test fails. The inputs that a subject starts from are the files
/// of `Tests/Fuzz/Corpus/<rawValue>`.
public enum FuzzSubject: String, CaseIterable, Sendable {
    /// A provider's answer to the problem that it becomes.
    case normaliser
    /// The fields that tell how long to wait and what is left of a limit.
    case rateFields = "rate-fields"
    /// What a provider sends over a connection of HTTP/1.1.
    case response
    /// A request's line and fields, and what of them goes to the provider.
    case request
    /// What a client sends, requests and their bodies.
    case requests
    /// Fields whose value is a list or carries a credential.
    case credential
    /// `Content-Encoding`, lies and bombs included.
    case contentCoding = "content-coding"
    /// `Content-Encoding` and the character set of an error, together.
    case bodyText = "body-text"
    /// What a Redis server sends.
    case replies
    /// JSON, in and out.
    case json
    /// A JSONPath, and a document.
    case path
    /// A configuration file.
    case configuration
    /// A profile file.
    case profile
    /// A profile file, and a body to which it is applied.
    case language
    /// A regular expression of a profile, and a text.
    case pattern
    /// A secret, and a text in which a provider may repeat it.
    case redactor
    /// The trace that a client names, and what a collector answers.
    case trace

    /// Feeds the parser with `input` and traps if one of its promises is broken.
    public func check(_ input: [UInt8]) {
        switch self {
        case .normaliser: NormaliserProperties.check(input)
        case .rateFields: RateFieldProperties.check(input)
        case .response: ResponseProperties.check(input)
        case .request: RequestProperties.check(input)
        case .requests: ScannerProperties.check(input)
        case .credential: CredentialProperties.check(input)
        case .contentCoding: ContentCodingProperties.check(input)
        case .bodyText: BodyTextProperties.check(input)
        case .replies: ReplyProperties.check(input)
        case .json: JSONProperties.check(input)
        case .path: PathProperties.check(input)
        case .configuration: ConfigurationProperties.check(input)
        case .profile: ProfileProperties.check(input)
        case .language: LanguageProperties.check(input)
        case .pattern: PatternProperties.check(input)
        case .redactor: RedactorProperties.check(input)
        case .trace: TraceProperties.check(input)
        }
    }
}
