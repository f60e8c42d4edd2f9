import Core
import Testing

@testable import Sandbox

@Suite("Imitation of lemlist")
struct LemlistImitationTests {
    /// An imitation that is asked once a second, so that no window fills.
    final class Provider {
        private var imitation: LemlistImitation
        private var seconds: Int64 = 0

        init() throws { imitation = LemlistImitation(cases: try Asking.cases("lemlist")) }

        func ask(
            _ method: String, _ target: String, body: String = "", fields: [(String, String)]? = nil,
            pause: Int64 = 1
        ) -> ImitationResponse {
            seconds += pause
            let fields = fields ?? [Asking.lemlistKey]
            return imitation.answer(Asking.request(method, target, fields, body: body, at: seconds))
        }
    }

    private let campaign = LemlistCampaign.samples[0].id

    @Test(
        "the response to a missing or wrong key is a bare sentence without a content type",
        arguments: [
            ([], "400 no api key provided"),
            ([("Authorization", "Bearer lemlist_demo")], "400 no api key provided"),
            // The key without its colon.
            ([("Authorization", "Basic bGVtbGlzdF9kZW1v")], "400 no api key provided"),
            ([("Authorization", "Basic Ondyb25n")], "401 The authentication you supplied is incorrect"),
            // The right key behind a user.
            (
                [("Authorization", "Basic YTpsZW1saXN0X2RlbW8=")],
                "401 The authentication you supplied is incorrect"
            ),
        ])
    func keysAreChecked(fields: [(String, String)], answer: String) throws {
        let response = try Provider().ask("GET", "/team", fields: fields)
        #expect(response.summary == answer)
        #expect(response.field("Content-Type") == nil)
    }

    @Test("the key may stand in the query")
    func keyInQuery() throws {
        #expect(try Provider().ask("GET", "/team?access_token=lemlist_demo", fields: []).status == 200)
        #expect(try Provider().ask("GET", "/team?access_token=other", fields: []).status == 401)
    }

    @Test("a path that the API has not is the web application's page, whatever the key")
    func unknownPath() throws {
        let response = try Provider().ask("GET", "/nothing/here", fields: [])
        #expect(response.status == 200)
        #expect(response.field("Content-Type") == "text/html; charset=utf-8")
        #expect(response.text.hasPrefix("<!DOCTYPE html>"))
        #expect(response.field("X-RateLimit-Limit") == nil)
    }

    @Test("a wrong method is told the right ones")
    func wrongMethod() throws {
        let response = try Provider().ask("PUT", "/campaigns")
        #expect(response.summary == "405 ")
        #expect(response.field("Allow") == "GET, POST")
    }

    @Test("the 21st request within two seconds is refused, and every response tells the state of the window")
    func rateLimit() throws {
        let provider = try Provider()
        for left in stride(from: 19, through: 0, by: -1) {
            let response = provider.ask("GET", "/team/credits", pause: 0)
            #expect(response.status == 200)
            #expect(response.field("X-RateLimit-Remaining") == "\(left)")
            #expect(response.field("Retry-After") == "2")
        }
        let refused = provider.ask("GET", "/team/credits", pause: 1)
        #expect(refused.summary == "429 Too Many Requests")
        #expect(refused.isRefusal)
        #expect(refused.field("X-RateLimit-Limit") == "20")
        #expect(
            refused.field("X-RateLimit-Reset")
                == "Fri Nov 20 2026 01:00:02 GMT+0100 (Central European Standard Time)")
        // Another key has another window, even if it is a wrong one.
        #expect(provider.ask("GET", "/team?access_token=x", fields: [], pause: 0).status == 401)
        #expect(provider.ask("GET", "/team/credits", pause: 1).status == 200)
    }

    @Test("a lead is added once to a campaign, and found by its address")
    func leads() throws {
        let provider = try Provider()
        let path = "/campaigns/\(campaign)/leads/"
        let created = provider.ask("POST", path, body: #"{"email":"john@example.com","firstName":"John"}"#)
        #expect(created.status == 200)
        #expect(created.json["campaignId"] == .string(campaign))
        #expect(created.json["firstName"] == "John")
        #expect(created.json["_id"].text?.hasPrefix("lea_") == true)
        #expect(
            provider.ask("POST", path, body: #"{"email":"JOHN@example.com"}"#).summary
                == "400 Lead already in the campaign")
        let other = "/campaigns/\(LemlistCampaign.samples[1].id)/leads/?deduplicate=true"
        #expect(
            provider.ask("POST", other, body: #"{"email":"john@example.com"}"#).summary
                == "409 Lead already in other campaign")
        let found = provider.ask("GET", "/leads/john%40example.com?version=v2")
        #expect(found.json.elements?.first?["variables"]["firstName"] == "John")
        #expect(provider.ask("GET", "/leads/nobody@example.com").summary == "404 Lead not found")
        #expect(provider.ask("GET", "/activities").json.elements?.count == 1)
        let id = created.json["_id"].text ?? ""
        #expect(provider.ask("DELETE", path + id).status == 200)
        #expect(provider.ask("GET", "/leads/john@example.com").status == 404)
    }

    @Test(
        "what cannot be done is refused in lemlist's words",
        arguments: [
            ("POST", "/campaigns/cam_none/leads/", #"{"email":"a@example.com"}"#, "404 Campaign not found"),
            ("POST", "/campaigns/cam_none/pause", "", "404 Campaign not found"),
            (
                "GET", "/unsubscribes/nope", "",
                "500 Invalid email address or domain. Domains must start with @"
            ),
            ("POST", "/hooks", "{}", "400 Match error: Missing key 'targetUrl'"),
            ("DELETE", "/hooks/hoo_none", "", "404 Webhook not found"),
            ("POST", "/campaigns", "not json", "400 Bad params"),
            ("GET", "/campaigns?offset=-1", "", "400 Bad params"),
        ])
    func refusals(method: String, target: String, body: String, answer: String) throws {
        #expect(try Provider().ask(method, target, body: body).summary == answer)
    }

    @Test("campaigns are listed, paused and started")
    func campaigns() throws {
        let provider = try Provider()
        #expect(provider.ask("GET", "/campaigns").json.elements?.count == 3)
        #expect(provider.ask("GET", "/campaigns?limit=1&offset=1").json.elements?.count == 1)
        #expect(
            provider.ask("POST", "/campaigns/\(campaign)/pause").text
                == #"{"_id":"\#(campaign)","state":"paused"}"#)
        #expect(provider.ask("GET", "/campaigns/\(campaign)").json["status"] == "paused")
    }

    @Test("an address that begins with slow@ is answered after two seconds")
    func slowAnswer() throws {
        let body = #"{"email":"slow@example.com"}"#
        #expect(try Provider().ask("POST", "/campaigns/\(campaign)/leads/", body: body).delay == .seconds(2))
    }

    @Test("what is kept is bounded: the oldest goes")
    func memoryIsBounded() throws {
        let provider = try Provider()
        for number in 0..<1001 { _ = provider.ask("POST", "/unsubscribes/u\(number)@example.com") }
        #expect(provider.ask("GET", "/unsubscribes/u0@example.com").text.isEmpty)
        #expect(provider.ask("GET", "/unsubscribes/u1@example.com").json["value"] == "u1@example.com")
    }
}
