import Testing
import Wire

@testable import Core
@testable import Sandbox

@Suite("A provider as its profile describes it")
struct ProfileImitationTests {
    /// A profile with the limits of one of its tiers.
    struct Subject: CustomTestStringConvertible, Sendable {
        var profile: Profile
        var tier: String?
        var testDescription: String { "\(profile.name) \(tier ?? "")" }

        var limits: [RateLimit] {
            profile.limits + (profile.tiers.first { $0.name == tier ?? profile.tier }?.limits ?? [])
        }

        func imitation() throws -> ProfileImitation {
            let generic = try #require(try Asking.profiles().first { $0.name == "generic" })
            return ProfileImitation(
                profile, tier: tier, basePath: "", cases: CaseBook([profile]), generic: generic)
        }

        /// The fields of a request with this key.
        func fields(_ key: String) -> [(String, String)] {
            switch profile.credentialPlaces[0] {
            case .header(let name, let prefix): [(name, prefix + key)]
            case .scheme(let name): [("Authorization", "\(name) \(key)")]
            case .basicPassword, .basicPair:
                [
                    (
                        "Authorization",
                        "Basic " + String(decoding: Base64.encode(Array("u:\(key)".utf8)), as: UTF8.self)
                    )
                ]
            case .basicUser:
                [
                    (
                        "Authorization",
                        "Basic " + String(decoding: Base64.encode(Array("\(key):".utf8)), as: UTF8.self)
                    )
                ]
            case .bearer: [("Authorization", "Bearer \(key)")]
            case .query: []
            }
        }

        /// A path with the key, if it belongs there.
        func target(_ path: String, _ key: String) -> String {
            if case .query(let name) = profile.credentialPlaces[0] { return "\(path)?\(name)=\(key)" }
            return path
        }
    }

    static var subjects: [Subject] {
        ((try? Asking.profiles()) ?? []).flatMap { profile in
            profile.tiers.isEmpty
                ? [Subject(profile: profile, tier: nil)]
                : profile.tiers.map { Subject(profile: profile, tier: $0.name) }
        }
    }

    /// A request that a limit counts.
    private func request(
        under limit: RateLimit, of subject: Subject
    ) -> (method: String, path: String)? {
        var candidates = [("GET", "/nothing/special"), ("POST", "/a"), ("PUT", "/a/b/c")]
        candidates += limit.named.map { pattern in
            let words = pattern.description.split(separator: " ").map(String.init)
            let steps = words[1].split(separator: "/").map { $0.contains("*") || $0.contains("{") ? "x" : $0 }
            return (words[0] == "*" ? "GET" : words[0], "/" + steps.joined(separator: "/"))
        }
        return candidates.last { method, path in
            let plan = PacingPlan(limits: subject.limits)
            let index = subject.limits.firstIndex(of: limit) ?? 0
            let (method, path) = (Array(method.utf8), Array(path.utf8))
            return plan.weigh(method: method.span, path: path.span).weights[index] > 0
        }
    }

    @Test(
        "each limit admits as many requests as it allows, and refuses the next one with a recorded response",
        arguments: subjects)
    func limits(subject: Subject) throws {
        for limit in subject.limits where limit.span == .rolling && limit.requests <= 1000 {
            var imitation = try subject.imitation()
            let (method, path) = try #require(request(under: limit, of: subject), "\(limit)")
            let normalizer = ErrorNormalizer(profile: subject.profile, limits: subject.limits)
            var refusal: ImitationResponse?
            var admitted = 0
            let target = subject.target(path, "sk_1")
            while refusal == nil, admitted <= limit.requests {
                let response = imitation.answer(
                    Asking.request(method, target, subject.fields("sk_1"), at: 0))
                imitation.release(response.slots)
                if response.isRefusal { refusal = response } else { admitted += 1 }
            }
            let refused = try #require(refusal, "\(limit)")
            // A smaller limit may refuse first.
            #expect(admitted <= limit.requests && admitted > 0, "\(limit)")
            let wait = try #require(refused.field("Retry-After").flatMap(Int.init))
            let answer = ProviderAnswer(status: refused.status, fields: refused.fields, body: refused.body)
            let facts = RequestFacts(method: method, path: path)
            let error = try #require(normalizer.normalize(answer, of: facts, at: Asking.wall / 1000))
            #expect(error.code == .rateLimited, "\(limit)")
            #expect(error.retryAfter ?? 0 >= wait, "\(limit)")
            // One second less is too early, and the time itself is not.
            let early = imitation.answer(
                Asking.request(method, target, subject.fields("sk_1"), at: Int64(wait) - 1))
            #expect(early.isRefusal, "\(limit)")
            let later = imitation.answer(
                Asking.request(method, target, subject.fields("sk_1"), at: Int64(wait)))
            #expect(!later.isRefusal, "\(limit)")
            #expect(
                normalizer.normalize(
                    ProviderAnswer(status: later.status, fields: later.fields, body: later.body), of: facts,
                    at: 0) == nil)
        }
    }

    @Test("a request without a key, or with an invalid one, is refused as recorded", arguments: subjects)
    func credential(subject: Subject) throws {
        var imitation = try subject.imitation()
        let normalizer = ErrorNormalizer(profile: subject.profile, limits: subject.limits)
        let keyless = Asking.request("GET", "/x", [], at: 0)
        let wrong = Asking.request(
            "GET", subject.target("/x", "invalid_key"), subject.fields("invalid_key"), at: 0)
        for request in [keyless, wrong] {
            let response = imitation.answer(request)
            let answer = ProviderAnswer(status: response.status, fields: response.fields, body: response.body)
            let facts = RequestFacts(method: "GET", path: "/x")
            let error = normalizer.normalize(answer, of: facts, at: Asking.wall / 1000)
            #expect(error?.code == .unauthenticated)
        }
        let right = Asking.request("GET", subject.target("/x", "sk_1"), subject.fields("sk_1"), at: 0)
        #expect(imitation.answer(right).status == 200)
    }

    @Test(
        "the fields of the profile report how many requests are left, and nothing else does",
        arguments: subjects)
    func fields(subject: Subject) throws {
        var imitation = try subject.imitation()
        let generic = try #require(try Asking.profiles().first { $0.name == "generic" })
        let request = Asking.request("GET", subject.target("/x", "sk_1"), subject.fields("sk_1"), at: 0)
        _ = imitation.answer(request)
        let response = imitation.answer(request)
        let counting = PacingPlan(limits: subject.limits).weigh(
            method: Array("GET".utf8).span, path: Array("/x".utf8).span)
        let first = subject.limits.indices.first {
            counting.weights[$0] > 0 && subject.limits[$0].span != .concurrent
        }
        let names = subject.profile.rateFields.remaining.map(\.string)
        guard subject.profile.rateFields != generic.rateFields, let first else {
            for name in names { #expect(response.field(name) == nil) }
            return
        }
        for (name, other) in zip(names, subject.profile.rateFields.limit.map(\.string)) {
            guard let left = response.field(name).flatMap(Int.init) else { continue }
            let limit = try #require(response.field(other).flatMap(Int.init))
            #expect(left < limit && left > 0)
        }
        let used = subject.profile.rateFields.used.first.map(\.string)
        if let used { #expect(response.field(used) == "2/\(subject.limits[first].requests)") }
        if used == nil { #expect(names.contains { response.field($0) != nil }) }
    }

    @Test("a limit on concurrent requests counts responses until they are sent")
    func concurrency() throws {
        let profile = try #require(try Asking.profiles().first { $0.name == "mailchimp" })
        let subject = Subject(profile: profile, tier: nil)
        var imitation = try subject.imitation()
        let request = Asking.request("GET", "/lists", subject.fields("sk_1"), at: 0)
        let responses = (0..<11).map { _ in imitation.answer(request) }
        #expect(responses.map(\.isRefusal) == Array(repeating: false, count: 10) + [true])
        imitation.release(responses[0].slots)
        #expect(!imitation.answer(request).isRefusal)
        #expect(imitation.answer(request).isRefusal)
    }

    /// An imitation that has only these limits.
    private func imitation(_ limits: [RateLimit], cases: [ProfileCase] = []) -> ProfileImitation {
        var profile = Profile(name: "own")
        profile.limits = limits
        profile.credentialPlaces = [.bearer]
        profile.cases = cases
        return ProfileImitation(profile, tier: nil, basePath: "", cases: CaseBook([profile]), generic: nil)
    }

    private func post(_ body: String = "", at seconds: Int64 = 0) -> ImitationRequest {
        Asking.request("POST", "/a", [("Authorization", "Bearer sk_1")], body: body, at: seconds)
    }

    @Test(
        "an aligned window ends at a multiple of its length on the provider's clock",
        arguments: [
            (900, 0, 100, 800), (60, 0, 59, 1), (60, 0, 60, 60), (3600, -12_600, 0, 1800),
            (86_400, 19_800, 0, 66_600), (86_400, -28_800, 28_799, 1),
        ])
    func alignment(length: Int, offset: Int32, second: Int64, rest: Int64) {
        var subject = imitation([
            RateLimit(
                requests: 2, per: .seconds(length), aligned: ClockAlignment(offset: offset), by: .credential)
        ])
        #expect((0..<2).allSatisfy { _ in !subject.answer(post(at: second)).isRefusal })
        let refused = subject.answer(post(at: second))
        #expect(refused.isRefusal && refused.field("Retry-After") == "\(rest)")
        #expect(subject.answer(post(at: second + rest - 1)).isRefusal)
        #expect((0..<2).allSatisfy { _ in !subject.answer(post(at: second + rest)).isRefusal })
        #expect(subject.answer(post(at: second + rest)).isRefusal)
    }

    @Test("bodies say what a request costs and with which ones it counts")
    func bodies() throws {
        var limit = RateLimit(
            requests: 5, per: .seconds(10), by: .body(try LimitPlace(parsing: "/model", allowsHeader: false)))
        limit.bodyCost = RateLimit.BodyCost(
            place: try LimitPlace(parsing: "$.to", allowsHeader: false), isCount: true)
        var subject = imitation([limit])
        let three = #"{"model":"m","to":["a","b","c"]}"#
        let two = #"{"model":"m","to":["a","b"]}"#
        let answers = [three, three, two, #"{"model":"m"}"#, three.replacing("m\"", with: "n\""), "{"]
        let refusals = answers.map { subject.answer(post($0)).isRefusal }
        #expect(refusals == [false, true, false, true, false, false])
    }

    @Test("a request costs what its recorded response says, and a limit to learn is reported as it is")
    func answers() throws {
        var cost = RateLimit(requests: 10, per: .seconds(10), by: .credential)
        cost.answerCost = RateLimit.AnswerCost(
            place: try LimitPlace(parsing: "/cost", allowsHeader: true), reserve: 5)
        var header = RateLimit(requests: 7, counted: .day, by: .credential)
        header.answerCost = RateLimit.AnswerCost(
            place: try LimitPlace(parsing: "header X-Cost", allowsHeader: true), reserve: 1)
        header.learnedFrom = "X-Limit"
        var recorded = ProfileCase(id: "own-001", name: "A success", status: 200)
        recorded.request = ("POST", "/a")
        recorded.addField("X-Cost", "3")
        recorded.addField("X-Limit", "99")
        recorded.body = Array(#"{"cost":2}"#.utf8)
        var subject = imitation([cost, header], cases: [recorded])
        let first = subject.answer(post())
        #expect(first.status == 200 && first.field("X-Limit") == "7")
        // The third takes the last of the seven slots, and more.
        #expect((0..<2).allSatisfy { _ in !subject.answer(post()).isRefusal })
        let refused = subject.answer(post())
        #expect(refused.isRefusal && refused.field("Retry-After") == "86400")
    }

    @Test("keys and arrivals that are remembered are bounded, however many keys are sent")
    func memory() throws {
        let profile = try #require(try Asking.profiles().first { $0.name == "notion" })
        let subject = Subject(profile: profile, tier: nil)
        var imitation = try subject.imitation()
        let refusals = (0..<StrictLimits.keyLimit + 10).count { index in
            let fields = subject.fields("sk_\(index)")
            return imitation.answer(Asking.request("GET", "/x", fields, at: 0)).isRefusal
        }
        // Further keys share one count of 3.
        #expect(refusals == 7)
    }
}

@Suite("The behaviour that a request asks for")
struct BehavioursTests {
    private func request(_ fields: [(String, String)] = [], _ method: String = "GET", _ path: String = "/x")
        -> ImitationRequest
    {
        Asking.request(method, path, fields, at: 0)
    }

    @Test(
        "an invalid field is refused with what is allowed",
        arguments: [
            ("X-Sandbox-Delay", "1"), ("X-Sandbox-Delay", "-1s"), ("X-Sandbox-Delay", "11m"),
            ("X-Sandbox-Delay", "1e9s"), ("X-Sandbox-Delay", "nan s"), ("X-Sandbox-Delay", "0s"),
            ("X-Sandbox-Delay", ""), ("X-Sandbox-Abort", "tail"), ("X-Sandbox-Status", "199"),
            ("X-Sandbox-Status", "600"), ("X-Sandbox-Status", "99999999999999999999"),
            ("X-Sandbox-Code", "throttled"), ("X-Sandbox-Code", "nonsense"), ("X-Sandbox-Error-Rate", "10"),
            ("X-Sandbox-Error-Rate", "101%"), ("X-Sandbox-Error-Rate", "inf%"),
            ("X-Sandbox-Error-Rate", "%"), ("X-Sandbox-Seed", "-1"),
            ("X-Sandbox-Seed", "18446744073709551616"), ("X-Sandbox-Case", ""),
            ("X-Sandbox-Case", String(repeating: "a", count: 65)), ("X-Sandbox-Delay", "\u{1F600}ms"),
        ])
    func invalid(name: String, value: String) throws {
        var behaviours = Behaviours(rules: [])
        do throws(Behaviours.Mistake) {
            _ = try behaviours.behaviour(for: request([(name, value)]), to: "github")
            Issue.record("accepted")
        } catch {
            #expect(error.message.hasPrefix("The field \(name): '"))
        }
    }

    @Test("an error rate hits its share of the requests, the same ones for a seed")
    func rate() throws {
        func hits(_ seed: String) throws -> [Bool] {
            var behaviours = Behaviours(rules: [])
            return try (0..<2000).map { _ in
                let asked = request([("X-Sandbox-Error-Rate", "10%"), ("X-Sandbox-Seed", seed)])
                return try behaviours.behaviour(for: asked, to: "github").status == 500
            }
        }
        let first = try hits("7")
        #expect((140...260).contains(first.count { $0 }))
        #expect(try hits("7") == first)
        #expect(try hits("8") != first)
        for (rate, share) in [("0%", 0), ("100%", 50)] {
            var behaviours = Behaviours(rules: [])
            let count = try (0..<50).count { _ in
                let asked = request([("X-Sandbox-Error-Rate", rate), ("X-Sandbox-Abort", "head")])
                return try behaviours.behaviour(for: asked, to: "github").abort == .head
            }
            #expect(count == share)
        }
    }

    @Test("the first rule that matches counts, and request fields override it")
    func rules() throws {
        var slow = SandboxRule()
        slow.profiles = ["github"]
        slow.routes = [try #require(RequestPattern("POST /**"))]
        try slow.behaviour.set(.delay, to: "1.5s")
        try slow.behaviour.set(.status, to: "503")
        var other = SandboxRule()
        try other.behaviour.set(.abort, to: "reset")
        var behaviours = Behaviours(rules: [slow, other])
        let post = try behaviours.behaviour(for: request([], "POST", "/x/y"), to: "github")
        #expect(post.delay == .milliseconds(1500) && post.status == 503 && post.abort == nil)
        #expect(try behaviours.behaviour(for: request(), to: "github").abort == .reset)
        #expect(try behaviours.behaviour(for: request([], "POST"), to: "stripe").abort == .reset)
        let asked = request([("X-Sandbox-Code", "rate_limited")], "POST")
        let overridden = try behaviours.behaviour(for: asked, to: "github")
        #expect(overridden.code == .rateLimited && overridden.status == nil && overridden.delay != nil)
    }

    @Test("a status or a code gets a recorded response, or a plain one for a status that none has")
    func cases() throws {
        for profile in try Asking.profiles() {
            let book = CaseBook([profile])
            let errors = profile.cases.filter { $0.expectation != nil }
            for recorded in errors {
                var behaviour = SandboxBehaviour()
                behaviour.code = recorded.expectation?.code
                let first = try #require(errors.first { $0.expectation?.code == behaviour.code })
                let response = try #require(book.answer(to: behaviour))
                #expect(response.status == first.status && response.body == first.body)
            }
            for status in 200...599 {
                var behaviour = SandboxBehaviour()
                behaviour.status = status
                #expect(book.answer(to: behaviour)?.status == status)
            }
        }
        #expect(CaseBook([]).answer(to: SandboxBehaviour())?.status == nil)
    }
}
