import Core
import TestSupport
import Testing
import Wire

/// A body whose end is missing: a limit or a timer has cut it, or its connection was lost.
@Suite("an error whose body is cut")
struct CutBodyTests {
    private func error(
        _ body: String, status: Int = 400, profile: String = "generic", fields: [(String, String)] = []
    ) throws -> NormalizedError {
        var fixture = NormalizerFixture(profile, status, body, fields: fields)
        fixture.isTruncated = true
        return try fixture.error()
    }

    @Test(
        "the members that are complete count, wherever the body is cut behind them",
        arguments: [
            "", ",", #","x"#, #","x""#, #","x":"#, #","x":"unfinis"#, #","x":"\\u00"#, #","x":"\\"#,
            #","x":12"#, #","x":tr"#,
            #","x":-"#, #","x":1."#, #","x":1e"#, #","x":["#, #","x":[1"#, #","x":[1,"#, #","x":["a","b"#,
            #","x":{"#,
            #","x":{"y":{"z":[{"w":"#, #","x":"a b"}"#, " ", #","x":"caf\#u{C3}"#,
        ])
    func complete(rest: String) throws {
        var fixture = NormalizerFixture(
            "generic", 400, #"{"message":"The lead is locked.","code":"lead_locked""#)
        // A character of two bytes, of which the second is missing.
        fixture.body += rest.hasSuffix("\u{C3}") ? Array(rest.utf8.dropLast(2)) + [0xC3] : Array(rest.utf8)
        fixture.isTruncated = true
        let error = try fixture.error()
        #expect(error.detail?.string == "The lead is locked.")
        #expect(error.upstream.code?.string == "lead_locked")
        #expect(error.isMapped)
    }

    @Test(
        "a message that is cut is shown as far as it came, if that is more than a word",
        arguments: [
            (#"{"message":"The lead is lo"#, "The lead is lo"), (#"{"message":"The lead is "#, "The lead is"),
            (#"{"message":"The \"lead\" is \u00e9\u00"#, "The \"lead\" is é"),
            (#"{"message":"The lead\"#, "The lead"),
            (#"{"message":"Lead"#, nil), (#"{"message":"not_fou"#, nil), (#"{"message":""#, nil),
            (#"{"message":"#, nil),
            (#"{"error":{"message":"The lead is lo"#, "The lead is lo"), (#"{"mess"#, nil), ("{", nil),
            ("[", nil),
            (#"{"errors":["The lead is lo"#, nil), (#"[{"message":"The lead is lo"#, "The lead is lo"),
        ] as [(String, String?)])
    func cutMessage(body: String, detail: String?) throws {
        #expect(try error(body).detail?.string == detail)
    }

    @Test(
        "a code that is cut is no code, and a number that may be longer neither",
        arguments: [
            #"{"message":"No lead.","code":"LEAD_NOT_FO"#, #"{"message":"No lead.","code":216"#,
            #"{"message":"No lead.","error":{"code":"x_y"#, #"{"message":"No lead.","code":"lead not fo"#,
        ])
    func cutCode(body: String) throws {
        let error = try error(body)
        #expect(error.upstream.code == nil)
        #expect(error.detail?.string == "No lead.")
    }

    @Test("an id of the request that is cut is none, nor is a time to wait")
    func cutOthers() throws {
        #expect(try error(#"{"message":"No lead.","request_id":"abc"#).upstream.requestID == nil)
        #expect(try error(#"{"message":"No lead.","retry_after":3"#, status: 429).retryAfter == nil)
        #expect(try error(#"{"message":"No lead.","retry_after":30,"x"#, status: 429).retryAfter == 30)
    }

    @Test(
        "fields that are complete count, half of one does not",
        arguments: [
            (#"{"message":"x y","errors":[{"field":"to","message":"is required"},{"field":"fr"#, ["to"]),
            (
                #"{"message":"x y","errors":[{"field":"to","message":"is required"},{"field":"from","mess"#,
                ["to"]
            ),
            (#"{"message":"x y","errors":[{"field":"to","message":"is requ"#, []),
            (#"{"message":"x y","errors":{"to":["is required"],"from":["is inv"#, ["to"]),
            (#"{"message":"x y","errors":{"to":["is required"],"from":["is invalid","is t"#, ["to", "from"]),
            (#"{"message":"x y","errors":{"to":["is required"],"fr"#, ["to"]),
            (#"{"message":"x y","errors":{"to":"is required","from":"is inv"#, ["to"]),
            (
                #"{"message":"x y","errors":{"to":{"message":"is required"},"from":{"message":"is invalid","co"#,
                ["to"]
            ),
            (#"{"to":["This field is required."],"from":["This fie"#, ["to"]),
            (
                #"{"detail":[{"loc":["body","to"],"msg":"field required","type":"missing"},{"loc":["body","fr"#,
                ["to"]
            ),
        ])
    func fields(body: String, names: [String]) throws {
        #expect(try error(body, status: 422).fields.map(\.field.string) == names)
    }

    @Test("what a profile keeps is kept only if it is complete")
    func kept() throws {
        let error = try error(
            #"{"message":"Validation failed.","error_code":"x","errors":{"to":["is required"]"#, status: 422,
            profile: "lettr")
        #expect(error.kept.map(\.name.string).sorted() == ["error_code", "message"])
        for member in error.kept { #expect(JSONDocument(Array(member.value.bytes)) != nil) }
    }

    @Test("what is absent from a body that is cut may be in the rest: no rule may conclude from it")
    func absent() throws {
        let state = #"{"message":"The lead is locked.","error_code":"locked""#
        #expect(try NormalizerFixture("lettr", 422, state + "}").error().code == .conflict)
        #expect(try error(state, status: 422, profile: "lettr").code == .validationFailed)
    }

    @Test("a message that is cut is not compared as a whole")
    func comparison() throws {
        #expect(
            try NormalizerFixture("lemlist", 400, #"{"message":"Bad team"}"#).error().code
                == .permissionDenied)
        #expect(try error(#"{"message":"Bad team"#, profile: "lemlist").code != .permissionDenied)
    }

    @Test(
        "a body that is no JSON before it is cut is no JSON",
        arguments: ["{a", #"{"a" 1"#, "[1 2", "{]", #"{"a":01,"#, #"{"a":trx"#, #"{"a":"\x"#])
    func malformed(body: String) throws {
        let error = try error(body)
        #expect(error.detail == nil && error.upstream.code == nil)
    }

    @Test("a secret that is cut is not shown")
    func secret() throws {
        var fixture = NormalizerFixture(
            "generic", 401, #"{"message":"The key s3cr3t-k3y-of-an-app is not that of s3cr3t-k3"#)
        fixture.credential = Array("s3cr3t-k3y-of-an-app".utf8)
        fixture.isTruncated = true
        let detail = try #require(try fixture.error().detail?.string)
        #expect(detail.hasPrefix("The key") && !detail.contains("s3cr3t"))
    }
}
