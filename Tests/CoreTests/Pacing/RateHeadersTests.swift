import Testing
import Wire

@testable import Core

@Suite("what fields tell of the provider's count")
struct RateHeadersTests {
    private static let usual = names {
        $0.limit = ["X-RateLimit-Limit"]
        $0.remaining = ["X-RateLimit-Remaining", "RateLimit-Remaining"]
        $0.reset = ["X-RateLimit-Reset"]
        $0.used = ["X-Shopify-Shop-Api-Call-Limit"]
        $0.state = ["RateLimit"]
        $0.policy = ["RateLimit-Policy"]
    }

    private static func names(_ fill: (inout RateFields) -> Void) -> RateFields {
        var names = RateFields()
        fill(&names)
        return names
    }

    private func read(_ fields: [(String, String)]) -> (RateObservation?, Int?) {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name, value) }
        let headers = RateHeaders(names: Self.usual)
        // 2026-09-12 02:07:39 UTC.
        return (headers.observation(block), headers.resetSeconds(block, at: 1_789_178_859))
    }

    @Test("every spelling of a count is read")
    func counts() {
        let cases: [([(String, String)], RateObservation?)] = [
            (
                [("x-ratelimit-limit", "20"), ("x-ratelimit-remaining", "19")],
                RateObservation(limit: 20, remaining: 19)
            ),
            ([("RateLimit-Remaining", " 7 ")], RateObservation(limit: nil, remaining: 7)),
            (
                [("X-RateLimit-Limit", "300/3000/12000"), ("X-RateLimit-Remaining", "299/12/11000")],
                RateObservation(limit: 3000, remaining: 12)
            ),
            ([("X-Shopify-Shop-Api-Call-Limit", "39/40")], RateObservation(limit: 40, remaining: 1)),
            ([("X-Shopify-Shop-Api-Call-Limit", "41/40")], RateObservation(limit: 40, remaining: 0)),
            ([("RateLimit", #""default";r=50;t=30"#)], RateObservation(limit: nil, remaining: 50)),
            (
                [
                    ("RateLimit", #""a,b";r=50;t=30, "day";t=4000;r=7;pk=:x:"#),
                    ("RateLimit-Policy", #""a,b";q=60;w=60, "day";q=100;w=86400"#),
                ],
                RateObservation(limit: 100, remaining: 7)
            ),
            ([("RateLimit", #""default";a=3;w=30"#)], RateObservation(limit: nil, remaining: 3)),
            (
                [("RateLimit", "limit=100, remaining=50, reset=30")],
                RateObservation(limit: 100, remaining: 50)
            ),
            ([("RateLimit", "limit=100;w=60, remaining=5")], RateObservation(limit: 100, remaining: 5)),
        ]
        for (fields, expected) in cases { #expect(read(fields).0 == expected, "\(fields)") }
    }

    @Test(
        "a number may have a fraction, groups of digits, parameters, or more numbers behind it",
        arguments: [
            ("0.0", 0), ("0.9", 0), ("12.7", 12), ("1,000", 1000), ("1,234,567", 1_234_567),
            ("1,234.5", 1234), ("100, 100;w=60", 100),
            ("10;w=1", 10), ("10, 10;w=1, 50;w=60", 10), ("100,100;w=60", 100), ("7 ;w=1", 7), ("5, 6", 5),
            ("5,67", 5), ("9.0/12.5", 9),
        ])
    func numbers(value: String, remaining: Int) {
        #expect(read([("X-RateLimit-Remaining", value)]).0?.remaining == remaining)
        #expect(read([("x-ratelimit-remaining", value), ("X-RateLimit-Limit", value)]).0?.limit == remaining)
    }

    @Test(
        "a number that is malformed says nothing",
        arguments: [
            "0.", ".5", "1.x", "1e3", "0x10", "1 2", "++5", ",5", "1..2", "1.5.5", "99999999999,999,999,999",
            "5 requests", "1_000",
            "٣", "1/x",
        ])
    func badNumbers(value: String) {
        #expect(read([("X-RateLimit-Remaining", value)]).0 == nil)
    }

    @Test(
        "what is malformed, negative, endless or from a cache says nothing",
        arguments: [
            [("X-RateLimit-Remaining", "-1")], [("X-RateLimit-Remaining", "many")],
            [("X-RateLimit-Remaining", "")],
            [("X-RateLimit-Remaining", "99999999999999999999999")], [("X-RateLimit-Remaining", "1/2/3/4/5")],
            [("X-RateLimit-Remaining", "1/")], [("X-Shopify-Shop-Api-Call-Limit", "39")],
            [("RateLimit", #""default""#)], [("RateLimit", #""default";r=x"#)], [("RateLimit", #"";r"#)],
            [("RateLimit", "")], [("RateLimit", #""open;r=5"#)],
            [("X-RateLimit-Remaining", "5"), ("Age", "3")], [("X-RateLimit-Limit", "5")], [],
        ])
    func nothing(fields: [(String, String)]) {
        #expect(read(fields).0 == nil)
    }

    @Test(
        "every spelling of a reset is read, against the response's own clock where it has one",
        arguments: [
            ("30", 30), ("1789178889", 30), ("1789178889500", 31), ("1m30s", 90), ("250ms", 1),
            ("6h0m0s", 21_600),
            ("1.5s", 2), ("2026-09-12T02:08:09Z", 30), ("2026-09-12T02:08Z", 21),
            ("2026-09-12T04:08:09.25+02:00", 30),
            ("2026-09-12 02:08:09", 30), ("2026-09-13", 78_741), ("Sat, 12 Sep 2026 02:08:09 GMT", 30),
            ("Sat Sep 12 2026 04:08:09 GMT+0200 (Central European Summer Time)", 30),
        ])
    func resets(value: String, seconds: Int) {
        #expect(read([("X-RateLimit-Reset", value)]).1 == seconds)
        let other = [("X-RateLimit-Reset", "1789179859"), ("Date", "Sat, 12 Sep 2026 02:24:09 GMT")]
        #expect(read(other).1 == 10)
    }

    @Test("the reset of a structured field is read, and what is no time says nothing")
    func structuredReset() {
        #expect(read([("RateLimit", #""a";r=5;t=9, "b";r=2;t=40"#)]).1 == 40)
        #expect(read([("RateLimit", "limit=10, remaining=5, reset=12")]).1 == 12)
        for value in ["soon", "1x", "ms", "-5", "1m30", "1e9s", ".s", ""] {
            #expect(read([("X-RateLimit-Reset", value)]).1 == nil, "\(value)")
        }
    }

    @Test(
        "of several windows the tightest that is a limit of ours counts, with its own reset; else the first")
    func windows() {
        let names = Self.names {
            $0.limit = ["X-RateLimit-Limit", "X-RateLimit-Limit-Minute", "X-RateLimit-Limit-Day"]
            $0.remaining = [
                "X-RateLimit-Remaining", "X-RateLimit-Remaining-Minute", "X-RateLimit-Remaining-Day",
            ]
            $0.reset = ["X-RateLimit-Reset", "X-RateLimit-Reset-Minute", "X-RateLimit-Reset-Day"]
        }
        var block = FieldBlock()
        for (name, value) in [
            ("X-RateLimit-Limit-Minute", "60"), ("X-RateLimit-Remaining-Minute", "12"),
            ("X-RateLimit-Reset-Minute", "30"), ("X-RateLimit-Limit-Day", "1000"),
            ("X-RateLimit-Remaining-Day", "7"), ("X-RateLimit-Reset-Day", "5000"),
        ] { block.append(name, value) }
        let cases: [([Int], Int, Int, Int)] = [
            ([], 60, 12, 30), ([60], 60, 12, 30), ([1000], 1000, 7, 5000), ([60, 1000], 1000, 7, 5000),
            ([20], 60, 12, 30),
        ]
        for (limits, limit, remaining, reset) in cases {
            let headers = RateHeaders(names: names, limits: limits)
            #expect(
                headers.observation(block) == RateObservation(limit: limit, remaining: remaining), "\(limits)"
            )
            #expect(headers.resetSeconds(block, at: 1_789_178_859) == reset, "\(limits)")
        }
        block.append("X-RateLimit-Limit", "1000/60")
        block.append("X-RateLimit-Remaining", "3/20")
        #expect(
            RateHeaders(names: names, limits: [60]).observation(block)
                == RateObservation(limit: 60, remaining: 12))
    }

    @Test("a window whose limit is not said, or is malformed, is not taken for ours")
    func windowsWithoutLimit() {
        let names = Self.names {
            $0.limit = ["A-Limit", "B-Limit"]
            $0.remaining = ["A-Remaining", "B-Remaining"]
        }
        for limit in ["", "x", "-60", "99999999999999999999999"] {
            var block = FieldBlock()
            block.append("A-Limit", "60")
            block.append("A-Remaining", "12")
            block.append("B-Limit", limit)
            block.append("B-Remaining", "1")
            let headers = RateHeaders(names: names, limits: [60, 1000])
            #expect(headers.observation(block) == RateObservation(limit: 60, remaining: 12))
        }
    }
}
