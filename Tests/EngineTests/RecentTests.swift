import Configuration
import TestSupport
import Testing

@Suite("what Weir's pages show of recent problems", .blocking)
struct RecentTests {
    private func object(_ value: JSONSchema.Value?) -> [String: JSONSchema.Value] {
        if case .object(let members)? = value { members } else { [:] }
    }

    private func list(_ page: RawResponse, _ name: String) -> [[String: JSONSchema.Value]] {
        guard case .array(let elements)? = object(JSONSchema.parse(page.body.bytes))[name] else { return [] }
        return elements.map { object($0) }
    }

    @Test(
        "a problem's instance leads to it, as it was sent, with what is known of its request",
        arguments: [1, 2])
    func instance(workers: Int) throws {
        let upstream = try ScriptedUpstream(answering: .status(418, body: #"{"message":"short and stout"}"#))
        try withProxy(to: upstream, workers: workers) { proxy throws in
            let fields = [("Authorization", "Bearer s3cret-s3cret"), ("X-Request-Id", "a/b?\"c%")]
            for request in [fields, []] {
                let sent = try proxy.exchange("PUT", "/p/pot?key=s3cret", fields: request, body: "s3cret")
                let instance = try #require(sent.problem["instance"])
                try eventually("the page of \(instance)") {
                    try proxy.exchange("GET", instance).status == 200
                }
                let page = try proxy.exchange("GET", instance)
                #expect(page.fields["Content-Type"] == "application/json")
                let members = object(JSONSchema.parse(page.body.bytes))
                #expect(members["request_id"] == .string(sent.problem["request_id"] ?? ""))
                #expect(members["problem"] == JSONSchema.parse(sent.body.bytes))
                #expect(members["method"] == .string("PUT") && members["path"] == .string("/p/pot"))
                #expect(members["provider"] == .string("p") && members["status"] == .number(418))
                #expect(members["attempts"] == .number(1) && members["upstream_seconds"] != nil)
                #expect(!page.text.contains("s3cret"))
            }
        }
    }

    @Test("problems of requests that are no HTTP are there as well, and answers that are none are not")
    func others() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            try client.send("GARBAGE\r\n\r\n")
            let instance = try #require(client.readResponse().problem["instance"])
            try eventually("the page of \(instance)") { try proxy.exchange("GET", instance).status == 200 }
            let fine = try proxy.exchange("GET", "/p/x")
            #expect(fine.status == 200)
            let unknown = try proxy.exchange("GET", "/-/requests/\(fine.fields["X-Request-Id"] ?? "")")
            #expect(unknown.status == 404 && unknown.code == "route_not_found")
            #expect(unknown.problem["detail"]?.contains("last 256 problems") == true)
            let index = list(try proxy.exchange("GET", "/-/requests"), "problems")
            #expect(index.count == 1 && index.first?["code"] == .string("bad_client_request"))
        }
    }

    @Test("the last 256 are kept, the latest first")
    func bounded() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for number in 0..<300 {
                let id = ("X-Request-Id", "r\(number)")
                #expect(try client.exchange("GET", "/nowhere", fields: [id]).status == 404)
            }
            let kept = list(try client.exchange("GET", "/-/requests"), "problems").map { $0["request_id"] }
            #expect(kept == (44..<300).reversed().map { .string("r\($0)") })
            #expect(try client.exchange("GET", "/-/requests/r43").status == 404)
            #expect(try client.exchange("GET", "/-/requests/r44").status == 200)
        }
    }

    @Test("answers that no rule knows are counted by status and type, with an excerpt without secrets")
    func unmapped() throws {
        let key = "s3cret-s3cret"
        let body = "odd \(key) " + String(repeating: "x", count: 2000)
        let upstream = try ScriptedUpstream { exchange in
            let type = exchange.request.target == "/a" ? "text/x-odd" : "text/odd2"
            try exchange.respond(.status(456, fields: [("Content-Type", type)], body: body))
        }
        try withProxy(to: upstream, provider: "credential: \(key)") { proxy throws in
            let client = try proxy.client()
            for path in ["/p/a", "/p/b", "/p/a", "/p/a"] {
                #expect(try client.exchange("GET", path).problem["mapped"] == "false")
            }
            let page = try client.exchange("GET", "/-/unmapped")
            let answers = list(page, "answers")
            #expect(answers.map { $0["content_type"] } == [.string("text/x-odd"), .string("text/odd2")])
            #expect(answers.map { $0["count"] } == [.number(3), .number(1)])
            #expect(answers.allSatisfy { $0["provider"] == .string("p") && $0["status"] == .number(456) })
            guard case .string(let excerpt)? = answers.first?["excerpt"] else {
                throw PeerError.unexpected(page.text)
            }
            #expect(excerpt.hasPrefix("odd [redacted] xxx") && excerpt.utf8.count == 512)
            #expect(!page.text.contains(key))
            guard case .number(let first)? = answers.first?["first_seen"],
                case .number(let last)? = answers.first?["last_seen"]
            else { throw PeerError.unexpected(page.text) }
            #expect(first > 1e9 && last >= first)
        }
    }

    @Test("answers of another shape are another entry, whatever their values, order and numbers are")
    func unmappedShapes() throws {
        let bodies = [
            #"{"a":1}"#, #"{"a":2}"#, #"{"b":1}"#, #"{"a":"x"}"#, #"{"a":1,"c":[{"d":null}]}"#,
            #"{"c":[{"d":null},{"d":null}],"a":7}"#,
            #"{"id_17":1}"#, #"{"id_2048":1}"#, "[1]", "[1,2,3]", "7",
        ]
        let upstream = try ScriptedUpstream { exchange in
            let index = Int(exchange.request.target.dropFirst()) ?? 0
            try exchange.respond(
                .status(456, fields: [("Content-Type", "application/json")], body: bodies[index]))
        }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            for index in bodies.indices {
                #expect(try client.exchange("GET", "/p/\(index)").problem["mapped"] == "false")
            }
            let answers = list(try client.exchange("GET", "/-/unmapped"), "answers")
            let counts = answers.reduce(into: [String: Double]()) { counts, answer in
                if case .string(let shape)? = answer["shape"], case .number(let count)? = answer["count"] {
                    counts[shape] = count
                }
            }
            #expect(
                counts == [
                    "{a:number}": 2, "{b:number}": 1, "{a:string}": 1, "{a:number,c:[{d:null}]}": 2,
                    "{id_0:number}": 2, "[number]": 2,
                    "number": 1,
                ])
        }
    }

    @Test("however many shapes a provider has, so many are kept")
    func unmappedShapesAreBounded() throws {
        let upstream = try ScriptedUpstream { exchange in
            let letters = exchange.request.target.dropFirst()
            try exchange.respond(.status(456, body: "{\"\(letters)\":1}"))
        }
        try withProxy(to: upstream) { proxy throws in
            let client = try proxy.client()
            let letters = Array("abcdefghijklmnop")
            for index in 0..<256 {
                _ = try client.exchange("GET", "/p/\(letters[index / 16])\(letters[index % 16])")
            }
            let answers = list(try client.exchange("GET", "/-/unmapped"), "answers")
            #expect(answers.count == 128)
            #expect(answers.contains { $0["shape"] == .string("{pp:number}") })
            #expect(!answers.contains { $0["shape"] == .string("{aa:number}") })
        }
    }
}
