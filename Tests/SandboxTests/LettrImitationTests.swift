import Core
import Testing

@testable import Sandbox

@Suite("Imitation of Lettr")
struct LettrImitationTests {
    /// An imitation that is asked once a second, so that no window fills.
    final class Provider {
        private var imitation: LettrImitation
        private var seconds: Int64 = 0

        init() throws { imitation = LettrImitation(cases: try Asking.cases("lettr")) }

        func ask(
            _ method: String, _ target: String, body: String = "", fields: [(String, String)]? = nil,
            more: [(String, String)] = [], pause: Int64 = 1
        ) -> ImitationResponse {
            seconds += pause
            let fields = (fields ?? [Asking.lettrKey]) + more
            return imitation.answer(Asking.request(method, target, fields, body: body, at: seconds))
        }

        /// Sends an e-mail to one recipient.
        func send(to recipient: String, more: [(String, String)] = []) -> ImitationResponse {
            let body = #"{"from":"a@example.com","to":["\#(recipient)"],"subject":"Hi","text":"Hello"}"#
            return ask("POST", "/emails", body: body, more: more)
        }
    }

    private let accept = ("Accept", "application/json")

    @Test("a missing key and a wrong one are told apart; who does not ask for JSON is sent to the login")
    func keysAreChecked() throws {
        let provider = try Provider()
        #expect(
            provider.ask("GET", "/auth/check", fields: [accept]).summary
                == #"401 {"message":"API key is required."}"#)
        let wrong = [("Authorization", "Bearer lttr_wrong")]
        #expect(
            provider.ask("GET", "/auth/check", fields: wrong).summary
                == #"401 {"message":"Invalid API key."}"#)
        let login = provider.ask("GET", "/auth/check", fields: [])
        #expect(login.status == 302)
        #expect(login.field("Location") == "https://app.lettr.com/login")
        #expect(provider.ask("GET", "/health", fields: []).json["data"]["status"] == "ok")
    }

    @Test("every response has a correlation id of its own")
    func correlation() throws {
        let provider = try Provider()
        let ids = ["/health", "/auth/check", "/nothing", "/emails/none"].map {
            provider.ask("GET", $0).field("X-Correlation-Id") ?? ""
        }
        #expect(Set(ids).count == 4)
        #expect(ids.allSatisfy { $0.count == 36 })
    }

    @Test("unknown routes and methods are answered as Laravel does")
    func routes() throws {
        let provider = try Provider()
        #expect(
            provider.ask("GET", "/nothing/x").summary
                == #"404 {"message":"The route api/nothing/x could not be found."}"#)
        let response = provider.ask("PUT", "/emails")
        #expect(response.status == 405)
        #expect(response.field("Allow") == "GET, HEAD, POST")
        let sentence =
            "The PUT method is not supported for route api/emails. Supported methods: GET, HEAD, POST."
        #expect(response.json["message"] == .string(sentence))
    }

    @Test("the fourth request within a second is refused, whichever key of the team it has")
    func rateLimit() throws {
        let provider = try Provider()
        for left in [2, 1, 0] {
            let response = provider.ask("GET", "/auth/check", pause: 0)
            #expect(response.field("X-RateLimit-Remaining") == "\(left)")
            #expect(response.field("Retry-After") == nil)
        }
        let other = [("Authorization", "Bearer lttr_demo")]
        let refused = provider.ask("GET", "/auth/check", fields: other, pause: 0)
        #expect(refused.status == 429)
        #expect(refused.isRefusal)
        #expect(refused.json["error_code"] == "rate_limit_exceeded")
        #expect(refused.field("Retry-After") == "1")
        #expect(refused.field("X-RateLimit-Reset") == "1795132801")
        #expect(provider.ask("GET", "/auth/check", fields: other, pause: 1).status == 200)
    }

    @Test(
        "what is wrong with an e-mail stands under Laravel's keys",
        arguments: [
            ("", ["from", "to", "subject", "html"]),
            (#"{"from":"a","to":["b@example.com","c"],"subject":"s","text":"t"}"#, ["from", "to.1"]),
            (#"{"from":"a@example.com","to":"b@example.com","subject":"s","text":"t"}"#, ["to"]),
            (
                #"{"from":"a@example.com","to":["b@example.com"],"cc":["x",1],"text":"t"}"#,
                ["cc.0", "cc.1", "subject"]
            ),
        ])
    func validation(body: String, keys: [String]) throws {
        let response = try Provider().ask("POST", "/emails", body: body)
        #expect(response.status == 422)
        #expect(response.json["error_code"] == "validation_error")
        guard case .object(let errors) = response.json["errors"] else {
            Issue.record("errors is no object: \(response.text)")
            return
        }
        #expect(errors.map(\.name) == keys)
        #expect(errors.allSatisfy { $0.value.elements?.allSatisfy { $0.text != nil } ?? false })
    }

    @Test("an e-mail has at most 50 recipients, whatever they are called")
    func recipients() throws {
        let list = (0..<25).map { #""r\#($0)@example.com""# }.joined(separator: ",")
        let body = { (bcc: String) in
            #"{"from":"a@example.com","subject":"s","text":"t","to":[\#(list)],"bcc":[\#(list)\#(bcc)]}"#
        }
        #expect(try Provider().ask("POST", "/emails", body: body("")).json["data"]["accepted"] == 50)
        let response = try Provider().ask("POST", "/emails", body: body(#","x@example.com""#))
        #expect(response.json["errors"] == ["to": ["The to field must not have more than 50 items."]])
    }

    @Test("a sent e-mail can be looked up and is listed")
    func sentEmail() throws {
        let provider = try Provider()
        let id = provider.send(to: "b@example.com").json["data"]["request_id"].text ?? ""
        #expect(provider.ask("GET", "/emails/\(id)").json["data"]["recipients"] == ["b@example.com"])
        let list = provider.ask("GET", "/emails?per_page=1").json["data"]["events"]
        #expect(list["total_count"] == 2)
        #expect(list["pagination"]["next_cursor"] == "1")
        #expect(provider.ask("GET", "/emails?per_page=x").json["errors"]["per_page"].elements?.count == 1)
        #expect(provider.ask("GET", "/emails/none").json["error_code"] == "not_found")
    }

    @Test("a send is repeated for its idempotency key, and refused with another payload")
    func idempotency() throws {
        let provider = try Provider()
        let key = [("Idempotency-Key", "order-1")]
        let first = provider.send(to: "b@example.com", more: key)
        let second = provider.send(to: "b@example.com", more: key)
        #expect(first.field("Idempotency-Replayed") == nil)
        #expect(second.field("Idempotency-Replayed") == "true")
        #expect(first.text == second.text)
        #expect(
            provider.send(to: "c@example.com", more: key).json["error_code"] == "idempotency_key_conflict")
        // Another key of the same team has other idempotency keys.
        let body = #"{"from":"a@example.com","to":["c@example.com"],"subject":"Hi","text":"Hello"}"#
        let other = [("Authorization", "Bearer lttr_demo")]
        #expect(provider.ask("POST", "/emails", body: body, fields: other, more: key).status == 200)
        #expect(provider.send(to: "b@example.com", more: [("Idempotency-Key", "a b")]).status == 422)
    }

    @Test(
        "an address asks for an error",
        arguments: [
            ("quota", 429, "daily_quota_exceeded"), ("monthly", 429, "quota_exceeded"),
            ("ratelimit", 429, "rate_limit_exceeded"),
        ])
    func wishes(name: String, status: Int, code: String) throws {
        let response = try Provider().send(to: "\(name)@example.com")
        #expect(response.status == status)
        #expect(response.json["error_code"] == .string(code))
        #expect(!response.isRefusal)
        #expect((response.field("Retry-After") == "1") == (name == "ratelimit"))
        #expect((response.field("X-Daily-Reset") == "1795219200") == (name != "ratelimit"))
        #expect((response.field("X-Monthly-Reset") == "1796083200") == (name != "ratelimit"))
    }

    @Test("a slow response is late, an unknown template and an unconfigured domain are refused")
    func otherWishes() throws {
        let provider = try Provider()
        #expect(provider.send(to: "slow@example.com").delay == .seconds(2))
        let template = #"{"from":"a@example.com","to":["b@example.com"],"template_slug":"none"}"#
        #expect(provider.ask("POST", "/emails", body: template).json["error_code"] == "template_not_found")
        let sender = #"{"from":"a@unconfigured.example.com","to":["b@example.com"],"subject":"s","text":"t"}"#
        #expect(provider.ask("POST", "/emails", body: sender).json["error_code"] == "unconfigured_domain")
    }

    @Test("an e-mail is scheduled between five minutes and thirty days ahead, and cancelled once")
    func scheduling() throws {
        let provider = try Provider()
        let body = { (time: String) in
            #"{"from":"a@example.com","to":["b@example.com"],"subject":"s","text":"t","scheduled_at":"\#(time)"}"#
        }
        for time in ["2026-11-20T00:04:00Z", "2026-12-25T00:00:00Z", "tomorrow", ""] {
            let response = provider.ask("POST", "/emails/scheduled", body: body(time))
            #expect(response.json["errors"]["scheduled_at"].elements?.count == 1)
        }
        let created = provider.ask("POST", "/emails/scheduled", body: body("2026-11-20T10:00:00+02:00"))
        #expect(created.status == 201)
        let path = "/emails/scheduled/" + (created.json["data"]["request_id"].text ?? "")
        #expect(provider.ask("GET", path).json["data"]["state"] == "scheduled")
        #expect(provider.ask("DELETE", path).json["data"]["state"] == "cancelled")
        #expect(provider.ask("DELETE", path).json["error_code"] == "schedule_cancellation_failed")
        #expect(provider.ask("GET", "/emails/scheduled/none").json["error_code"] == "not_found")
    }

    @Test(
        "what exists already is not created again",
        arguments: [
            ("/domains", #"{"domain":"new.example"}"#),
            (
                "/webhooks",
                #"{"name":"n","url":"https://hook.example/","auth_type":"none","events_mode":"all"}"#
            ),
            ("/audience/contacts", #"{"email":"jane@example.com"}"#),
        ])
    func duplicates(path: String, body: String) throws {
        let provider = try Provider()
        #expect(provider.ask("POST", path, body: body).status == 201)
        let second = provider.ask("POST", path, body: body)
        #expect(second.status == 409)
        #expect(second.json["error_code"] == "resource_already_exists")
        #expect(provider.ask("POST", path, body: "{}").status == 422)
    }

    @Test("templates get slugs of their own")
    func templates() throws {
        let provider = try Provider()
        let body = #"{"name":"Big News!","html":"<p>x</p>"}"#
        #expect(provider.ask("POST", "/templates", body: body).json["data"]["slug"] == "big-news")
        #expect(provider.ask("POST", "/templates", body: body).json["data"]["slug"] == "big-news-2")
        #expect(provider.ask("GET", "/templates?per_page=2").json["data"]["pagination"]["last_page"] == 2)
        #expect(
            provider.ask("GET", "/templates/html?slug=none").summary
                == #"404 {"success":false,"message":"Template not found."}"#)
    }

    @Test(
        "a path without a resource is not found",
        arguments: ["/domains/nope.example", "/webhooks/x", "/templates/x", "/audience/contacts/x"])
    func notFound(path: String) throws {
        let response = try Provider().ask("GET", path)
        #expect(response.status == 404)
        #expect(response.json["error_code"] == "not_found")
    }
}
