import Core
import Testing
import Wire

@Suite("the tokens of callers")
struct AccessGuardTests {
    private static let token = "0123456789abcdef"
    private static let tokens = AccessTokens([Secret(token), Secret("another-token-of-20c")])

    private func refusal(_ fields: [(String, String)], allowsBearer: Bool = false) -> Fault? {
        var access = AccessGuard(Self.tokens, allowsBearer: allowsBearer)
        for (name, value) in fields {
            access.take(name: Array(name.utf8).span, value: Array(value.utf8).span)
        }
        return access.refusal(key: "access.token")
    }

    @Test("each of the tokens is accepted, in a field of any case")
    func accepted() {
        #expect(refusal([("X-Weir-Token", Self.token)]) == nil)
        #expect(refusal([("Accept", "*/*"), ("x-weir-token", "another-token-of-20c")]) == nil)
    }

    @Test(
        "a token that is not whole, or has more, is refused",
        arguments: [
            "", "0", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef0", "another-token-of-20",
            "(secret)",
        ])
    func refused(token: String) throws {
        let fault = try #require(refusal([("X-Weir-Token", token)]))
        #expect(fault.status == 403 && fault.code == .badClientRequest && fault.effect == .none)
        let detail = try #require(fault.detail.map { String(decoding: $0.bytes, as: UTF8.self) })
        #expect(detail == "A token is required (`access.token`), and X-Weir-Token has another token.")
    }

    @Test("a missing token is refused, and so are two of them, right or not")
    func count() throws {
        let missing = try #require(refusal([("Authorization", "Bearer \(Self.token)")])?.detail)
        #expect(String(decoding: missing.bytes, as: UTF8.self).contains("X-Weir-Token is missing"))
        let two = [("X-Weir-Token", Self.token), ("X-Weir-Token", Self.token)]
        #expect(refusal(two) != nil)
    }

    @Test("Authorization has the token only where that is allowed, and only as a bearer's")
    func bearer() {
        #expect(refusal([("Authorization", "Bearer \(Self.token)")], allowsBearer: true) == nil)
        #expect(refusal([("authorization", "bearer  \(Self.token)")], allowsBearer: true) == nil)
        #expect(refusal([("Authorization", "Basic \(Self.token)")], allowsBearer: true) != nil)
        #expect(refusal([("Authorization", "Bearer x")], allowsBearer: true) != nil)
        #expect(refusal([("Authorization", "Bearer \(Self.token)")]) != nil)
    }

    @Test("tokens are neither printed nor dumped")
    func printing() {
        var dumped = ""
        dump(Self.tokens, to: &dumped)
        for text in ["\(Self.tokens)", String(reflecting: Self.tokens), dumped] {
            #expect(!text.contains(Self.token) && !text.contains("48"))
        }
    }
}
