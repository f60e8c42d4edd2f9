import HTTPWire
import ProxyCore
import Testing

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
        "what is malformed, past or absurd says nothing",
        arguments: [
            "-5", "soon", "", "99999999999", "99999999999999999999999", "1e3", "1.", ".5", "2, 3", "1.2.3",
            "0x10",
            "Sat, 12 Sep 2026 02:07:00 GMT", "Sat, 99 Sep 2026 02:07:00 GMT", "Sat, 12 Foo 2026 02:09:00 GMT",
            "\u{0}",
        ])
    func nonsense(value: String) throws {
        #expect(try wait("generic", [Self.date, ("Retry-After", value)]) == nil)
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

    @Test("the answer's own Date decides, and our clock only where there is none")
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

    @Test("the state of the limit is read from every answer, whatever the dialect")
    func rate() throws {
        var fields = FieldBlock()
        fields.append("Date", "Sat, 12 Sep 2026 02:07:49 GMT")
        fields.append("x-ratelimit-limit", "20")
        fields.append("x-ratelimit-remaining", "19")
        fields.append("x-ratelimit-reset", "Sat Sep 12 2026 04:07:51 GMT+0200 (Central European Summer Time)")
        let names = try BuiltInProfiles.normalizer("lemlist").profile.rateFields
        let reading = RateReading(fields, named: names, at: 0)
        #expect(reading.limit == 20 && reading.remaining == 19 && reading.resetAfter == 2)
        let nothing = RateReading(FieldBlock(), named: names, at: 0)
        #expect(nothing.limit == nil && nothing.remaining == nil && nothing.resetAfter == nil)
    }

    @Test("a rate limit tells the limit, as the answer's fields have it")
    func limit() throws {
        let error = try NormalizerFixture(
            "lemlist", 429, fields: [("X-RateLimit-Limit", "18"), ("X-RateLimit-Remaining", "0")]
        ).error()
        #expect(error.limit == QuotaLimit(requests: 18, per: 2, remaining: 0, by: .credential))
        #expect(try NormalizerFixture("generic", 429).error().limit == nil)
    }
}
