import Core
import Testing
import Wire

@Suite("How long to wait")
struct WaitTests {
    private func wait(
        _ profile: String, _ fields: [(String, String)], status: Int = 429, body: String = ""
    ) throws -> Int? {
        try NormalizerFixture(profile, status, body, fields: fields).error().retryAfter
    }

    private static let date = ("Date", "Sat, 12 Sep 2026 02:07:49 GMT")

    @Test(
        "Retry-After is seconds, rounded up, or a date, and at least one second",
        arguments: [
            ("2", 2), ("1.187", 2), ("0", 1), ("1.0", 1), (" 7 ", 7), ("Sat, 12 Sep 2026 02:08:49 GMT", 60),
            ("Saturday, 12-Sep-26 02:08:49 GMT", 60), ("Sat Sep 12 02:07:59 2026", 10),
        ])
    func retryAfter(value: String, seconds: Int) throws {
        #expect(try wait("generic", [Self.date, ("Retry-After", value)]) == seconds)
        #expect(try wait("lemlist", [Self.date, ("Retry-After", value)]) == seconds)
    }

    @Test(
        "what is malformed or past says nothing",
        arguments: [
            "-5", "-99999999999999999999999", "soon", "", "1e", "e3", "1e3x", "1.", ".5", "1.2.3", "0x10",
            ",", ", ,", "-5, -6", "2; 3x, 4x", "++5", "\"", "\"\"", "\"5", "Sat", "Sep 12, 2026", "1e3e3",
            "inf", "nan",
            "Sat, 12 Sep 2026 02:07:00 GMT, Sat, 12 Sep 2026 02:07:01 GMT", "5 6",
            "Sat, 12 Sep 2026 02:07:00 GMT", "Sat, 99 Sep 2026 02:07:00 GMT", "Sat, 12 Foo 2026 02:09:00 GMT",
            "\u{0}",
        ])
    func nonsense(value: String) throws {
        #expect(try wait("generic", [Self.date, ("Retry-After", value)]) == nil)
    }

    private static let longest = 32 * 86_400

    /// Spellings of times that no standard allows and whose meaning is plain.
    private static let oddSpellings: [(String, Int)] = [
        ("5, 3600", 3600), ("3600, 5", 3600), ("5,3600", 3600), ("60, 60", 60), ("60,", 60), (", 60", 60),
        ("2, 3", 3), ("-5, 6", 6), ("5, soon", 5), (#""3600""#, 3600), (#""5", "7""#, 7), ("+60", 60),
        (#""+60""#, 60), ("+5, +6", 6), ("60;w=1", 60), ("5;w=1, 60;w=2", 60), (#""60" ; x"#, 60),
        ("1e3", 1000), ("1E3", 1000),
        ("1.5e1", 15), ("6e+1", 60), ("1e-3", 1), ("1e400", longest), ("5, 99999999999999999999999", longest),
        (" 5 , 6 ", 6), ("5\t,\t6", 6), ("+99999999999999999999999", longest), ("1.5, 2.5", 3),
    ]

    @Test(
        "a list of seconds, quotes, signs, parameters and exponents are read in Retry-After and in resets, and the latest time counts",
        arguments: oddSpellings)
    func oddTimes(value: String, seconds: Int) throws {
        for name in ["Retry-After", "X-RateLimit-Reset", "RateLimit-Reset"] {
            #expect(try wait("generic", [Self.date, (name, value)]) == seconds, "\(name)")
            #expect(try wait("generic", [Self.date, (name, "1"), (name, value)]) == seconds, "\(name) twice")
            #expect(
                try wait("generic", [Self.date, (name, value), (name, "soon")]) == seconds,
                "\(name) and words")
        }
        let used = [Self.date, ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", value)]
        #expect(try wait("generic", used, status: 403) == seconds)
        #expect(try wait("lemlist", [Self.date, ("Retry-After", value)]) == seconds)
    }

    @Test(
        "a list of times may have dates with commas in it",
        arguments: [
            ("5, Sat, 12 Sep 2026 02:08:49 GMT", 60), ("Sat, 12 Sep 2026 02:08:49 GMT, 5", 60),
            ("Sat, 12 Sep 2026 02:07:00 GMT, 5", 5),
            ("Saturday, 12-Sep-26 02:08:49 GMT, Sat, 12 Sep 2026 02:09:49 GMT", 120),
            (#""Sat, 12 Sep 2026 02:08:49 GMT""#, 60), ("2m, 30s", 120), ("1m30s", 90), ("2 minutes", 120),
            ("2026-09-12T02:08:49Z, 5", 60),
        ])
    func lists(value: String, seconds: Int) throws {
        #expect(try wait("generic", [Self.date, ("Retry-After", value)]) == seconds)
        #expect(try wait("generic", [Self.date, ("X-RateLimit-Reset", value)]) == seconds)
    }

    @Test(
        "odd numbers in RateLimit are read",
        arguments: [
            (#""burst";r=0;t=1e2"#, 100), (#""burst";r=0;t=1.5"#, 2), (#""burst";r=0.0;t=7"#, 7),
            (#""burst";r=0;t="7""#, 7),
            (#""burst";r="0";t=+7"#, 7), ("limit=100, remaining=0, reset=+30", 30),
            (#"limit=100, remaining="0", reset="30""#, 30),
            ("limit=100;w=60, remaining=0, reset=30;x=1", 30),
        ])
    func oddState(value: String, seconds: Int) throws {
        #expect(try wait("generic", [("RateLimit", value)]) == seconds)
    }

    @Test(
        "what is left is read in quotes and with a sign",
        arguments: [#""0""#, "+0", "0, 0", "0;w=60", "0.0", "00"])
    func oddRest(value: String) throws {
        #expect(
            try wait("generic", [("X-RateLimit-Remaining", value), ("X-RateLimit-Reset", "30")], status: 403)
                == 30)
    }

    @Test(
        "a Retry-After beyond all reason is the longest wait there is, and no invitation to come back at once",
        arguments: [
            "2764801", "99999999999", "999999999.5", "999999999999999", "9999999999999999",
            "9223372036854775807", "9223372036854775807.5", "9223372036854775808", "99999999999999999999999",
            String(repeating: "9", count: 4000), "1000000000000", "Fri, 31 Dec 9999 23:59:59 GMT",
            "Sat, 12 Sep 2076 02:07:49 GMT", "Fri Dec 31 23:59:59 9999", "9999-12-31T23:59:59Z",
        ])
    func beyondReason(value: String) throws {
        for profile in ["generic", "lemlist"] {
            #expect(try wait(profile, [Self.date, ("Retry-After", value)]) == Self.longest)
        }
        #expect(
            try wait("generic", [Self.date, ("Retry-After", "1"), ("Retry-After", value)]) == Self.longest)
    }

    @Test(
        "a Retry-After that is a time since 1970 within the longest wait is that time",
        arguments: [
            ("1789178929", 60), ("1789178929000", 60), ("1789178929000000", 60), ("1789178929000000000", 60),
            ("1791943669", 2_764_800), ("1791943670", 2_764_800), ("1789178868", nil), ("1789178868000", nil),
        ])
    func epoch(value: String, seconds: Int?) throws {
        #expect(try wait("generic", [Self.date, ("Retry-After", value)]) == seconds)
    }

    @Test(
        "a number in a JSON body is read in every spelling, and never overflows",
        arguments: [
            ("30", 30), ("1.5", 2), ("1e2", 100), ("1.5E1", 15), ("0", 1), ("1e400", longest),
            ("1e300", longest),
            ("99999999999", longest), ("99999999999999999999999", longest), ("-1", nil), ("-1e300", nil),
            (#""30""#, 30), (#""99999999999999999999999""#, longest), (#""soon""#, nil), ("true", nil),
            ("null", nil), ("[1]", nil),
        ])
    func bodyNumbers(value: String, seconds: Int?) throws {
        #expect(try wait("generic", [], body: #"{"retry_after":\#(value)}"#) == seconds)
    }

    @Test("of two fields the longer wait counts")
    func longerWins() throws {
        #expect(try wait("generic", [("Retry-After", "2"), ("Retry-After", "9")]) == 9)
        #expect(try wait("generic", [("Retry-After", "x"), ("Retry-After", "9")]) == 9)
    }

    @Test(
        "a reset is read in every dialect",
        arguments: [
            ("30", 30), ("1789178929", 60), ("1789178869001", 1), ("1789178929000", 60),
            ("Sat Sep 12 2026 04:07:51 GMT+0200 (Central European Summer Time)", 2),
            ("Fri Sep 11 2026 21:07:52 GMT-0500 (CDT)", 3), ("2026-09-12T02:07:59Z", 10),
            ("2026-09-12T04:07:59.123+02:00", 10), ("Sat, 12 Sep 2026 02:08:49 GMT", 60),
        ])
    func reset(value: String, seconds: Int) throws {
        #expect(try wait("lemlist", [Self.date, ("X-RateLimit-Reset", value)]) == seconds)
    }

    @Test(
        "a reset may be a date of ISO 8601, with and without seconds, fraction, offset and time",
        arguments: [
            ("2026-09-12T02:08Z", 11), ("2026-09-12T02:07:59", 10), ("2026-09-12 02:07:59", 10),
            ("2026-09-12 02:07:59 UTC", 10),
            ("2026-09-12t02:07:59z", 10), ("20260912T020759Z", 10), ("2026-09-12T04:07:59+0200", 10),
            ("2026-09-12T04:07:59+02", 10),
            ("2026-09-11T21:07:59-05:00", 10), ("2026-09-12T02:07:59,5Z", 10),
            ("2026-09-12T02:07:59.000000001Z", 10),
            ("2026-09-12T04:08+02:00", 11), ("2026-09-13", 78_731), ("2026-09-13T00:00Z", 78_731),
            ("Sat, 12 Sep 2026 02:08 GMT", 11), ("30 seconds", 30), ("PT1M30S", 90), ("2 minutes", 120),
            ("30.0", 30),
            ("1789178929.25", 61),
        ])
    func isoDate(value: String, seconds: Int) throws {
        #expect(try wait("generic", [Self.date, ("X-RateLimit-Reset", value)]) == seconds)
        let fields = [Self.date, ("X-RateLimit-Remaining", "0.0"), ("X-RateLimit-Reset", value)]
        #expect(try wait("generic", fields, status: 403) == seconds)
    }

    @Test(
        "a date that is malformed says nothing",
        arguments: [
            "2026-13-12T02:08Z", "2026-09-32", "2026-09-12T25:00Z", "2026-09-12T02:61Z", "2026-09-12T",
            "2026-09", "2026-09-12T02:08:",
            "2026-09-12T02:08:00.Z", "2026-09-12T02:08:00+99", "2026-09-12T02:08:00X", "2026-9-12T02:08Z",
            "99999-09-12T02:08Z",
        ])
    func badDate(value: String) throws {
        #expect(try wait("generic", [Self.date, ("X-RateLimit-Reset", value)]) == nil)
    }

    @Test(
        "a time in the body may have any dialect",
        arguments: [
            ("60", 60), ("\"60\"", 60), ("1.5", 2), ("\"1m30s\"", 90), ("\"37s\"", 37), ("1789178929", 60),
            ("1789178929000", 60),
            ("\"2026-09-12T02:08:49Z\"", 60),
        ])
    func inBody(value: String, seconds: Int) throws {
        #expect(try wait("generic", [Self.date], body: "{\"retry_after\":\(value)}") == seconds)
    }

    @Test("the response's own Date decides, and our clock only where there is none")
    func ownDate() throws {
        var fixture = NormalizerFixture("lettr", 429, fields: [("X-RateLimit-Reset", "1789178872")])
        fixture.clock = 1_789_178_870
        #expect(try fixture.error().retryAfter == 2)
        fixture.fields.append(("Date", "Sat, 12 Sep 2026 02:07:49 GMT"))
        #expect(try fixture.error().retryAfter == 3)
        fixture.fields[1].1 = "yesterday"
        #expect(try fixture.error().retryAfter == 2)
    }

    @Test("lemlist's Retry-After counts on a 429 only", arguments: [400, 401, 403, 404, 500, 503])
    func onlyOn429(status: Int) throws {
        #expect(try wait("lemlist", [("Retry-After", "2")], status: status, body: "x") == nil)
        #expect(try wait("generic", [("Retry-After", "2")], status: status, body: "x") == 2)
    }

    @Test("Lettr's quotas wait for their own reset")
    func quotas() throws {
        let fields = [
            Self.date, ("X-Daily-Reset", "1789178900"), ("X-Monthly-Reset", "1789200000"),
            ("X-RateLimit-Reset", "1789178870"),
        ]
        let daily = #"{"message":"x","error_code":"daily_quota_exceeded"}"#
        let monthly = #"{"message":"x","error_code":"quota_exceeded"}"#
        #expect(try wait("lettr", fields, body: daily) == 31)
        #expect(try wait("lettr", fields, body: monthly) == 21_131)
        let error = try NormalizerFixture("lettr", 429, daily, fields: fields).error()
        #expect(error.pacing == .pauseQuota(seconds: 31))
        #expect(!error.isTransient)
    }

    @Test("a rate limit pauses the ledger, a plan limit nothing, an outage only if it says how long")
    func pacing() throws {
        #expect(
            try NormalizerFixture("lemlist", 429, fields: [("Retry-After", "2")]).error().pacing
                == .pauseLedger(seconds: 2))
        #expect(
            try NormalizerFixture("lemlist", 429, "{ error: }").error().pacing == .pauseLedger(seconds: nil))
        #expect(try NormalizerFixture("lemlist", 429, "Monitoring limit exceeded").error().pacing == .proceed)
        #expect(try NormalizerFixture("lettr", 503).error().pacing == .proceed)
        #expect(
            try NormalizerFixture("lettr", 503, fields: [("Retry-After", "5")]).error().pacing
                == .pauseLedger(seconds: 5))
        #expect(try NormalizerFixture("lettr", 404).error().pacing == .proceed)
    }

    @Test(
        "milliseconds are rounded up, and more exact than Retry-After",
        arguments: [
            ("1", 1), ("0", 1), ("1000", 1), ("1001", 2), ("2350.5", 3), ("60000", 60),
            ("2764800000", 2_764_800), ("2764800001", 2_764_800), ("999999999999999", 2_764_800),
            ("99999999999999999999999", 2_764_800), ("1e9", 1_000_000), ("1e400", 2_764_800), ("1e3", 1),
            (#""1500""#, 2), ("+1500", 2), ("1500, 2500", 3), ("1500;x=1", 2), ("1500, soon", 2),
        ])
    func milliseconds(value: String, seconds: Int) throws {
        for name in ["retry-after-ms", "X-MS-Retry-After-MS"] {
            #expect(try wait("generic", [(name, value)]) == seconds)
            #expect(try wait("generic", [("Retry-After", "1"), (name, value)], status: 503) == seconds)
        }
    }

    @Test(
        "milliseconds that are malformed say nothing, and Retry-After counts",
        arguments: ["-1", "1s", "", "1e", "5x, 6", "Sat, 12 Sep 2026 02:08:49 GMT"])
    func badMilliseconds(value: String) throws {
        #expect(try wait("generic", [("Retry-After-Ms", value)]) == nil)
        #expect(try wait("generic", [("Retry-After-Ms", value), ("Retry-After", "7")]) == 7)
    }

    @Test(
        "a reset may be a duration",
        arguments: [
            ("1m30s", 90), ("6h0m0s", 21_600), ("250ms", 1), ("1.5s", 2), ("0s", 1), ("32d", 2_764_800),
            ("33d", 2_764_800), ("99999999999999999h", 2_764_800), ("999999999s", 2_764_800),
        ])
    func duration(value: String, seconds: Int) throws {
        #expect(try wait("generic", [("X-RateLimit-Reset", value)]) == seconds)
        #expect(try wait("lemlist", [("X-RateLimit-Reset", value)]) == seconds)
    }

    @Test(
        "a duration that is malformed says nothing",
        arguments: ["-5s", "1m30", "5x", "ms", "s5", "1e9s"])
    func badDuration(value: String) throws {
        #expect(try wait("generic", [("X-RateLimit-Reset", value)]) == nil)
    }

    @Test(
        "RateLimit says when what it has used up is there again, in both drafts",
        arguments: [
            (#""burst";r=0;t=7"#, 7), (#""burst";r=0;t=7, "day";r=0;t=900"#, 900),
            (#""burst";r=0;t=7, "day";r=20;t=900"#, 7), (#""burst";a=0;w=7"#, 7), (#""burst";r=0;t=0"#, 1),
            ("limit=100, remaining=0, reset=30", 30), ("limit=100,remaining=0,reset=30", 30),
            (#""burst";r=0;t=2764801"#, 2_764_800), (#""burst";r=0;t=99999999999999999999999"#, 2_764_800),
            ("limit=100, remaining=0, reset=99999999999999999999999", 2_764_800),
        ])
    func structured(value: String, seconds: Int) throws {
        #expect(try wait("generic", [("RateLimit", value)]) == seconds)
        #expect(try wait("generic", [("RateLimit", #""x";r=0;t=1"#), ("RateLimit", value)]) == seconds)
        #expect(try wait("generic", [("RateLimit", value), ("Retry-After", "3")]) == 3)
        #expect(try wait("generic", [("RateLimit", value)], status: 503) == nil)
    }

    @Test(
        "RateLimit that has something left, or is malformed, says nothing",
        arguments: [
            #""burst";r=3;t=7"#, #""burst";r=0;t=-7"#, #""burst";r=0"#, #""burst";t=7"#,
            "limit=100, remaining=5, reset=30",
            "limit=100, remaining=0", "", #""open;r=0;t=7"#,
        ])
    func nothingStructured(value: String) throws {
        #expect(try wait("generic", [("RateLimit", value)]) == nil)
    }

    @Test("of several windows the reset of those that are used up counts, the latest of them")
    func windows() throws {
        let minute = [("X-RateLimit-Remaining-Minute", "0"), ("X-RateLimit-Reset-Minute", "20")]
        let day = [("X-RateLimit-Remaining-Day", "7"), ("X-RateLimit-Reset-Day", "40000")]
        #expect(try wait("generic", minute + day) == 20)
        let usedUp = [("X-RateLimit-Remaining-Day", "0"), ("X-RateLimit-Reset-Day", "40000")]
        #expect(try wait("generic", minute + usedUp) == 40_000)
        let minutely = [
            Self.date, ("x-ratelimit-minutely-remaining", "0"),
            ("x-ratelimit-minutely-reset", "1789178929000"), ("x-ratelimit-daily-remaining", "3"),
            ("x-ratelimit-daily-reset", "1789200000000"),
        ]
        #expect(try wait("generic", minutely) == 60)
        #expect(try wait("generic", [("X-Daily-Remaining", "0"), ("X-Daily-Reset", "-1")]) == nil)
    }

    @Test("a rate limit tells the limit in force, and what is left of it if the provider speaks of it")
    func limit() throws {
        func limit(
            _ limits: [RateLimit]?, profile: String = "lemlist", path: String = "/things",
            _ fields: [(String, String)]
        ) throws -> QuotaLimit? {
            var fixture = NormalizerFixture(profile, 429, fields: fields)
            fixture.limits = limits
            fixture.path = path
            return try fixture.error().limit
        }
        let theirs = [("X-RateLimit-Limit", "20"), ("X-RateLimit-Remaining", "0")]
        #expect(try limit(nil, theirs) == QuotaLimit(requests: 20, per: 2, remaining: 0, by: .credential))
        #expect(
            try limit(nil, [("X-RateLimit-Limit", "18"), ("X-RateLimit-Remaining", "0")])
                == QuotaLimit(requests: 20, per: 2, remaining: nil, by: .credential))
        let five = RateLimit(requests: 5, per: .seconds(1), by: .provider)
        #expect(
            try limit([five], theirs) == QuotaLimit(requests: 5, per: 1, remaining: nil, by: .provider))
        #expect(
            try limit([five], profile: "generic", [("RateLimit-Remaining", "0")])
                == QuotaLimit(requests: 5, per: 1, remaining: 0, by: .provider))
        #expect(try limit([], theirs) == nil)
        #expect(try limit(nil, profile: "generic", theirs) == nil)
        #expect(try limit([RateLimit(requests: 2, counted: .concurrent, by: .provider)], theirs) == nil)
    }

    @Test(
        "of several limits it is the one of which the provider speaks, else the first that counts the request"
    )
    func severalLimits() throws {
        var fixture = NormalizerFixture("generic", 429)
        var sending = RateLimit(requests: 5, per: .seconds(1), by: .provider)
        sending.routes = [try #require(RequestPattern("POST /emails"))]
        let day = RateLimit(requests: 100, counted: .day, by: .provider)
        fixture.limits = [sending, RateLimit(requests: 9, per: .seconds(3), by: .credential), day]
        #expect(try fixture.error().limit?.requests == 9)
        (fixture.method, fixture.path) = ("POST", "/emails")
        #expect(try fixture.error().limit?.requests == 5)
        fixture.fields = [
            ("X-RateLimit-Limit-Minute", "60"), ("X-RateLimit-Remaining-Minute", "3"),
            ("X-RateLimit-Limit-Day", "100"), ("X-RateLimit-Remaining-Day", "0"),
        ]
        #expect(
            try fixture.error().limit
                == QuotaLimit(requests: 100, per: 86_400, remaining: 0, by: .provider))
    }
}
