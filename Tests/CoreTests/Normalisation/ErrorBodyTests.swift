import Configuration
import Core
import TestSupport
import Testing
import Wire

/// What a body says besides fields, and what looks like a field and is none.
@Suite("Meaning of error bodies")
struct ErrorBodyTests {
    private func error(_ status: Int, _ body: String, _ fields: [(String, String)] = []) throws
        -> NormalizedError
    {
        try NormalizerFixture("generic", status, body, fields: fields).error()
    }

    private func fieldCodes(_ name: String, _ sentence: String) throws -> [FieldProblemCode] {
        var member: [UInt8] = []
        JSONWriter.string(name, into: &member)
        var text: [UInt8] = []
        JSONWriter.string(sentence, into: &text)
        let body =
            "{\"errors\":{\(String(decoding: member, as: UTF8.self)):[\(String(decoding: text, as: UTF8.self))]}}"
        return try error(422, body).fields.map(\.code)
    }

    @Test(
        "the name of a field does not decide what is wrong with it, however the sentence spells it",
        arguments: [
            "required_by", "requiredBy", "required-by", "order.required_by", "items[0].requiredBy",
            "/order/required_by",
        ],
        [
            ("The required_by field must be a valid date.", FieldProblemCode.invalidFormat),
            ("Required by must be a valid date", .invalidFormat),
            ("requiredBy must be an integer", .invalidType),
            ("The required by is wrong.", .invalid), ("'required_by' is wrong", .invalid),
            ("required_by is required", .required), ("The required by field is required.", .required),
            ("is required", .required), ("There is something wrong with required_by", .invalid),
        ])
    func ownName(name: String, sentence: (text: String, code: FieldProblemCode)) throws {
        #expect(try fieldCodes(name, sentence.text) == [sentence.code])
    }

    @Test(
        "a word in a sentence counts unless it is the field's name, another name, or quoted",
        arguments: [
            ("required", "This field is required.", FieldProblemCode.required),
            ("required", "Field required", .required),
            ("required", "required", .required),
            ("required", "The required field must be an integer.", .invalidType),
            ("format", "The format is wrong.", .invalid), ("format", "Invalid format", .invalidFormat),
            ("format", "Format must be a valid URL", .invalidFormat),
            ("unknown", "unknown is too long", .tooLong),
            ("missing_since", "missing_since must be a string", .invalidType),
            ("duplicate_of", "Duplicate of is not a number", .invalidType),
            ("start", "The start must be before required_by.", .outOfRange),
            ("start", "Conflicts with required_by", .invalid),
            ("kind", "\"required\" is not a valid choice.", .notAllowed),
            ("kind", "Not one of 'missing', 'taken'", .invalid),
            ("kind", "`unknown` cannot be used", .invalid), ("kind", "'x' is required", .required),
            ("items", "must have at least 3 items", .tooShort), ("email", "email is required", .required),
        ])
    func words(name: String, sentence: String, code: FieldProblemCode) throws {
        #expect(try fieldCodes(name, sentence) == [code])
    }

    @Test("a provider's name of a problem that begins with the field's name means what follows")
    func prefixedNames() throws {
        let body = ##"""
            [{"field":"required_by","code":"required_by.invalid","message":"is wrong"},{"field":"email","code":"email_invalid"},
            {"field":"required_by","code":"required_by_too_long"},{"field":"unique","code":"unique.required"}]
            """##
        #expect(try error(422, body).fields.map(\.code) == [.invalid, .invalidFormat, .tooLong, .required])
    }

    @Test(
        "errors that are not about input have no fields",
        arguments: [
            (429, ##"{"errors":{"rate":"Too many requests"}}"##),
            (401, ##"{"errors":{"rate":"Too many requests"}}"##),
            (403, ##"{"errors":{"rate":"Too many requests"}}"##),
            (500, ##"{"errors":{"rate":"Too many requests"}}"##),
            (503, ##"{"errors":{"rate":"Too many requests"}}"##),
            (
                403,
                ##"{"data":null,"errors":[{"message":"Forbidden resource here","path":["user","email"],"locations":[{"line":1,"column":2}],"extensions":{"code":"FORBIDDEN"}}]}"##
            ),
            (
                400,
                ##"{"errors":[{"message":"Cannot query field \"x\" on type \"Q\".","locations":[{"line":1,"column":3}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"##
            ),
            (400, ##"{"data":null,"errors":[{"message":"Not authorised here","path":["user"]}]}"##),
            (
                401,
                ##"{"error":{"errors":[{"domain":"global","reason":"authError","location":"Authorization","locationType":"header","message":"Invalid Credentials"}],"code":401,"message":"Invalid Credentials"}}"##
            ),
            (401, ##"{"timestamp":"x","status":401,"error":"Unauthorized","path":"/users"}"##),
            (
                404,
                ##"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"x\" not found","reason":"NotFound","details":{"name":"x","kind":"pods"},"code":404}"##
            ),
            (422, ##"{"errors":{"base":[]}}"##),
            (500, ##"{"errors":[{"field":"to","message":"is required"}]}"##),
            (500, ##"{"errors":{"to":["missing"]}}"##),
            (401, ##"{"errors":{"api_key":["is invalid"]}}"##),
            (404, ##"{"errors":[{"path":"/x","message":"No route there"}]}"##),
            (429, ##"{"errors":[{"name":"requests","message":"Too many of them","limit":5}]}"##),
            (403, ##"{"error":{"code":"denied","target":"project","message":"No access to it"}}"##),
        ])
    func noFields(status: Int, body: String) throws {
        #expect(try error(status, body).fields == [])
    }

    @Test("what a refusal calls a field or a parameter is one at any status below 500")
    func namedFields() throws {
        for status in [402, 403, 404] {
            let body = ##"{"errors":[{"field":"send_at","message":"It was sent"}]}"##
            #expect(try error(status, body).fields.map(\.field.string) == ["send_at"])
            let parameter = ##"{"error":{"message":"No such thing","param":"id"}}"##
            #expect(try error(status, parameter).fields.map(\.field.string) == ["id"])
        }
    }

    @Test(
        "a 500 has no fields, and a body with nothing but fields is not mapped; a rule can make a validation of it"
    )
    func fieldsOfServerErrors() throws {
        let body = ##"{"errors":{"to":["missing"]}}"##
        let unknown = try error(500, body)
        #expect(unknown.code == .providerError && unknown.fields == [] && !unknown.isMapped)
        #expect(try error(500, ##"{"errors":[{"field":"to","message":"is required"}]}"##).isMapped)
        let profile = try ProfileReader.read(
            text:
                "name: x\nread: { fields: /errors }\nrules: [{ name: r, when: { status: 500, fields: yes }, is: validation_failed }]",
            file: "x.yaml", generic: nil)
        let answer = ProviderAnswer(status: 500, fields: FieldBlock(), body: Array(body.utf8))
        let known = ErrorNormalizer(profile: profile).normalize(
            answer, of: RequestFacts(method: "GET", path: "/"), at: 0)
        #expect(
            known?.code == .validationFailed && known?.fields.map(\.field.string) == ["to"]
                && known?.isMapped == true)
    }

    @Test(
        "the provider's code is found wherever providers put it",
        arguments: [
            (
                400, ##"{"__type":"com.amazon#ThrottlingException","message":"Rate exceeded"}"##, [:],
                "ThrottlingException", ProblemCode.rateLimited
            ),
            (
                400, ##"{"message":"Rate exceeded"}"##,
                [
                    "x-amzn-ErrorType":
                        "ThrottlingException:http://internal.amazon.com/coral/com.amazon.coral.service/"
                ], "ThrottlingException", ProblemCode.rateLimited
            ),
            (
                400,
                ##"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","Message":"slow"}"##,
                [:], "ProvisionedThroughputExceededException", ProblemCode.rateLimited
            ),
            (
                400,
                ##"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"##,
                [:], "UnrecognizedClientException", ProblemCode.unauthenticated
            ),
            (
                403,
                ##"[{"error":{"code":403,"message":"Rate Limit Exceeded","errors":[{"domain":"usageLimits","reason":"rateLimitExceeded","message":"Rate Limit Exceeded"}]}}]"##,
                [:], "rateLimitExceeded", ProblemCode.rateLimited
            ),
            (
                400, ##"{"detail":{"code":"EMAIL_TAKEN","message":"The email is in use"}}"##, [:],
                "EMAIL_TAKEN", ProblemCode.invalidRequest
            ),
            (
                404,
                ##"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods \"x\" not found","reason":"NotFound","details":{"name":"x","kind":"pods"},"code":404}"##,
                [:], "NotFound", ProblemCode.notFound
            ),
            (
                422,
                ##"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Pod \"x\" is invalid: spec.containers: Required value","reason":"Invalid","details":{"name":"x","kind":"Pod","causes":[{"reason":"FieldValueRequired","message":"Required value","field":"spec.containers"}]},"code":422}"##,
                [:], "Invalid", ProblemCode.validationFailed
            ),
            (
                403,
                ##"{"data":null,"errors":[{"message":"Forbidden resource here","path":["user","email"],"locations":[{"line":1,"column":2}],"extensions":{"code":"FORBIDDEN"}}]}"##,
                [:], "FORBIDDEN", ProblemCode.permissionDenied
            ),
            (
                400,
                ##"{"error":{"name":"ZodError","message":"[\n {\"code\":\"invalid_type\",\"expected\":\"string\",\"received\":\"undefined\",\"path\":[\"email\"],\"message\":\"Required\"}\n]"}}"##,
                [:], "invalid_type", ProblemCode.validationFailed
            ),
            (
                500, ##""{\"message\":\"Inner text\",\"code\":\"E_INNER\"}""##, [:], "E_INNER",
                ProblemCode.providerError
            ),
            (
                400,
                ##"{"message":"{\"error\":{\"message\":\"Deep reason here\",\"code\":\"deep_code\"}}"}"##,
                [:], "deep_code", ProblemCode.invalidRequest
            ),
            (
                400,
                ##"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"x","reason":"API_KEY_INVALID"}]}}"##,
                [:], "API_KEY_INVALID", ProblemCode.unauthenticated
            ),
            (
                400, "", ["X-Amzn-ErrorType": "aws.rest#ValidationException"], "ValidationException",
                .invalidRequest
            ),
            (404, "<x/>", ["x-ms-error-code": "BlobNotFound"], "BlobNotFound", .notFound),
            (400, ##"{"code":"own","message":"m m"}"##, ["X-Error-Code": "other"], "own", .invalidRequest),
            (400, ##"{"code":"ERR#12","message":"m m"}"##, [:], "ERR#12", .invalidRequest),
        ] as [(Int, String, [String: String], String, ProblemCode)])
    func codes(status: Int, body: String, fields: [String: String], code: String, meaning: ProblemCode) throws
    {
        let error = try error(status, body, fields.map { ($0.key, $0.value) })
        #expect(error.upstream.code?.string == code && error.code == meaning)
    }

    @Test(
        "a text that says more than the status is the message",
        arguments: [
            (
                400,
                ##"{"timestamp":"t","status":400,"error":"Bad Request","path":"/x","detail":"Required parameter id is not present"}"##,
                "Required parameter id is not present"
            ),
            (
                400,
                ##"{"message":"Bad Request","_embedded":{"errors":[{"message":"Required argument [String name] not specified","path":"/name"}]},"_links":{}}"##,
                "Required argument [String name] not specified"
            ),
            (
                400,
                ##"{"type":"u","title":"One or more validation errors occurred.","status":400,"errors":{"Name":["The Name field is required."]}}"##,
                "The Name field is required."
            ),
            (404, ##"{"error":"Not Found"}"##, "Not Found"),
            (
                400, ##"{"title":"Bad Request","detail":"The id is not a number","status":400}"##,
                "The id is not a number"
            ),
            (400, ##"{"error":"Bad Request","errors":["id must be positive"]}"##, "id must be positive"),
            (
                404, ##"{"status":404,"statusCode":404,"error":"Not Found","message":"Cannot GET /x"}"##,
                "Cannot GET /x"
            ),
            (
                400,
                ##"{"error":{"name":"ZodError","message":"[\n {\"code\":\"invalid_type\",\"expected\":\"string\",\"received\":\"undefined\",\"path\":[\"email\"],\"message\":\"Required\"}\n]"}}"##,
                "Required"
            ),
            (500, ##""{\"message\":\"Inner text\",\"code\":\"E_INNER\"}""##, "Inner text"),
            (
                400,
                ##"{"message":"{\"error\":{\"message\":\"Deep reason here\",\"code\":\"deep_code\"}}"}"##,
                "Deep reason here"
            ),
            (400, ##"{"message":"[not json]"}"##, "[not json]"),
            (401, ##"{"message":"Unauthorized","error":"The token has expired"}"##, "The token has expired"),
            (429, ##"{"errors":[{"id":"x_y","details":"Too many requests"}]}"##, "Too many requests"),
            (400, ##"{"error":"Bad Request","message":"Bad Request"}"##, "Bad Request"),
            (500, ##"{"title":"An error occurred!","detail":"The disk is full"}"##, "The disk is full"),
            (404, ##"{"message":"Not Found","documentation_url":"https://a.example/b c"}"##, "Not Found"),
        ])
    func messages(status: Int, body: String, message: String) throws {
        #expect(try error(status, body).detail?.string == message)
    }

    @Test(
        "a time to wait is read wherever bodies have it",
        arguments: [
            (
                429,
                ##"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":"m","quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"Learn","url":"u"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.074824224s"}]}}"##,
                35
            ),
            (
                429,
                ##"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}"##,
                35
            ),
            (
                429,
                ##"{"kind":"Status","status":"Failure","message":"too many requests","reason":"TooManyRequests","details":{"retryAfterSeconds":7},"code":429}"##,
                7
            ),
            (429, ##"{"retry_after":"+60"}"##, 60),
            (429, ##"{"retry_after":"\"60\""}"##, 60),
            (429, ##"{"retry_after":"60, 90"}"##, 90),
            (429, ##"{"retry_after":"1m30s"}"##, 90),
            (429, ##"{"error":{"retry_after":0.5}}"##, 1),
            (503, ##"{"retryAfterSeconds":9}"##, 9),
            (429, ##"[{"error":{"code":429,"details":[{"@type":"x","retryDelay":"2.5s"}]}}]"##, 3),
            (429, ##"{"retry_after":"soon"}"##, nil), (429, ##"{"retry_after":"-5"}"##, nil),
            (429, ##"{"retry_after":""}"##, nil),
            (429, ##"{"retry_after":", ,"}"##, nil),
            (429, ##"{"retry_after":99999999999999999999999}"##, 2_764_800),
            (404, ##"{"retry_after":5}"##, nil),
        ] as [(Int, String, Int?)])
    func waits(status: Int, body: String, seconds: Int?) throws {
        let error = try error(status, body)
        #expect(error.retryAfter == seconds)
        if status == 429 { #expect(error.code == .rateLimited) }
    }

    @Test("a 400 about a rate limit is a rate limit, any other with nothing left is not")
    func rateLimitAs400() throws {
        let left = [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "30")]
        let error = try error(400, ##"{"message":"Rate limit exceeded"}"##, left)
        #expect(error.code == .rateLimited && error.retryAfter == 30)
        #expect(try self.error(400, ##"{"message":"Slow down, please"}"##, left).code == .rateLimited)
        #expect(try self.error(400, ##"{"message":"Slow down, please"}"##).code == .invalidRequest)
        #expect(try self.error(400, ##"{"message":"The name looks odd"}"##, left).code == .invalidRequest)
    }

    @Test(
        "without fields, the sentence of a refusal decides what it is",
        arguments: [
            (400, "Could not parse request body", ProblemCode.invalidRequest),
            (422, "Received invalid JSON input.", .invalidRequest),
            (400, "from parameter is missing", .validationFailed),
            (400, "A 'To' phone number is required.", .validationFailed),
            (400, "The key must be between 1-256 chars.", .validationFailed),
            (422, "This signature already exists.", .alreadyExists),
            (400, "a@b.example is already a list member.", .alreadyExists),
            (422, "Email has already been taken", .validationFailed),
            (422, "Bounce was not found", .notFound),
            (400, "recipient not found", .notFound),
            (422, "Account has run out of credits.", .paymentRequired),
            (403, "This endpoint is only available on paid plans.", .paymentRequired),
            (401, "Plan expired!", .paymentRequired),
            (401, "Maximum credits exceeded", .quotaExceeded), (400, "Account suspended", .accountBlocked),
            (401, "Your account has been deactivated", .accountBlocked),
            (400, "This organization has been disabled.", .accountBlocked),
            (401, "Your request IP is not authorized to access this resource.", .permissionDenied),
            (422, "You do not own this Domain", .permissionDenied),
            (403, "API key is invalid", .unauthenticated),
            (403, "This campaign is already In Progress.", .conflict),
            (400, "Charge ch_1 has already been refunded.", .conflict),
            (400, "Invalid request content type.", .unsupportedMediaType),
            (400, "Something else happened", .invalidRequest),
            (401, "Your key is wrong", .unauthenticated), (403, "You may not do this", .permissionDenied),
            (422, "Nothing we like", .validationFailed),
            (403, "The user may not write here", .permissionDenied),
        ])
    func sentences(status: Int, message: String, code: ProblemCode) throws {
        #expect(try error(status, ##"{"message":"\##(message)"}"##).code == code)
    }
}
