import Testing

@testable import Core

@Suite("what Weir writes into fields")
struct WrittenFieldTests {
    private func decoded(_ text: String) -> [UInt8]? { Base64.decode(Array(text.utf8).span) }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test(
        "Server-Timing is in milliseconds, a negative time is none",
        arguments: [
            (0, "0"), (999, "0"), (1000, "0.001"), (1_500_000, "1.500"), (12_000_000, "12"), (-5, "0"),
            (Int64.max, "9223372036854.775"), (10_000, "0.010"),
        ] as [(Int64, String)])
    func serverTiming(_ nanoseconds: Int64, _ expected: String) {
        var value: [UInt8] = []
        ServerTiming.append(queue: nanoseconds, upstream: 0, proxy: nanoseconds, to: &value)
        #expect(text(value) == "queue;dur=\(expected), upstream;dur=0, proxy;dur=\(expected)")
    }

    @Test("a policy is called default when it is the only one, else after its window")
    func policies() {
        let lemlist = PacingPolicy.Window(requests: 20, per: .seconds(2))
        let short = PacingPolicy.Window(requests: 3, per: .milliseconds(1001))
        #expect(text(RateLimitFields.policy([lemlist])) == #""default";q=20;w=2"#)
        #expect(
            text(RateLimitFields.policy([lemlist, short])) == #""20-per-2s";q=20;w=2, "3-per-2s";q=3;w=2"#)
        #expect(RateLimitFields.policy([]) == [])
    }

    @Test("what is left is never negative, and its time is rounded up")
    func rateLimit() {
        let window = PacingPolicy.Window(requests: 20, per: .seconds(2))
        func value(_ remaining: Int, _ reset: Duration) -> String {
            var bytes: [UInt8] = []
            RateLimitFields.append(
                Headroom(window: window, remaining: remaining, resetIn: reset),
                named: Array(#""default""#.utf8), to: &bytes)
            return text(bytes)
        }
        #expect(value(7, .milliseconds(1001)) == #""default";r=7;t=2"#)
        #expect(value(-1, .seconds(-1)) == #""default";r=0;t=0"#)
        #expect(value(20, .zero) == #""default";r=20;t=0"#)
    }

    @Test("request ids are 26 characters, sort by time, and differ")
    func requestIDs() {
        var generator = RequestIDGenerator(seed: 1)
        let alphabet = Set("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
        let ids = (0..<1000).map { generator.next(milliseconds: 1_795_132_800_000 + UInt64($0)) }
        #expect(ids.allSatisfy { $0.count == 26 && alphabet.isSuperset(of: $0) })
        #expect(zip(ids, ids.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) })
        let sameTime = Set((0..<1000).map { _ in generator.next(milliseconds: 0) })
        #expect(sameTime.count == 1000)
        var other = RequestIDGenerator(seed: 2)
        #expect(!sameTime.contains(other.next(milliseconds: 0)))
        #expect(text(Array(generator.next(milliseconds: (1 << 48) - 1).prefix(10))) == "7ZZZZZZZZZ")
    }

    @Test(
        "base 64 is written with padding and read with or without",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func base64(_ plain: String, _ encoded: String) {
        #expect(text(Base64.encode(Array(plain.utf8))) == encoded)
        #expect(decoded(encoded) == Array(plain.utf8))
        #expect(decoded(encoded.filter { $0 != "=" }) == Array(plain.utf8))
    }

    @Test("both alphabets of base 64 are read, other characters are not")
    func base64Alphabets() {
        #expect(decoded("+/-_") == decoded("-_+/"))
        #expect(decoded("Zm9 v") == nil)
        #expect(decoded("Zm9*") == nil)
    }
}
