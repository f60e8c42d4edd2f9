import Core
import TestSupport
import Testing

@Suite("Problem")
struct ProblemTests {
    @Test(
        "every code makes a valid problem, with its own status, origin and type",
        arguments: ProblemCode.allCases)
    func isValid(code: ProblemCode) {
        let problem = Problem(Fault(code), provider: nil, requestID: "r1", isRepeatSafe: false)
        let members = ProblemSchema.members(problem)
        #expect(members["type"] == .string("/-/errors/\(code.name)"))
        #expect(members["status"] == .number(Double(code.status)))
        #expect(members["origin"] == .string(code.origin.rawValue))
        #expect(members["detail"] == .string(code.detail))
        #expect(ProblemCode(name: code.name) == code)
        #expect(!code.documentation.isEmpty && !code.title.isEmpty)
    }

    @Test("names are unique, and only those of the contract")
    func namesAreUnique() {
        #expect(Set(ProblemCode.allCases.map(\.name)).count == ProblemCode.allCases.count)
    }

    @Test("members come in the order of the contract, and absent ones are left out")
    func order() {
        let limit = QuotaLimit(requests: 20, per: 2, remaining: 0, by: .credential)
        let fault = Fault(.throttled, detail: "Full.", retryAfter: 1.2341, limit: limit)
        var problem = Problem(fault, provider: "lemlist", requestID: "a b", isRepeatSafe: false)
        problem.waited = 0.5
        problem.attempts = 2
        problem.fields = [FieldProblem(field: "to[0].name", code: .required, detail: nil)]
        problem.isMapped = false
        problem.kept = [KeptMember(name: "message", value: #""x""#)]
        let text = String(decoding: ProblemSchema.encode(problem), as: UTF8.self)
        #expect(
            text == #"{"type":"/-/errors/throttled","title":"Throttled","status":429,"detail":"Full.","#
                + #""instance":"/-/requests/a%20b","code":"throttled","origin":"proxy","provider":"lemlist","#
                + #""retryable":true,"retry_after":1.235,"effect":"none","#
                + ##""fields":[{"field":"to[0].name","pointer":"#/to/0/name","code":"required"}],"##
                + #""limit":{"requests":20,"per":2,"remaining":0,"by":"credential"},"attempts":2,"waited":0.5,"#
                + #""request_id":"a b","mapped":false,"message":"x"}"#)
        #expect(problem.retryAfterField == 2)
    }

    @Test("a failure may be repeated if nothing happened, or if repeating is safe")
    func retryable() {
        func isRetryable(_ fault: Fault, safe: Bool) -> Bool {
            Problem(fault, provider: nil, requestID: "r", isRepeatSafe: safe).isRetryable
        }
        #expect(isRetryable(Fault(.providerUnreachable), safe: false))
        #expect(!isRetryable(Fault(.connectionLost), safe: false))
        #expect(isRetryable(Fault(.connectionLost), safe: true))
        #expect(isRetryable(Fault(.connectionLost, effect: Effect.none), safe: false))
        #expect(!isRetryable(Fault(.tlsFailure), safe: true))
    }

    /// The codes that no answer of a provider's leads to: their status, and whether the cause passes by itself.
    private static let own: [(code: ProblemCode, status: Int, effect: Effect, passes: Bool)] = [
        (.providerBadResponse, 502, .unknown, false), (.providerTimeout, 504, .unknown, true),
        (.providerUnreachable, 502, .none, true), (.connectionLost, 502, .unknown, true),
        (.tlsFailure, 502, .none, false), (.throttled, 429, .none, true), (.queueTimeout, 429, .none, true),
        (.credentialsQuarantined, 401, .none, true), (.circuitOpen, 503, .none, true),
        (.shuttingDown, 503, .none, true), (.routeNotFound, 404, .none, false),
        (.internalError, 500, .unknown, false), (.badClientRequest, 400, .none, false),
        (.requestTooLarge, 413, .none, false), (.headersTooLarge, 431, .none, false),
        (.uriTooLong, 414, .none, false),
    ]

    @Test(
        "each of Weir's own codes is retryable if its cause passes, and nothing happened or repeating is safe",
        arguments: own)
    func ownCodes(code: ProblemCode, status: Int, effect: Effect, passes: Bool) {
        #expect(code.status == status && code.effect == effect && code.isTransient == passes)
        for happened in Effect.allCases {
            for isSafe in [false, true] {
                for isTransient in [nil, false, true] {
                    let fault = Fault(code, effect: happened, retryAfter: 3, isTransient: isTransient)
                    let problem = Problem(fault, provider: nil, requestID: "r", isRepeatSafe: isSafe)
                    let isExpected = (isTransient ?? passes) && (happened == .none || isSafe)
                    #expect(problem.isRetryable == isExpected, "\(happened) \(isSafe)")
                    // A time to wait is an invitation.
                    #expect((problem.retryAfter != nil) == (isTransient ?? passes))
                }
            }
        }
    }

    @Test("the table names all codes that no answer leads to")
    func ownCodesAreAll() {
        #expect(Self.own.map(\.code) == ProblemCode.allCases.filter { $0.origin != .provider })
    }

    @Test("the base of the types can be changed")
    func typeBase() {
        var bytes: [UInt8] = []
        let problem = Problem(Fault(.shuttingDown), provider: nil, requestID: "r", isRepeatSafe: false)
        problem.encode(into: &bytes, as: ProblemFormat(typeBase: "https://weir.example/errors/"))
        #expect(
            String(decoding: bytes, as: UTF8.self).hasPrefix(
                #"{"type":"https://weir.example/errors/shutting_down""#))
    }

    @Test(
        "a field becomes a pointer, however the provider spells it",
        arguments: [
            ("to.0", "#/to/0"), ("to[0]", "#/to/0"), ("to[0].name", "#/to/0/name"), ("a[b][c]", "#/a/b/c"),
            ("attachments.0.data", "#/attachments/0/data"), ("Idempotency-Key", "#/Idempotency-Key"),
            ("a/b~c", "#/a~1b~0c"), ("ä b", "#/%C3%A4%20b"), ("/to/0", "#/to/0"),
            ("#/profile/color", "#/profile/color"),
            ("to[0]name", "#/to/0/name"), ("a\"b", "#/a%22b"),
        ])
    func pointers(field: String, pointer: String) {
        var problem = Problem(Fault(.internalError), provider: nil, requestID: "r", isRepeatSafe: false)
        problem.fields = [FieldProblem(field: Text(field), code: .invalid, detail: "x")]
        guard case .array(let fields)? = ProblemSchema.members(problem)["fields"],
            case .object(let members)? = fields.first
        else {
            Issue.record("no fields")
            return
        }
        #expect(members["pointer"] == .string(pointer))
        #expect(members["field"] == .string(field))
    }
}
