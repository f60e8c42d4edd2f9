import Core
import Testing
import Wire

@Suite("Weir's limits beside a provider's")
struct RateLimitMergingTests {
    private func naming(_ values: [(String, String)]) -> RateLimitFields.Naming? {
        var fields = FieldBlock()
        for (name, value) in values { fields.append(name, value) }
        return RateLimitFields.naming(
            behind: fields, names: [Array(#""default""#.utf8), Array(#""5-per-1s""#.utf8)])
    }

    @Test(
        "ours keep their names where the provider's are others",
        arguments: [
            #""theirs";r=5;t=9"#, #""a,default;x";r=1, token;r=2"#, "", " , ", #""default2";r=1"#,
            "*a/b:c;r=1",
            #""x";pk=:ZGVmYXVsdA==:;r=1"#, #""DEFAULT";r=1"#,
        ])
    func own(value: String) {
        #expect(naming([("RateLimit", value)]) == .own)
    }

    @Test("a name of ours in either field gives all of ours a prefix")
    func prefixed() {
        #expect(naming([("ratelimit", #""a";r=1, "5-per-1s";r=2"#)]) == .prefixed)
        #expect(naming([("RateLimit", "default;r=1")]) == .prefixed)
        #expect(naming([("RateLimit", #""a";r=1"#), ("RATELIMIT-POLICY", #""default";q=1"#)]) == .prefixed)
        #expect(naming([("RateLimit", #""default";r=1, "weir-5-per-1s";r=2"#)]) == nil)
        #expect(naming([("X-RateLimit", #""default";r=1"#)]) == .own)
    }

    @Test(
        "what is no list of names gets nothing behind it",
        arguments: [
            "limit=100, remaining=50", #""open;r=1"#, #""a"b;r=1"#, #""a\"b";r=1"#, "100;w=60", "?1",
            ":YQ==:",
            #""a";r=1, =2"#, "(1 2);r=1", "é;r=1", "a b;r=1", "\"", ";r=1",
        ])
    func noList(value: String) {
        #expect(naming([("RateLimit", value)]) == nil)
        #expect(naming([("RateLimit", #""a";r=1"#), ("RateLimit-Policy", value)]) == nil)
    }

    @Test("the prefix is in both values")
    func values() {
        let window = PacingPolicy.Window(requests: 5, per: .seconds(2))
        #expect(
            RateLimitFields.policy([window], naming: .prefixed) == Array(#""weir-default";q=5;w=2"#.utf8))
        #expect(RateLimitFields.policy([window]) == Array(#""default";q=5;w=2"#.utf8))
    }
}
