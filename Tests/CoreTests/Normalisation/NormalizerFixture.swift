import Core
import TestSupport
import Testing
import Wire

/// One answer given to one built-in profile.
struct NormalizerFixture {
    var profile = "generic"
    var method = "GET"
    var path = "/things"
    var status = 400
    var fields: [(String, String)] = []
    var body: [UInt8] = []
    var hasIdempotencyKey = false
    var credential: [UInt8]?
    var isTruncated = false
    var clock: Int64 = 1_795_132_800
    /// The limits in force; the profile's if nothing is said.
    var limits: [RateLimit]?

    init(_ profile: String = "generic", _ status: Int, _ body: String = "", fields: [(String, String)] = []) {
        self.profile = profile
        self.status = status
        self.body = Array(body.utf8)
        self.fields = fields
    }

    /// What passes untouched.
    func result() throws -> NormalizedError? {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name, value) }
        var facts = RequestFacts(method: method, path: path, hasIdempotencyKey: hasIdempotencyKey)
        facts.credential = credential
        let answer = ProviderAnswer(status: status, fields: block, body: body, isTruncated: isTruncated)
        var normalizer = try BuiltInProfiles.normalizer(profile)
        if let limits { normalizer = ErrorNormalizer(profile: normalizer.profile, limits: limits) }
        return normalizer.normalize(answer, of: facts, at: clock)
    }

    func error(sourceLocation: SourceLocation = #_sourceLocation) throws -> NormalizedError {
        try #require(try result(), sourceLocation: sourceLocation)
    }

    /// The members of the problem that the answer becomes.
    func members() throws -> [String: JSONSchema.Value] {
        ProblemSchema.members(Problem(try error(), provider: "p", requestID: "r"))
    }
}
