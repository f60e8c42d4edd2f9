public import Wire

/// A recorded response and the expected result.
public struct ProfileCase: Sendable {
    /// The expected result of a response; absent values are not compared.
    public struct Expectation: Sendable {
        /// The code.
        public var code: ProblemCode
        /// Whether the same request may succeed later.
        public var isTransient: Bool
        /// The fields in order: name and message.
        public var fields: [(field: String, detail: String)] = []
        /// Seconds to wait; none if absent.
        public var retryAfter: Int?
        /// Whether the side effect was performed.
        public var effect: Effect?
        /// The status sent.
        public var status: Int?

        /// An expectation.
        public init(code: ProblemCode, isTransient: Bool) {
            self.code = code
            self.isTransient = isTransient
        }
    }

    /// The identifier, such as `lettr-032`.
    public var id: String
    /// A description.
    public var name: String
    /// The request, as method and path.
    public var request: (method: String, path: String) = ("GET", "/")
    /// The answer's status.
    public var status: Int
    /// The answer's fields.
    public var fields = FieldBlock()
    /// The response's body, content-coded as its fields say.
    public var body: [UInt8] = []
    /// Whether it must come out as recorded with every profile, if it is a case of the generic one.
    public var isEverywhere = true
    /// What it becomes; `nil`: it passes untouched.
    public var expectation: Expectation?

    /// Where it is from, for people.
    public var source: String?
    /// How certain it is: `observed_live`, `documented`, `inferred`.
    public var confidence: String?

    /// A case.
    public init(id: String, name: String, status: Int) {
        self.id = id
        self.name = name
        self.status = status
    }

    /// Adds a field to the response.
    public mutating func addField(_ name: String, _ value: String) { fields.append(name, value) }

    /// The answer.
    ///
    /// - Parameter decode: decodes content codings.
    public func answer(decode: (_ body: [UInt8], _ coding: String) -> [UInt8]) -> ProviderAnswer {
        let coding = fields.list("Content-Encoding")
        return ProviderAnswer(status: status, fields: fields, body: coding.map { decode(body, $0) } ?? body)
    }

    /// Compares the result of a profile with the expected one.
    ///
    /// - Returns: the differences, one sentence each; empty if there are none.
    public func run(
        with normalizer: ErrorNormalizer, decode: (_ body: [UInt8], _ coding: String) -> [UInt8]
    ) -> [String] {
        run(with: normalizer, on: answer(decode: decode))
    }

    /// The same for a response whose body has been decoded already.
    public func run(with normalizer: ErrorNormalizer, on answer: ProviderAnswer) -> [String] {
        let facts = RequestFacts(method: request.method, path: request.path)
        let error = normalizer.normalize(answer, of: facts, at: Int64(Self.clock))
        switch (error, expectation) {
        case (nil, nil): return []
        case (let error?, nil): return ["became \(error.code.name), should pass untouched"]
        case (nil, _?): return ["passed untouched, should be an error"]
        case (let error?, let expectation?): return Self.differences(error, expectation)
        }
    }

    /// The approximate time at which cases without `Date` were recorded: 2026-11-20.
    static let clock = 1_795_132_800

    private static func differences(_ error: NormalizedError, _ expected: Expectation) -> [String] {
        var found: [String] = []
        func compare<Value: Equatable>(_ name: String, _ value: Value, _ wanted: Value) {
            if value != wanted { found.append("\(name) is \(value), should be \(wanted)") }
        }
        compare("code", error.code.name, expected.code.name)
        compare("transient", error.isTransient, expected.isTransient)
        compare("fields", error.fields.map(\.field.string), expected.fields.map(\.field))
        compare("details", error.fields.map { $0.detail?.string ?? "" }, expected.fields.map(\.detail))
        let wait = error.retryAfter.map { "\($0) s" } ?? "absent"
        compare("retry_after", wait, expected.retryAfter.map { "\($0) s" } ?? "absent")
        if let effect = expected.effect { compare("effect", error.effect.rawValue, effect.rawValue) }
        if let status = expected.status { compare("status", error.status, status) }
        return found
    }
}
