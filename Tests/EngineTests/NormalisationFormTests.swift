import TestSupport
import Testing

@Suite("the form of an error", .blocking)
struct NormalisationFormTests {
    private func respond(
        _ answer: ScriptedResponse, to method: String = "GET", profile: String = "generic",
        fields: [(String, String)] = []
    ) throws -> RawResponse {
        let upstream = try ScriptedUpstream(answering: answer)
        let provider = "providers: { p: { profile: \(profile), upstream: '\(upstream.url)', limits: [] } }"
        var response: RawResponse?
        try withProxy(provider, upstreams: [upstream]) { proxy in
            response = try proxy.exchange(method, "/p/a", fields: fields)
        }
        return try #require(response)
    }

    @Test(
        "a coded error is read and its coding is gone, unless it is relayed raw",
        arguments: [("gzip", CodedSamples.gzip), ("deflate", CodedSamples.zlib), ("br", CodedSamples.brotli)])
    func codings(coding: String, body: [UInt8]) throws {
        let fields = [("Content-Type", "application/json"), ("Content-Encoding", coding)]
        let answer = ScriptedResponse.status(404, fields: fields, body: body)
        let response = try respond(answer)
        #expect(response.code == "not_found")
        #expect(response.problem["detail"] == "Not found.")
        #expect(response.fields["Content-Encoding"] == nil)
        let raw = try respond(answer, fields: [("X-Error-Format", "raw")])
        #expect(raw.status == 404)
        #expect(raw.body.bytes == body)
        #expect(raw.fields["Content-Encoding"] == coding)
    }

    @Test("a coding that lies is told by the status")
    func brokenCoding() throws {
        let fields = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
        let response = try respond(.status(404, fields: fields, body: #"{"message":"plain"}"#))
        #expect(response.status == 404)
        #expect(response.code == "not_found")
    }

    @Test("an error without a body, to HEAD, is told by its fields", arguments: [401, 404, 429, 500])
    func head(status: Int) throws {
        let text = "HTTP/1.1 \(status) No\r\nContent-Length: 1000\r\nContent-Type: text/plain\r\n\r\n"
        let response = try respond(.raw(text), to: "HEAD")
        #expect(response.status == status)
        let codes = [401: "unauthenticated", 404: "not_found", 429: "rate_limited", 500: "provider_error"]
        #expect(response.fields["X-Error-Code"] == codes[status])
        #expect(response.fields["Content-Type"] == "application/problem+json")
        #expect(response.fields["X-Request-Id"]?.count == 26)
        #expect(response.body.count == 0)
        #expect((response.fields["Content-Length"].flatMap { Int($0) } ?? 0) > 100, "as long as for GET")
    }

    @Test("a 401 always says how to authenticate, in the provider's words if it has some")
    func challenge() throws {
        #expect(try respond(.status(401, body: "no")).fields.values(of: "WWW-Authenticate") == ["Bearer"])
        let own = [("WWW-Authenticate", #"Basic realm="api""#)]
        let response = try respond(.status(401, fields: own, body: "no"))
        #expect(response.fields.values(of: "WWW-Authenticate") == [#"Basic realm="api""#])
    }

    @Test("what described the provider's body goes, what described its response stays")
    func fields() throws {
        let gone = [
            ("ETag", #""1""#), ("Last-Modified", "Fri, 20 Nov 2026 00:00:00 GMT"), ("Content-Language", "fr"),
            ("Content-MD5", "x"), ("Digest", "x"), ("Accept-Ranges", "bytes"), ("X-Error-Code", "theirs"),
            ("X-Request-Id", "theirs"), ("Retry-After", "soon"),
        ]
        let kept = [
            ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Correlation-Id", "c"),
            ("Cache-Control", "private"),
            ("Vary", "Accept"), ("Allow", "GET"),
        ]
        let response = try respond(.status(405, fields: gone + kept, body: "no"))
        #expect(response.code == "method_not_allowed")
        for (name, value) in gone { #expect(!response.fields.values(of: name).contains(value), "\(name)") }
        for (name, value) in kept { #expect(response.fields.values(of: name).contains(value), "\(name)") }
        #expect(response.fields.values(of: "Cache-Control") == ["private"])
        #expect(response.text.contains(#""request_id":"theirs""#))
    }

    @Test("lemlist's web page in place of a response is a 404")
    func webPage() throws {
        let page = [("Content-Type", "text/html; charset=utf-8")]
        let response = try respond(.status(200, fields: page, body: "<!doctype html>"), profile: "lemlist")
        #expect(response.status == 404)
        #expect(response.code == "not_found")
        #expect(response.text.contains(#""upstream":{"status":200"#))
        #expect(response.fields["Proxy-Status"]?.hasSuffix("; received-status=200") == true)
    }

    @Test("a problem has the status of its code where that is asked for, and still tells the provider's")
    func canonicalStatus() throws {
        for (form, status) in [("provider", 418), ("canonical", 400)] {
            let upstream = try ScriptedUpstream(answering: .status(418, body: "short and stout"))
            try withProxy(to: upstream, provider: "status: \(form)") { proxy in
                let response = try proxy.exchange("GET", "/p/a")
                #expect(response.status == status)
                #expect(response.text.contains("\"status\":\(status),\"detail\""))
                #expect(response.text.contains(#""upstream":{"status":418"#))
                #expect(response.fields["Proxy-Status"]?.hasSuffix("; received-status=418") == true)
            }
        }
    }

    @Test("a rate limit's problem tells the configured limit, not the profile's")
    func limitInForce() throws {
        let fields = [("X-RateLimit-Limit", "20"), ("X-RateLimit-Remaining", "0")]
        for profile in ["lemlist", "generic"] {
            let upstream = try ScriptedUpstream(answering: .status(429, fields: fields, body: "slow"))
            let provider =
                "{ profile: \(profile), upstream: '\(upstream.url)',"
                + " limits: [{ requests: 5, per: 1s, by: provider }] }"
            try withProxy("providers: { p: \(provider) }", upstreams: [upstream]) { proxy in
                let response = try proxy.exchange("GET", "/p/a")
                #expect(response.code == "rate_limited")
                #expect(
                    response.text.contains(#""limit":{"requests":5,"per":1,"by":"provider"}"#),
                    "\(response.text)")
            }
        }
    }

    @Test("Lettr's way to its login page is a 502")
    func loginPage() throws {
        let location = [("Location", "https://app.lettr.com/login")]
        let response = try respond(.status(302, fields: location, body: "moved"), profile: "lettr")
        #expect(response.status == 502)
        #expect(response.code == "provider_bad_response")
        #expect(response.problem["origin"] == "network")
    }

    @Test("other responses below 400 pass untouched", arguments: ["lemlist", "lettr"], [200, 204, 302, 304])
    func untouched(profile: String, status: Int) throws {
        let fields = [
            ("Location", "https://other.test/"), ("ETag", #""1""#), ("Content-Type", "application/json"),
        ]
        let body = status < 204 ? #"{"error":"not really","status":500}"# : ""
        let response = try respond(.status(status, fields: fields, body: body), profile: profile)
        #expect(response.status == status)
        #expect(response.text == body)
        for (name, value) in fields { #expect(response.fields.values(of: name) == [value]) }
    }

    @Test("a request is asked for raw errors, and Weir's own faults are problems all the same")
    func ownFaults() throws {
        let upstream = try ScriptedUpstream()
        upstream.stop()
        try withProxy(to: upstream) { proxy in
            let raw = [("X-Error-Format", "raw")]
            for (target, code) in [("/p/a", "provider_unreachable"), ("/x", "route_not_found")] {
                let response = try proxy.exchange("GET", target, fields: raw)
                #expect(response.code == code)
                #expect(response.fields["Content-Type"] == "application/problem+json")
                #expect(response.fields["Proxy-Status"]?.contains("; error=") == true)
                #expect(response.fields["Cache-Control"] == "no-store")
            }
        }
    }
}
