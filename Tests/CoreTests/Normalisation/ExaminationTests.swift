import Configuration
import Core
import Testing
import Wire

@Suite("Successes that may be errors in disguise")
struct ExaminationTests {
    /// Rules for successes, as profiles of Slack, GraphQL and Monday would have them.
    private static let normalizer = Result {
        ErrorNormalizer(profile: try ProfileReader.read(text: profile, file: "disguise.yaml", generic: nil))
    }

    private static let profile = """
        name: disguise
        read: { code: [/error], message: [/message] }
        rules:
          - name: head
            when: { status: 200-399, header: { name: X-Fault, equals: 'yes' } }
            is: invalid_request
            answer_with: 400
          - name: code
            when: { status: 200-399, code: channel_not_found }
            is: not_found
            answer_with: 404
          - name: errors
            when: { status: 200-399, has: /errors }
            is: invalid_request
            answer_with: 400
          - name: no data
            when: { status: 200-399, lacks: [/data, /ok] }
            is: provider_error
            answer_with: 502
          - name: typed
            when: { status: 200-399, content_type: { starts_with: application/vnd.odd }, content: text }
            is: provider_error
            answer_with: 502
          - name: odd JSON
            when: { status: 250, content: json, has: /fault }
            is: provider_error
            answer_with: 502
          - name: page
            when: { status: 200-399, content: html }
            is: provider_bad_response
            answer_with: 502
        """

    private static func fields(_ type: String?, _ more: [(String, String)] = []) -> FieldBlock {
        var block = FieldBlock()
        if let type { block.append("Content-Type", type) }
        for (name, value) in more { block.append(name, value) }
        return block
    }

    /// The rule that an answer matches, or `nil`.
    private func rule(
        _ status: Int, _ type: String?, _ body: String, _ more: [(String, String)] = [],
        method: String = "GET",
        isTruncated: Bool = false
    ) throws -> String? {
        let answer = ProviderAnswer(
            status: status, fields: Self.fields(type, more), body: Array(body.utf8), isTruncated: isTruncated)
        return try Self.normalizer.get().normalize(
            answer, of: RequestFacts(method: method, path: "/"), at: 0)?.rule
    }

    private func wants(
        _ status: Int, _ type: String?, _ more: [(String, String)] = [], isHead: Bool = false,
        length: Int64? = nil
    ) throws -> Bool {
        try Self.normalizer.get().wants(
            status: status, fields: Self.fields(type, more), isHead: isHead, length: length, limit: 1000)
    }

    @Test(
        "JSON below 400 is examined, whatever its Content-Type is called",
        arguments: [
            "application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
            " application/json ;x=y",
            "text/json", "application/problem+json", "application/graphql-response+json",
            "application/vnd.api+json;v=1",
        ])
    func json(type: String) throws {
        #expect(try wants(200, type))
        #expect(try wants(399, type, length: 1000))
        #expect(try rule(200, type, #"{"ok":false,"error":"channel_not_found"}"#) == "code")
        #expect(try rule(200, type, #"{"errors":[{"message":"x"}]}"#) == "errors")
        #expect(try rule(200, type, #"{"message":"x"}"#) == "no data")
        #expect(try rule(200, type, #"{"data":{}, "ok":true}"#) == nil)
    }

    @Test(
        "what is not JSON below 400 is not held back",
        arguments: [
            "text/event-stream", "text/event-stream; charset=utf-8", "application/x-ndjson",
            "application/jsonl", "application/json-seq", "application/stream+json",
            "application/octet-stream",
            "text/csv", "text/plain", "image/png", "application/jsonp", "json", "+json", "",
        ])
    func otherTypes(type: String) throws {
        #expect(try !wants(200, type))
        #expect(try !wants(200, type, length: 10))
        for body in [#"{"errors":[1]}"#, #"{"message":"x"}"#, "data: {}\n\n", ""] {
            #expect(try rule(200, type, body) == nil)
        }
    }

    @Test("a body without a Content-Type is examined only if it has a length")
    func withoutType() throws {
        #expect(try !wants(200, nil))
        #expect(try wants(200, nil, length: 20))
        #expect(try rule(200, nil, #"{"errors":[1]}"#) == "errors")
    }

    @Test("a type that a rule names, or a kind of body that it is about, is examined")
    func named() throws {
        #expect(try wants(200, "application/vnd.odd"))
        #expect(try rule(200, "application/vnd.odd+text", "failed") == "typed")
        #expect(try wants(200, "text/html; charset=utf-8"))
        #expect(try rule(200, "text/html", "<!DOCTYPE html><html>") == "page")
        #expect(try rule(200, "text/html", #"{"errors":[1]}"#) == nil)
    }

    @Test(
        "a rule about JSON looks at any body that has a length",
        arguments: ["text/plain", "text/html", "x/y"])
    func wrongType(type: String) throws {
        #expect(try wants(250, type, length: 20))
        #expect(try rule(250, type, #"{"fault":1}"#) == "odd JSON")
        if type == "x/y" { #expect(try !wants(250, type)) }
    }

    @Test("a body announced to be longer than an error may be is not held back", arguments: [200, 302])
    func announcedLength(status: Int) throws {
        #expect(try wants(status, "application/json", length: 1000))
        #expect(try !wants(status, "application/json", length: 1001))
        #expect(try !wants(status, "application/json", length: .max))
        #expect(try wants(500, "application/json", length: .max))
    }

    @Test("a body that was cut is no error, whatever has come of it")
    func cut() throws {
        let body = #"{"message":"x","errors":[{"message":"y"}],"error":"channel_not_found"}"#
        #expect(try rule(200, "application/json", body) == "code")
        #expect(try rule(200, "application/json", body, isTruncated: true) == nil)
        #expect(try rule(200, "application/vnd.odd", "failed", isTruncated: true) == nil)
        #expect(try rule(400, "application/json", body, isTruncated: true) != nil)
    }

    @Test("nothing is said to be absent from a body that cannot be read")
    func unreadable() throws {
        for body in ["", "oops", #"{"data":{"a":"#, "\u{1}\u{2}"] {
            #expect(try rule(200, "application/json", body) == nil, "\(body)")
        }
    }

    @Test("a response without a body is an error only by its head", arguments: [200, 201, 204, 205, 304])
    func bodiless(status: Int) throws {
        let fault = [("X-Fault", "yes")]
        let isHead = status < 204
        #expect(try !wants(status, "application/json", isHead: isHead))
        #expect(try wants(status, "application/json", fault, isHead: isHead))
        #expect(try rule(status, "application/json", "", method: isHead ? "HEAD" : "GET") == nil)
        #expect(try rule(status, "application/json", "", fault, method: isHead ? "HEAD" : "GET") == "head")
    }

    @Test(
        "a rule about the head alone needs no body",
        arguments: ["text/event-stream", "application/json", nil])
    func headAlone(type: String?) throws {
        let fault = [("X-Fault", "yes")]
        #expect(try wants(200, type, fault, length: .max))
        #expect(try rule(200, type, "a part", fault, isTruncated: true) == "head")
    }
}
