import Core
import TestSupport
import Testing
import Wire

@testable import Sandbox

@Suite("Sandbox over sockets", .blocking)
struct SandboxTests {
    private func withSandbox(_ body: (Sandbox) throws -> Void) throws {
        let sandbox = try Sandbox(address: "127.0.0.1", port: 0, profiles: try Asking.profiles())
        defer { sandbox.stop() }
        try body(sandbox)
    }

    @Test("both imitations are served on one port")
    func serves() throws {
        try withSandbox { sandbox in
            #expect(sandbox.upstream(for: "lemlist") == "http://127.0.0.1:\(sandbox.port)/lemlist/api")
            #expect(sandbox.upstream(for: "lettr") == "http://127.0.0.1:\(sandbox.port)/lettr/api")
            #expect(sandbox.upstream(for: "generic") == nil)
            let client = try RawClient(port: sandbox.port)
            let team = try client.exchange("GET", "/lemlist/api/team", fields: [Asking.lemlistKey])
            #expect(team.status == 200)
            #expect(team.fields["X-RateLimit-Remaining"] == "19")
            let refused = try client.exchange("GET", "/lemlist/api/team")
            #expect(refused.status == 400)
            #expect(refused.fields["Content-Type"] == nil)
            #expect(refused.text == "no api key provided")
            let email = #"{"from":"a@example.com","to":["b@example.com"],"subject":"s","text":"t"}"#
            let sent = try client.exchange(
                "POST", "/lettr/api/emails", fields: [Asking.lettrKey], body: email)
            #expect(sent.status == 200)
            #expect(try client.exchange("GET", "/elsewhere").status == 404)
            #expect(try client.exchange("GET", "/lettr/apix").status == 404)
        }
    }

    @Test("requests beyond the limit are refused and counted, and everyone can see it")
    func countsRefusals() throws {
        try withSandbox { sandbox in
            let client = try RawClient(port: sandbox.port)
            let statuses = try (0..<25).map { _ in
                try client.exchange("GET", "/lemlist/api/team/credits", fields: [Asking.lemlistKey]).status
            }
            let refused = statuses.count { $0 == 429 }
            #expect(statuses.prefix(20).allSatisfy { $0 == 200 })
            #expect(sandbox.refusals == refused)
            #expect(sandbox.counts(for: "lemlist").requests == 25)
            let shown = try client.exchange("GET", "/-/sandbox").text
            let lemlist = #""lemlist":{"requests":25,"refusals":\#(refused)}"#
            #expect(shown == #"{\#(lemlist),"lettr":{"requests":0,"refusals":0}}"#)
        }
    }

    @Test("a recorded case comes with its bytes, and without a content type if it had none")
    func recordedCase() throws {
        try withSandbox { sandbox in
            let client = try RawClient(port: sandbox.port)
            let answer = try client.exchange(
                "GET", "/lemlist/api/campaigns", fields: [("X-Sandbox-Case", "lemlist-005")])
            #expect(answer.status == 401)
            #expect(answer.fields["Content-Type"] == nil)
            #expect(answer.text == "The authentication you supplied is incorrect")
            let list = try client.exchange("GET", "/-/sandbox/cases")
            #expect(list.text.contains(#""id":"lemlist-005""#))
            #expect(list.text.contains(#""id":"any-001""#))
        }
    }

    @Test("every recorded case of lemlist, and of any provider, crosses the wire as it was recorded")
    func allRecordedCases() throws {
        let all = try Asking.profiles().filter { ["generic", "lemlist"].contains($0.name) }.flatMap(\.cases)
        try withSandbox { sandbox in
            for recorded in all {
                let client = try RawClient(port: sandbox.port)
                // A key for each, so that no window fills.
                let answer = try client.exchange(
                    "GET", "/lemlist/api/x?access_token=\(recorded.id)",
                    fields: [(CaseBook.fieldName, recorded.id)])
                #expect(answer.status == recorded.status, "\(recorded.id)")
                #expect(answer.isComplete, "\(recorded.id)")
                #expect(
                    answer.fields["Content-Type"] == recorded.fields.first("Content-Type"), "\(recorded.id)")
                #expect(answer.body.bytes == recorded.body, "\(recorded.id)")
            }
        }
    }

    @Test("HEAD is answered as GET without a body, and a client that waits for 100 Continue gets it")
    func methodsAndExpectations() throws {
        try withSandbox { sandbox in
            let client = try RawClient(port: sandbox.port)
            let head = try client.exchange("HEAD", "/lemlist/api/team", fields: [Asking.lemlistKey])
            #expect(head.status == 200)
            #expect(head.fields["Content-Length"] != "0")
            let expecting = [Asking.lemlistKey, ("Expect", "100-continue"), ("Content-Length", "2")]
            try client.request("POST", "/lemlist/api/hooks", fields: expecting)
            #expect(try client.readHead().status == 100)
            try client.send("{}")
            #expect(try client.readResponse().text == "Match error: Missing key 'targetUrl'")
        }
    }

    @Test("a body of more than 1 MiB is refused, however it is framed, and the connection goes on")
    func largeBody() throws {
        try withSandbox { sandbox in
            let client = try RawClient(port: sandbox.port)
            let fits = String(repeating: "x", count: 1 << 20)
            let path = "/lettr/api/emails"
            #expect(try client.exchange("POST", path, fields: [Asking.lettrKey], body: fits).status == 422)
            #expect(
                try client.exchange("POST", path, fields: [Asking.lettrKey], body: fits + "x").status == 413)
            let chunk = "180000\r\n" + String(repeating: "x", count: 0x180000) + "\r\n0\r\n\r\n"
            let chunked = try client.exchange(
                "POST", "/lemlist/api/hooks", fields: [Asking.lemlistKey, ("Transfer-Encoding", "chunked")],
                body: chunk)
            #expect(chunked.status == 413)
            #expect(try client.exchange("GET", "/-/sandbox").status == 200)
        }
    }

    @Test("a response that is held back keeps no other waiting")
    func slowAnswer() throws {
        try withSandbox { sandbox in
            let slow = try RawClient(port: sandbox.port)
            try slow.request("GET", "/lemlist/api/leads/slow@example.com", fields: [Asking.lemlistKey])
            try eventually { sandbox.counts(for: "lemlist").requests == 1 }
            let answer = Background { (text: try slow.readResponse().text, time: ContinuousClock.now) }
            let other = try RawClient(port: sandbox.port)
            #expect(try other.exchange("GET", "/lemlist/api/team", fields: [Asking.lemlistKey]).status == 200)
            let time = ContinuousClock.now
            let held = try answer.join()
            #expect(held.text == "Lead not found" && time < held.time)
        }
    }

    @Test("an end answers at once what is held back, closes the port, and is harmless the second time")
    func stop() throws {
        let sandbox = try Sandbox(address: "127.0.0.1", port: 0, profiles: [])
        let client = try RawClient(port: sandbox.port)
        let idle = try RawClient(port: sandbox.port)
        try client.request("GET", "/lemlist/api/leads/slow@example.com", fields: [Asking.lemlistKey])
        try eventually { sandbox.counts(for: "lemlist").requests == 1 }
        let start = ContinuousClock.now
        sandbox.stop()
        sandbox.stop()
        #expect(ContinuousClock.now - start < .milliseconds(1500))
        #expect(try client.readResponse().text == "Lead not found")
        try idle.expectClosed()
        #expect(throws: (any Error).self) { try RawClient(port: sandbox.port) }
    }

    @Test("a client that disconnects while its response is held back does no harm")
    func clientLeaves() throws {
        try withSandbox { sandbox in
            let client = try RawClient(port: sandbox.port)
            try client.request("GET", "/lemlist/api/leads/slow@example.com", fields: [Asking.lemlistKey])
            try eventually { sandbox.counts(for: "lemlist").requests == 1 }
            client.reset()
            sandbox.stop()
        }
    }

    @Test("a port that is in use is told in one line")
    func portInUse() throws {
        try withSandbox { sandbox in
            do {
                _ = try Sandbox(address: "127.0.0.1", port: sandbox.port, profiles: [])
                Issue.record("two sandboxes on one port")
            } catch {
                #expect("\(error)" == "cannot listen on 127.0.0.1:\(sandbox.port): Address already in use")
            }
        }
    }
}

@Suite("Faults that the sandbox is asked for", .blocking)
struct SandboxFaultTests {
    private func withSandbox(_ rules: [SandboxRule] = [], _ body: (Sandbox) throws -> Void) throws {
        let profiles = try Asking.profiles()
        let generic = profiles.first { $0.name == "generic" }
        let sandbox = try Sandbox(
            address: "127.0.0.1", port: 0, providers: profiles.map { Sandbox.Provider($0) }, generic: generic,
            rules: rules)
        defer { sandbox.stop() }
        try body(sandbox)
    }

    @Test("a response ends where it is asked to: before its head, in its body, or with a reset")
    func aborts() throws {
        try withSandbox { sandbox in
            for profile in ["stripe", "lemlist"] {
                let path = "/\(profile == "lemlist" ? "lemlist/api" : profile)/x"
                for abort in ["head", "reset"] {
                    let client = try RawClient(port: sandbox.port)
                    try client.request("GET", path, fields: [("X-Sandbox-Abort", abort)])
                    #expect(throws: PeerError.self, "\(abort)") { try client.readHead() }
                }
                let client = try RawClient(port: sandbox.port)
                let cut = try client.exchange("GET", path, fields: [("X-Sandbox-Abort", "body")])
                #expect(!cut.isComplete && !cut.body.bytes.isEmpty)
                let head = try RawClient(port: sandbox.port)
                try head.request("HEAD", path, fields: [("X-Sandbox-Abort", "body")])
                #expect(throws: PeerError.self) { try head.readHead() }
            }
        }
    }

    @Test("a delayed response occupies its slot of a limit on concurrent requests until it is sent")
    func delayedSlot() throws {
        try withSandbox { sandbox in
            let key = ("Authorization", "Basic dTpr")
            let path = "/mailchimp/3.0/x"
            let slow = try (0..<10).map { _ in
                let client = try RawClient(port: sandbox.port)
                try client.request("GET", path, fields: [key, ("X-Sandbox-Delay", "2s")])
                return client
            }
            try eventually { sandbox.counts(for: "mailchimp").requests == 10 }
            let other = try RawClient(port: sandbox.port)
            let start = ContinuousClock.now
            let refused = try other.exchange("GET", path, fields: [key])
            if ContinuousClock.now - start < .milliseconds(1500) {
                #expect(refused.status == 429 && refused.fields["Retry-After"] == "1")
            }
            for client in slow { #expect(try client.readResponse().status == 200) }
            #expect(try other.exchange("GET", path, fields: [key]).status == 200)
        }
    }

    @Test("hostile requests get a response or an end, and the next client is served")
    func hostile() throws {
        try withSandbox { sandbox in
            let huge = String(repeating: "x", count: 64 << 10)
            for fields in [[("X-Sandbox-Case", huge)], [("Authorization", "Basic \(huge)")]] {
                let client = try RawClient(port: sandbox.port)
                let status = (try? client.exchange("GET", "/github/x", fields: fields))?.status
                #expect(status.map { $0 >= 400 } ?? true)
            }
            for path in ["/github", "/github?", "/github/%", "/github//..//%00", "/githubx", "/"] {
                let client = try RawClient(port: sandbox.port)
                let fields = [("X-Sandbox-Case", "%n%s{}'\"<>"), ("Authorization", ": : :")]
                #expect(try client.exchange("GET", path, fields: fields).status >= 400, "\(path)")
            }
            let client = try RawClient(port: sandbox.port)
            #expect(try client.exchange("GET", "/-/sandbox").status == 200)
        }
    }
}
