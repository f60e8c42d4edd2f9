import ContentCoding
import Core
import Loop
import TestSupport
import Testing
import Wire

@Suite("recorded responses through Weir", .blocking)
struct NormalisationTests {
    /// Runs `body` with each recorded case of a profile, and a way to send its request: each with a credential of its own, so that
    /// no pause reaches the next one.
    private func withCases(
        of name: String, provider: String = "",
        _ body: (ProfileCase, (_ more: [(String, String)]) throws -> RawResponse) throws -> Void
    ) throws {
        let recorded = try RecordedProvider()
        let configuration =
            "providers: { p: { profile: \(name), upstream: '\(recorded.upstream.url)'\(provider),"
            + " limits: [{ requests: 1000, per: 1s, by: credential }] } }"
        let profile = try #require(RecordedProvider.profiles.first { $0.name == name })
        try withProxy(configuration, upstreams: [recorded.upstream]) { proxy in
            let client = try proxy.client()
            for recorded in profile.cases {
                try body(recorded) { more in
                    let key = ("Authorization", "Bearer key of the case \(recorded.id)")
                    let (method, path) = recorded.request
                    let hasBody = ["POST", "PUT", "PATCH"].contains(method)
                    return try client.exchange(
                        method, "/p\(path.hasPrefix("/") ? path : "/" + path)",
                        fields: [("X-Case", recorded.id), key] + more, body: hasBody ? "{}" : "")
                }
            }
        }
    }

    /// The problem that the case becomes, as its encoder writes it.
    private func expected(_ recorded: ProfileCase, _ normalizer: ErrorNormalizer) -> RawProblem? {
        let decoded = BodyText.decode(
            recorded.body, coding: recorded.fields.list("Content-Encoding"),
            contentType: recorded.fields.first("Content-Type"), limit: 65_536)
        let answer = ProviderAnswer(
            status: recorded.status, fields: recorded.fields, body: decoded.bytes,
            isTruncated: decoded.isTruncated)
        let (method, path) = recorded.request
        let facts = RequestFacts(method: method, path: path)
        let now = SystemClock.wallNanoseconds / 1_000_000_000
        guard let error = normalizer.normalize(answer, of: facts, at: now) else { return nil }
        var bytes: [UInt8] = []
        Problem(error, provider: "p", requestID: "r").encode(into: &bytes, as: ProblemFormat())
        return RawProblem(bytes)
    }

    @Test("each becomes the problem that it should", arguments: ["lemlist", "lettr", "generic"])
    func problems(profile name: String) throws {
        let profile = try #require(RecordedProvider.profiles.first { $0.name == name })
        let limit = RateLimit(requests: 1000, per: .seconds(1), by: .credential)
        let normalizer = ErrorNormalizer(profile: profile, limits: [limit])
        try withCases(of: name) { recorded, send in
            let response = try send([])
            let comment = Comment(
                rawValue: "\(recorded.id) \(recorded.name): \(response.head) \(response.text)")
            guard let expectation = recorded.expectation, let expected = expected(recorded, normalizer) else {
                #expect(response.status == recorded.status, comment)
                #expect(response.body.bytes == recorded.body, comment)
                #expect(response.fields["Content-Type"] == recorded.fields.first("Content-Type"), comment)
                return
            }
            let received = RawProblem(response.body.bytes)
            #expect(received.comparable == expected.comparable, comment)
            #expect(received["code"] == .string(expectation.code.name), comment)
            #expect(abs(received.seconds - expected.seconds) <= 3, comment)
            let field = received.retryAfter.map { "\(Int($0.rounded(.up)))" }
            #expect(response.fields["Retry-After"] == field, comment)
            expectProblemFields(response, of: recorded, comment)
        }
    }

    private func expectProblemFields(_ response: RawResponse, of recorded: ProfileCase, _ comment: Comment) {
        let fields = response.fields
        #expect(fields["Content-Type"] == "application/problem+json", comment)
        #expect(fields["X-Error-Code"] == response.code, comment)
        #expect(fields["Content-Length"] == "\(response.body.count)", comment)
        #expect(fields.values(of: "Cache-Control").count == 1, comment)
        let status = fields["Proxy-Status"]
        #expect(status?.hasPrefix("weir-") == true, comment)
        #expect(status?.hasSuffix("; received-status=\(recorded.status)") == true, comment)
        for name in ["Content-Encoding", "ETag", "Last-Modified", "Transfer-Encoding", "Content-Language"] {
            #expect(fields[name] == nil, comment)
        }
        #expect((fields["WWW-Authenticate"] != nil) == (response.status == 401), comment)
        for name in ["Content-Type", "X-Request-Id", "X-Error-Code", "Retry-After", "RateLimit"] {
            #expect(fields.values(of: name).count <= 1, comment)
        }
    }

    @Test(
        "each is relayed byte for byte if raw errors are asked for",
        arguments: ["lemlist", "lettr"], [true, false])
    func raw(profile: String, isConfigured: Bool) throws {
        try withCases(of: profile, provider: isConfigured ? ", errors: raw" : "") { recorded, send in
            let response = try send(isConfigured ? [] : [("X-Error-Format", "raw")])
            let comment = Comment(rawValue: "\(recorded.id) \(recorded.name)")
            #expect(response.status == recorded.status, comment)
            #expect(response.body.bytes == (recorded.request.method == "HEAD" ? [] : recorded.body), comment)
            let names = Set(RecordedProvider.fields(of: recorded).map(\.0))
            for name in names {
                let sent = RecordedProvider.fields(of: recorded).filter { $0.0 == name }.map(\.1)
                #expect(response.fields.values(of: name).filter(sent.contains) == sent, comment)
            }
            #expect(response.fields["X-Error-Code"] == nil, comment)
        }
    }

    @Test(
        "each recorded error of the profiles keeps its body and reports its code",
        arguments: ["lemlist", "lettr", "generic"])
    func recorded(profile: String) throws {
        try withCases(of: profile, provider: ", errors: merged") { recorded, send in
            let response = try send([])
            let comment = Comment(
                rawValue: "\(recorded.id) \(recorded.name): \(response.head) \(response.text)")
            guard let expectation = recorded.expectation else {
                #expect(
                    response.body.bytes == recorded.body && response.fields["X-Error-Code"] == nil, comment)
                return
            }
            #expect(response.fields.values(of: "X-Error-Code") == [expectation.code.name], comment)
            guard recorded.request.method != "HEAD", recorded.status != 407 else { return }
            let decoded = BodyText.decode(
                recorded.body, coding: recorded.fields.list("Content-Encoding"),
                contentType: recorded.fields.first("Content-Type"), limit: 65_536)
            let isWhole = decoded.isIntact && !decoded.isTruncated && !decoded.isConverted
            let wanted = !isWhole || MergedBody.merging([0x30], into: decoded.bytes) == nil
            #expect((response.body.bytes == recorded.body) == wanted, comment)
            #expect(response.fields.values(of: "Content-Type").count <= 1, comment)
        }
    }
}

/// A problem, to be compared with another one but for what differs from request to request.
struct RawProblem {
    private let members: [String: JSONSchema.Value]

    init(_ bytes: [UInt8]) {
        if case .object(let members)? = JSONSchema.parse(bytes) {
            self.members = members
        } else {
            members = [:]
        }
    }

    subscript(_ name: String) -> JSONSchema.Value? { members[name] }

    /// Without what names or times this request.
    var comparable: [String: JSONSchema.Value] {
        let own: Set = ["instance", "request_id", "attempts", "waited", "retry_after"]
        return members.filter { !own.contains($0.key) }
    }

    /// The seconds to wait, if they are known.
    var retryAfter: Double? {
        if case .number(let seconds)? = members["retry_after"] { seconds } else { nil }
    }

    /// The seconds to wait, -1 if they are not known.
    var seconds: Double { retryAfter ?? -1 }
}
