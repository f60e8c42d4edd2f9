import Core
import TestSupport
import Testing
import Wire

@Suite("Error normaliser")
struct ErrorNormalizerTests {
    private static let key = "lttr_0123456789abcdefghij"

    @Test("a response below 400 passes untouched, whatever its body says")
    func successPasses() throws {
        for profile in ["generic", "lemlist", "lettr"] {
            for status in [200, 201, 204, 301, 304] {
                #expect(
                    try NormalizerFixture(profile, status, #"{"error":"x","errors":{"a":["b"]}}"#).result()
                        == nil)
            }
        }
    }

    @Test("only a status, and fields that a rule names, make the body wanted")
    func wants() throws {
        var page = FieldBlock()
        page.append("content-type", "text/html; charset=utf-8")
        let lemlist = try BuiltInProfiles.normalizer("lemlist")
        #expect(lemlist.wants(status: 404, fields: FieldBlock()))
        #expect(lemlist.wants(status: 200, fields: page))
        #expect(!lemlist.wants(status: 200, fields: FieldBlock()))
        #expect(!(try BuiltInProfiles.normalizer("lettr").wants(status: 200, fields: page)))
    }

    @Test("lemlist's web page for an unknown path is a 404")
    func catchAll() throws {
        let error = try NormalizerFixture(
            "lemlist", 200, "<!DOCTYPE html><html>", fields: [("Content-Type", "text/html; charset=utf-8")]
        ).error()
        #expect(error.code == .notFound && error.status == 404 && error.upstream.status == 200)
        #expect(error.effect == .none)
    }

    @Test("Lettr's redirect to its login page is a bad response")
    func login() throws {
        let error = try NormalizerFixture(
            "lettr", 302, fields: [("Location", "https://app.lettr.com/login")]
        ).error()
        #expect(error.code == .providerBadResponse && error.status == 502)
        #expect(
            try NormalizerFixture("lettr", 302, fields: [("Location", "https://x.example/")]).result() == nil)
    }

    @Test("the official SDKs of Lettr find their members")
    func keepsMembers() throws {
        let body =
            #"{"message":"No.","error_code":"validation_error","errors":{"to.0":["bad \u0041"]},"status":"error"}"#
        let members = try NormalizerFixture("lettr", 422, body).members()
        #expect(members["message"] == .string("No."))
        #expect(members["error_code"] == .string("validation_error"))
        #expect(members["errors"] == .object(["to.0": .array([.string("bad A")])]))
        #expect(members["status"] == .number(422))
        #expect(try NormalizerFixture("lemlist", 400, body).members()["message"] == nil)
    }

    @Test("a repeat is safe if nothing happened, the method is idempotent, or the provider honours the key")
    func retryable() throws {
        var fixture = NormalizerFixture("lettr", 500, #"{"message":"x","error_code":"send_error"}"#)
        (fixture.method, fixture.path) = ("POST", "/emails?x=1")
        #expect(try !fixture.error().isRetryable)
        fixture.hasIdempotencyKey = true
        #expect(try fixture.error().isRetryable)
        fixture.path = "/emails/scheduled"
        #expect(try !fixture.error().isRetryable)
        fixture.method = "DELETE"
        #expect(try fixture.error().isRetryable)
        #expect(try fixture.error().effect == .unknown)
        #expect(try NormalizerFixture("lemlist", 500, "Lead in graveyard").error().effect == .none)
    }

    @Test("secrets that the provider repeats are redacted")
    func redacts() throws {
        var fixture = NormalizerFixture(
            "lettr", 401, #"{"message":"Invalid API key \#(Self.key).","error_code":"se\/cret+key/0"}"#)
        fixture.credential = Array("se/cret+key/0".utf8)
        let text = String(
            decoding: ProblemSchema.encode(Problem(try fixture.error(), provider: "p", requestID: "r")),
            as: UTF8.self)
        #expect(!text.contains(Self.key) && !text.contains("cret+key"))
        #expect(text.contains("Invalid API key [redacted]."))
        var other = NormalizerFixture("lemlist", 400, "Key abcdefgh is bad, abcdefgh!")
        other.credential = Array("abcdefgh".utf8)
        #expect(try other.error().detail?.string == "Key [redacted] is bad, [redacted]!")
        other.credential = Array("bad".utf8)
        #expect(try other.error().detail?.string == "Key abcdefgh is bad, abcdefgh!")
        // Of secrets that overlap nothing is left, whichever begins first.
        let key = Self.key
        for credential in [
            "Keys \(key.prefix(9))", "\(key.suffix(9))!", "\(key.dropFirst(3).prefix(8))", "\(key)-",
        ] {
            var both = NormalizerFixture("lettr", 401, #"{"message":"Keys \#(key)-! are bad: \#(key), no"}"#)
            both.credential = Array(credential.utf8)
            let detail = try #require(try both.error().detail?.string)
            #expect(detail.hasSuffix(" are bad: [redacted], no") && !detail.contains(key.suffix(6)))
            #expect(!detail.contains(key.prefix(6)))
        }
        // One that overlaps itself, and one whose first slash is escaped.
        other.credential = Array("a!a!a!a!".utf8)
        other.body = Array("Key a!a!a!a!a!a! is bad".utf8)
        #expect(try other.error().detail?.string == "Key [redacted] is bad")
        var escaped = NormalizerFixture("lettr", 401, #"{"message":"Key \/ab\/cd\/ef, \\\/ab\/cd\/ef"}"#)
        escaped.credential = Array("/ab/cd/ef".utf8)
        // The backslash could be a part of an escape that is nested in the other.
        #expect(try escaped.error().detail?.string == "Key [redacted], [redacted]")
    }

    @Test("a token that begins within another is redacted to its end")
    func redactsOverlappingTokens() throws {
        var profile = try BuiltInProfiles.normalizer("generic").profile
        profile.secretPrefixes = ["sk_", "key="]
        let body = Array("Not sk_aaaaaaaakey=bbbbbbbkey=secretsecret!".utf8)
        let answer = ProviderAnswer(status: 400, fields: FieldBlock(), body: body, isTruncated: false)
        let error = ErrorNormalizer(profile: profile).normalize(
            answer, of: RequestFacts(method: "GET", path: "/"), at: 0)
        #expect(error?.detail?.string == "Not [redacted]!")
    }

    @Test("the detail is the first line of a text, the title of a page, never markup, and never too long")
    func detail() throws {
        func detail(_ body: String, _ status: Int = 400) throws -> String? {
            try NormalizerFixture("generic", status, body).error().detail?.string
        }
        #expect(try detail("  Bad thing \r\n at line 3") == "Bad thing")
        #expect(try detail("<html><head><title>\n 502 Bad\tGateway </title>", 502) == "502 Bad Gateway")
        #expect(try detail("<html><TITLE class=x>a<b>c</TITLE>") == "a")
        #expect(try detail("<?xml version='1.0'?><Error/>") == nil)
        #expect(try detail("<html><h1>no title</h1>") == nil)
        #expect(try detail(#"{"message":"a\u0000\u001b[1m\nb\u0085"}"#) == "a[1m b")
        #expect(try detail(#"{"message":"   "}"#) == nil)
        #expect(try detail(String(repeating: "é", count: 5000))?.unicodeScalars.count == 1000)
        #expect(
            try detail(#"{"message":"\#(String(repeating: "😀", count: 3000))"}"#)?.unicodeScalars.count
                == 1000)
    }

    @Test("of a message that is cut, a single word is not shown")
    func truncated() throws {
        var fixture = NormalizerFixture("lettr", 500, #"{"message":"abc"#)
        fixture.isTruncated = true
        #expect(try fixture.error().detail == nil)
        #expect(try fixture.error().code == .providerError)
    }

    @Test("a body that is a problem already is not nested, and its members stay to be seen")
    func problemJSON() throws {
        let body =
            ##"{"type":"https://p.example/t","title":"T","status":"x","detail":"D","instance":"/i","code":"c1","##
            + ##""errors":[{"detail":"must be a valid colour","pointer":"#/profile/color"}]}"##
        let fixture = NormalizerFixture(
            "generic", 422, body, fields: [("Content-Type", "application/problem+json")])
        let members = try fixture.members()
        guard case .object(let upstream)? = members["upstream"] else {
            Issue.record("no upstream")
            return
        }
        #expect(members["type"] == .string("/-/errors/validation_failed"))
        #expect(members["detail"] == .string("D"))
        #expect(upstream["type"] == .string("https://p.example/t"))
        #expect(upstream["instance"] == .string("/i"))
        #expect(upstream["code"] == .string("c1"))
        let error = try fixture.error()
        #expect(
            error.fields == [
                FieldProblem(field: "#/profile/color", code: .invalidFormat, detail: "must be a valid colour")
            ])
    }

    @Test("what no rule knows is told so, and still an error")
    func unmapped() throws {
        #expect(try NormalizerFixture("lemlist", 430, "x").error().isMapped == false)
        #expect(try NormalizerFixture("generic", 400, "42").error().isMapped == false)
        #expect(try NormalizerFixture("generic", 400, #"{"message":"x"}"#).error().isMapped)
        #expect(try NormalizerFixture("generic", 503).error().isMapped)
        #expect(try NormalizerFixture("generic", 777, "x").error().status == 502)
    }

    @Test("every status of an error becomes a valid problem with every profile")
    func everyStatus() throws {
        for profile in ["generic", "lemlist", "lettr"] {
            for status in Array(400...531) + [598, 599, 600, 999] {
                for body in ["", "x", "{}", "<html>", #"{"message":"m","errors":{"a":"b"}}"#] {
                    let error = try NormalizerFixture(profile, status, body).error()
                    _ = ProblemSchema.encode(Problem(error, provider: "p", requestID: "r"))
                    #expect(error.rule != "none")
                }
            }
        }
    }

    @Test("the provider's id of the request is told, from its fields or its body")
    func requestID() throws {
        let fields = [("X-Correlation-Id", "abc")]
        #expect(try NormalizerFixture("lettr", 404, fields: fields).error().upstream.requestID == "abc")
        #expect(
            try NormalizerFixture("generic", 404, #"{"request_id":"r9"}"#).error().upstream.requestID == "r9")
    }
}
