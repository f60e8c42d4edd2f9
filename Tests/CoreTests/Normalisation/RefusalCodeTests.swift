import Core
import TestSupport
import Testing

@Suite("Codes of refusals")
struct RefusalCodeTests {
    private static func json(_ message: String, code: String? = nil) -> String {
        "{\"message\":\"\(message)\"" + (code.map { ",\"code\":\"\($0)\"" } ?? "") + "}"
    }

    @Test(
        "a 403 that is a rate limit says so, pauses the ledger, and may be repeated",
        arguments: [
            (json("You have exceeded a secondary rate limit."), ["Retry-After": "60"], 60),
            (json("You have exceeded a secondary rate limit."), [:], nil),
            (json("You have triggered an abuse detection mechanism."), ["Retry-After": "30"], 30),
            (
                json("API rate limit exceeded for user ID 1."),
                ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"], 30
            ),
            (json("Forbidden"), ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"], 30),
            (json("Forbidden"), ["X-Ratelimit-Remaining": "0.0", "Retry-After": "5"], 5),
            (json("Forbidden"), ["RateLimit": "\"default\";r=0;t=7"], 7),
            (json("Forbidden"), ["RateLimit": "limit=10, remaining=0, reset=9"], 9),
            ("", ["RateLimit-Remaining": "0"], nil),
            (json("x", code: "userRateLimitExceeded"), [:], nil),
            (json("x", code: "rateLimitExceeded"), [:], nil),
            (json("x", code: "REQUEST_LIMIT_EXCEEDED"), ["Retry-After": "3"], 3),
            (json("x", code: "TooManyRequests"), [:], nil),
            (json("x", code: "ThrottlingException"), [:], nil), (json("x", code: "RATE_LIMITED"), [:], nil),
            (
                #"{"error":{"code":403,"message":"x","errors":[{"reason":"userRateLimitExceeded"}]}}"#, [:],
                nil
            ),
            (#"[{"message":"x","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#, [:], nil),
            ("Rate limit exceeded\n", [:], nil),
            ("<html><title>Too Many Requests</title></html>", [:], nil),
            (json("Too many requests, slow down"), [:], nil),
            (json("Quota exceeded for quota metric 'x' and limit 'Queries per minute per user'"), [:], nil),
            (json("x"), ["Retry-After": "4", "X-RateLimit-Remaining": "0"], 4),
        ] as [(String, [String: String], Int?)])
    func rateLimit(body: String, fields: [String: String], wait: Int?) throws {
        var fixture = NormalizerFixture("generic", 403, body, fields: fields.map { ($0.key, $0.value) })
        fixture.method = "POST"
        let error = try fixture.error()
        #expect(error.code == .rateLimited && error.status == 403 && error.isMapped)
        #expect(error.isRetryable && error.effect == .none)
        #expect(error.retryAfter == wait)
        #expect(error.pacing == .pauseLedger(seconds: wait))
    }

    @Test(
        "a 403 that is a quota says so, and pauses the ledger",
        arguments: [
            json("x", code: "quotaExceeded"), json("x", code: "dailyLimitExceeded"),
            json("x", code: "QUOTA_EXCEEDED"),
            json("You have exceeded your daily limit."), json("The maximum number of calls is 600 per day."),
            #"{"error":{"code":403,"message":"x","errors":[{"reason":"quotaExceeded"}]}}"#,
        ])
    func quota(body: String) throws {
        let error = try NormalizerFixture("generic", 403, body, fields: [("Retry-After", "60")]).error()
        #expect(error.code == .quotaExceeded && error.pacing == .pauseLedger(seconds: 60))
        #expect(error.isRetryable)
        #expect(try !NormalizerFixture("generic", 403, body).error().isRetryable)
    }

    @Test(
        "any other 403 is a refusal of permission, and no time to wait is told",
        arguments: [
            (
                json("Resource not accessible by integration"),
                ["X-RateLimit-Remaining": "4990", "X-RateLimit-Reset": "30"]
            ),
            (json("You do not have permission to change the rate limit."), [:]),
            ("", [:]), (json("Forbidden"), ["Retry-After": ""]), (json("Forbidden"), ["Retry-After": "soon"]),
            (json("Your plan has limits"), ["X-RateLimit-Remaining": "1"]),
            (json("Forbidden"), ["X-RateLimit-Limit": "0"]),
            (json("Forbidden"), ["X-RateLimit-Remaining": "soon"]),
        ] as [(String, [String: String])])
    func permission(body: String, fields: [String: String]) throws {
        let fixture = NormalizerFixture("generic", 403, body, fields: fields.map { ($0.key, $0.value) })
        let error = try fixture.error()
        #expect(error.code == .permissionDenied && error.pacing == .proceed)
        let members = try fixture.members()
        #expect(members["retryable"] == .boolean(false) && members["retry_after"] == nil)
    }

    @Test(
        "a 403 with a time to wait is a rate limit, unless its body gives another reason",
        arguments: [
            (json("Forbidden"), ProblemCode.rateLimited), ("", .rateLimited), ("Forbidden", .rateLimited),
            (json("Your account is suspended."), .accountBlocked),
            (json("x", code: "account_suspended"), .accountBlocked),
            (json("Invalid API key"), .unauthenticated), (json("x", code: "quota_exceeded"), .quotaExceeded),
        ])
    func timeToWait(body: String, code: ProblemCode) throws {
        for value in ["60", "Mon, 30 Nov 2026 17:42:54 GMT"] {
            let error = try NormalizerFixture("generic", 403, body, fields: [("Retry-After", value)]).error()
            #expect(error.code == code)
        }
    }

    @Test(
        "what is counted by the minute is a rate limit, what is counted by the day a quota, whatever it is called",
        arguments: [
            (
                "Quota exceeded for quota metric 'Reads' and limit 'Reads per minute' of service 'x'",
                ProblemCode.rateLimited
            ),
            (
                "Quota exceeded for quota metric 'Reads' and limit 'Reads per minute per user' of service 'x'",
                .rateLimited
            ),
            ("Rate limit reached for requests per min (RPM): Limit 3", .rateLimited),
            ("Only 10 requests per second are allowed", .rateLimited),
            ("Quota exceeded: 100 requests per 100 seconds", .rateLimited),
            (
                "Quota exceeded for quota metric 'Queries' and limit 'Queries per day' of service 'x'",
                .quotaExceeded
            ),
            ("You have reached your daily limit.", .quotaExceeded),
            ("Account exceeded the 50 daily messages limit", .quotaExceeded),
            ("Your workspace has exceeded its monthly API call limit.", .quotaExceeded),
            ("You exceeded your current quota", .quotaExceeded),
            ("Too many requests", .rateLimited), ("Come back another day", .rateLimited),
        ])
    func windows(message: String, code: ProblemCode) throws {
        #expect(try NormalizerFixture("generic", 429, Self.json(message)).error().code == code)
        let google = #"{"error":{"code":429,"message":"\#(message)","status":"RESOURCE_EXHAUSTED"}}"#
        #expect(try NormalizerFixture("generic", 429, google).error().code == code)
    }

    @Test(
        "OAuth's errors of a token endpoint are what they mean",
        arguments: [
            ("invalid_grant", ProblemCode.unauthenticated), ("invalid_client", .unauthenticated),
            ("unauthorized_client", .unauthenticated),
            ("invalid_token", .unauthenticated), ("expired_token", .unauthenticated),
            ("invalid_request", .invalidRequest),
            ("unsupported_grant_type", .invalidRequest), ("invalid_scope", .invalidRequest),
            ("access_denied", .permissionDenied),
            ("authorization_pending", .conflict), ("slow_down", .rateLimited),
        ])
    func oauth(name: String, code: ProblemCode) throws {
        let body = #"{"error":"\#(name)","error_description":"Something happened."}"#
        let error = try NormalizerFixture("generic", 400, body).error()
        #expect(error.code == code)
        #expect(error.upstream.code?.string == name && error.detail?.string == "Something happened.")
    }

    @Test(
        "a 409 for the same request in flight is passing, any other is not",
        arguments: [
            (json("Request already in process", code: "duplicate_request"), ProblemCode.conflict, true),
            (json("A request with this Idempotency-Key is still being processed"), .conflict, true),
            (json("Same idempotency key used while original request is still in progress."), .conflict, true),
            (json("x", code: "idempotency_key_in_flight"), .conflict, true),
            (json("x", code: "idempotency_key_in_use"), .conflict, true),
            (json("x", code: "concurrent_idempotent_requests"), .conflict, true),
            (#"{"error":{"code":409,"message":"Aborted. Retry.","status":"ABORTED"}}"#, .conflict, true),
            (json("This campaign is running"), .conflict, false),
            (json("It already exists"), .alreadyExists, false),
            (json("x", code: "duplicate_contact"), .alreadyExists, false), ("", .conflict, false),
        ])
    func inFlight(body: String, code: ProblemCode, isTransient: Bool) throws {
        let error = try NormalizerFixture("generic", 409, body).error()
        #expect(error.code == code && error.isTransient == isTransient && error.effect == .none)
    }

    @Test(
        "a status that nothing else explains has its own code",
        arguments: [
            (400, ProblemCode.invalidRequest), (401, .unauthenticated), (402, .paymentRequired),
            (403, .permissionDenied), (404, .notFound),
            (405, .methodNotAllowed), (406, .notAcceptable), (407, .providerUnreachable),
            (408, .providerTimeout), (409, .conflict),
            (410, .gone), (411, .invalidRequest), (412, .preconditionFailed), (413, .payloadTooLarge),
            (414, .invalidRequest),
            (415, .unsupportedMediaType), (416, .invalidRequest), (417, .invalidRequest),
            (418, .invalidRequest), (420, .rateLimited),
            (421, .invalidRequest), (422, .validationFailed), (423, .conflict), (424, .conflict),
            (425, .invalidRequest),
            (426, .invalidRequest), (428, .preconditionFailed), (429, .rateLimited), (431, .invalidRequest),
            (440, .unauthenticated),
            (451, .legalBlock), (498, .unauthenticated), (499, .providerUnavailable), (500, .providerError),
            (501, .providerError),
            (502, .providerUnavailable), (503, .providerUnavailable), (504, .providerTimeout),
            (505, .providerError), (507, .providerError),
            (508, .providerError), (511, .providerUnreachable), (520, .providerUnavailable),
            (529, .providerUnavailable),
            (530, .providerUnavailable), (599, .providerError), (600, .providerBadResponse),
        ])
    func statuses(status: Int, code: ProblemCode) throws {
        #expect(try NormalizerFixture("generic", status).error().code == code)
    }

    @Test(
        "a problem has a retry_after only if the request may succeed later",
        arguments: ["generic", "lemlist", "lettr"], [true, false])
    func retryAfterIsAnInvitation(profile: String, isIdempotent: Bool) throws {
        for status in 400...599 {
            for body in [
                "", Self.json("x"), Self.json("Daily quota exceeded", code: "quota_exceeded"), "<html>",
            ] {
                var fixture = NormalizerFixture(
                    profile, status, body, fields: [("Retry-After", "7"), ("X-RateLimit-Reset", "9")])
                fixture.method = isIdempotent ? "GET" : "POST"
                let members = try fixture.members()
                // A time to wait, and no permission: only if the request may have taken effect.
                #expect(
                    members["retry_after"] == nil || members["retryable"] == .boolean(true)
                        || (!isIdempotent && members["effect"] != .string("none")),
                    "\(status) \(body)")
            }
        }
    }

    @Test(
        "a problem of Weir's own has a retry_after only if its cause is temporary",
        arguments: ProblemCode.allCases)
    func retryAfterOfFaults(code: ProblemCode) {
        for isSafe in [true, false] {
            let problem = Problem(
                Fault(code, retryAfter: 3), provider: nil, requestID: "r", isRepeatSafe: isSafe)
            #expect((problem.retryAfter != nil) == code.isTransient)
            #expect((problem.retryAfterField != nil) == code.isTransient)
        }
    }

    @Test(
        "character references in messages, titles and details are read, what is none stays",
        arguments: [
            ("Tom &amp; Jerry", "Tom & Jerry"),
            ("&lt;b&gt; &quot;x&quot; &apos;y&apos; &#39;z&#39;", "<b> \"x\" 'y' 'z'"),
            ("K&auml;se &Uuml; &szlig;", "Käse Ü ß"), ("&#228;&#xE4;&#XE4;", "äää"),
            ("&euro;&hellip;&ndash;&rsquo;", "€…–’"),
            ("&#150;", "–"), ("a&nbsp;b", "a\u{A0}b"), ("&amp;lt;", "&lt;"),
            ("&copy; &frac12; &thetasym;", "© ½ ϑ"), ("AT&T", "AT&T"),
            ("a &b; c", "a &b; c"), ("&unknown;", "&unknown;"), ("&#0;", "&#0;"), ("&#xD800;", "&#xD800;"),
            ("&#x110000;", "&#x110000;"),
            ("&#99999999999999999999;", "&#99999999999999999999;"), ("&#;", "&#;"), ("&#x;", "&#x;"),
            ("&", "&"), ("&amp", "&amp"),
            ("&&amp;&", "&&&"), ("&#12a;", "&#12a;"), ("x&#10;y", "x y"),
        ])
    func references(text: String, expected: String) throws {
        var quoted: [UInt8] = []
        JSONWriter.string(text, into: &quoted)
        let json = String(decoding: quoted, as: UTF8.self)
        #expect(
            try NormalizerFixture("generic", 400, "{\"message\":\(json)}").error().detail?.string == expected)
        #expect(
            try NormalizerFixture("generic", 422, "{\"errors\":{\"f\":[\(json)]}}").error().fields.first?
                .detail?.string == expected)
        #expect(
            try NormalizerFixture("generic", 400, "Oh " + text).error().detail?.string == "Oh " + expected)
        if !text.contains("<") {
            #expect(
                try NormalizerFixture("generic", 502, "<html><title>\(text)</title>").error().detail?.string
                    == expected)
        }
    }

    @Test("a secret that character references hide is redacted")
    func hiddenSecret() throws {
        for body in [
            #"{"message":"Bad key abcdef&#103;h&amp;i"}"#, "Bad key abcdef&#103;h&amp;i",
            "<html><title>Bad key abcdef&#103;h&amp;i</title>",
        ] {
            var fixture = NormalizerFixture("generic", 401, body)
            fixture.credential = Array("abcdefgh&i".utf8)
            #expect(try fixture.error().detail?.string == "Bad key [redacted]")
        }
        var fixture = NormalizerFixture("generic", 422, #"{"errors":{"key":["Bad key abcdefgh&amp;i"]}}"#)
        fixture.credential = Array("abcdefgh&i".utf8)
        #expect(try fixture.error().fields.first?.detail?.string == "Bad key [redacted]")
    }
}
