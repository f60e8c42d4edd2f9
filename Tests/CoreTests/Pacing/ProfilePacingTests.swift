import Configuration
import Testing
import Wire

@testable import Core

@Suite("Pacing of any set of limits")
struct ProfilePacingTests {
    /// Midnight is not near.
    private static let wallOffset: Int64 = (20_000 * 86_400 + 30_000) * 1_000_000_000

    /// Limits that hold together: those of a profile, of one of its tiers, or of a table here.
    struct Limits: CustomTestStringConvertible, Sendable {
        var name: String
        var limits: [RateLimit]
        var testDescription: String { name }
    }

    /// All built-in profiles that have limits, each tier for itself.
    static var profiles: [Limits] {
        let profiles = BuiltInProfiles.all
        return profiles.flatMap { profile -> [Limits] in
            guard !profile.tiers.isEmpty else {
                return profile.limits.isEmpty ? [] : [Limits(name: profile.name, limits: profile.limits)]
            }
            return profile.tiers.map {
                Limits(name: "\(profile.name) \($0.name)", limits: profile.limits + $0.limits)
            }
        }
    }

    /// Every kind of limit, alone and stacked.
    static let table: [Limits] = [
        ("rolling", "[{ requests: 20, per: 2s }]"),
        ("counted in parts", "[{ requests: 300, per: 20s }]"),
        ("stacked", "[{ requests: 5, per: 1s }, { requests: 100, per: 1m }, { requests: 1000, per: day }]"),
        ("day that ends", "[{ requests: 40, per: 1s }, { requests: 100, per: day }]"),
        ("concurrent", "[{ concurrent: 4 }]"),
        ("concurrent and rolling", "[{ concurrent: 4, by: provider }, { requests: 30, per: 3s }]"),
        (
            "path",
            "[{ requests: 5, per: 1s, by: 'path {base}', routes: '* /v0/{base}/**' }, { requests: 50, per: 1s }]"
        ),
        (
            "operations",
            "[{ requests: 20, per: 3s, by: [credential, operation], operations: [POST /a, POST /b/*] }]"
        ),
        (
            "rest",
            "[{ requests: 3, per: 3s, routes: GET /search/** }, { requests: 50, per: 5s, routes: rest }]"
        ),
        ("except", "[{ requests: 10, per: 1s, routes: { except: [GET /, GET /x, POST /] } }]"),
        ("minutes of the clock", "[{ requests: 50, align: minute }]"),
        (
            "quarters of another clock",
            "[{ requests: 200, align: quarter +05:45 }, { requests: 60, align: minute }]"
        ),
        ("hours counted in parts", "[{ requests: 400, align: hour -03:30 }]"),
        ("a day elsewhere", "[{ requests: 100, align: day -08:21 }]"),
        ("a day with daylight saving time", "[{ requests: 100, align: day -08:00/-07:00 }]"),
        ("cost", "[{ requests: 50, per: 2s, cost: { POST /**: 5, GET /**: 3 } }]"),
    ].map { name, yaml in
        let text = "name: t\nlimits: \(yaml)\n"
        let profile = try? ProfileReader.read(text: text, file: name, generic: nil)
        return Limits(name: name, limits: profile?.limits ?? [])
    }

    private func demand(_ plan: PacingPlan, _ request: VirtualTraffic.Request) -> PacingDemand {
        let (method, path) = (Array(request.method.utf8), Array(request.path.utf8))
        let (weights, usesQuota) = plan.weigh(method: method.span, path: path.span)
        let marks = plan.marks(method: method.span, path: path.span)
        var keys = SIMD4<UInt64>(repeating: 1)
        for (scope, by) in plan.scopes.enumerated() {
            let isOwn = by.parts.contains { part in
                switch part {
                case .credential, .header, .query: true
                default: false
                }
            }
            keys[scope] = LedgerKey.mix(isOwn ? 1000 + UInt64(request.credential) : 1, marks[scope])
        }
        return PacingDemand(keys: keys, weights: weights, usesQuota: usesQuota)
    }

    /// Plays requests behind the pacer, before a provider that enforces the limits.
    private func play(
        _ limits: [RateLimit], _ requests: [(method: String, path: String)], credentials: Int = 1,
        seconds: Double, isSteady: Bool, body: Int64 = 0, skew: Int64 = 0, showsDate: Bool = true,
        seed: UInt64 = 1
    ) -> (traffic: VirtualTraffic, refusing: Set<Int>) {
        let plan = PacingPlan(limits: limits)
        let pacer = Pacer(policy: PacingPolicy(windows: plan.windows, queueCapacity: 10_000))
        pacer.setWallClock(offset: .nanoseconds(Self.wallOffset))
        var provider = LimitedProvider(limits, wallOffset: Self.wallOffset + skew)
        let traffic = VirtualTraffic(
            pacer, seed: seed,
            request: { client, numbers in
                let kind = requests[client % requests.count]
                var request = VirtualTraffic.Request(
                    demand: PacingDemand(key: .shared), method: kind.method, path: kind.path)
                request.credential = Int.random(in: 0..<credentials, using: &numbers)
                request.demand = demand(plan, request)
                return request
            },
            serve: { request, now in
                let date = showsDate ? (now + Self.wallOffset + skew) / 1_000_000_000 : nil
                return .init(isAccepted: provider.serve(request, at: now), date: date)
            })
        traffic.finish = { provider.finish($0) }
        traffic.latency = { numbers in
            isSteady
                ? (10_000_000, 10_000_000, body)
                : (
                    Int64.random(in: 5_000_000...300_000_000, using: &numbers),
                    Int64.random(in: 5_000_000...300_000_000, using: &numbers),
                    Int64.random(in: 0...200_000_000, using: &numbers)
                )
        }
        let clients = min(limits.map(\.requests).max() ?? 1, 300) * 2
        traffic.run(clients: max(clients, 2 * requests.count), seconds: seconds)
        return (traffic, provider.refusing)
    }

    /// How far the provider's clock is from ours where only its responses show that.
    ///
    /// Days and months without `align` follow our own clock. No skew begins within a second of a boundary, which `Date` does not resolve: that
    /// costs a window.
    private static func skews(_ limits: [RateLimit]) -> [Int64] {
        let isAligned = limits.contains { if case .aligned = $0.span { true } else { false } }
        return isAligned ? [37_430_000_000, -90_080_000_000_000] : [0]
    }

    @Test(
        "each limit is used to 95 % of what is possible, and the provider refuses nothing",
        arguments: table + profiles)
    func throughput(of set: Limits) throws {
        #expect(!set.limits.isEmpty)
        for index in set.limits.indices {
            let probe = try #require(LimitProbe(set.limits, index: index), "limit \(index) counts nothing")
            let seconds = probe.duration
            let body: Int64 = 20_000_000
            for skew in Self.skews(set.limits) {
                let (traffic, refusing) = play(
                    set.limits, [(probe.method, probe.path)], seconds: seconds, isSteady: true, body: body,
                    skew: skew)
                #expect(
                    traffic.refused == 0, "\(set.name): \(probe.method) \(probe.path), limits \(refusing)")
                let possible = probe.possible(
                    until: Int64(seconds * 1e9), there: 10_000_000, back: 10_000_000, body: body,
                    wallOffset: Self.wallOffset + skew)
                #expect(
                    Double(traffic.accepted) >= 0.95 * Double(possible),
                    "\(set.name): \(probe.method) \(probe.path): \(traffic.accepted) of \(possible)")
                #expect(traffic.pacer.brokenInvariants.isEmpty)
            }
        }
    }

    @Test(
        "a mixture of everything that the limits count is never refused, whatever the network does",
        arguments: table + profiles)
    func mixture(of set: Limits) {
        let requests = set.limits.indices.flatMap { index in
            ["u", "v"].compactMap { LimitProbe(set.limits, index: index, variable: $0) }
        }
        let seconds = requests.map(\.duration).min() ?? 1
        for (seed, skew) in zip(UInt64(1)..., Self.skews(set.limits) + [0]) {
            let (traffic, refusing) = play(
                set.limits, requests.map { ($0.method, $0.path) }, credentials: 2, seconds: seconds + 1,
                isSteady: false, skew: skew, seed: seed)
            #expect(traffic.refused == 0, "\(set.name): limits \(refusing)")
            #expect(traffic.accepted > 0)
        }
    }

    @Test("windows of the provider's clock are waited for in full while no response has shown its time")
    func withoutDate() throws {
        let set = try #require(Self.table.first { $0.name == "minutes of the clock" })
        for skew in Self.skews(set.limits) {
            let (traffic, _) = play(
                set.limits, [("GET", "/")], seconds: 330, isSteady: true, skew: skew, showsDate: false)
            #expect(traffic.refused == 0)
            #expect(traffic.accepted == 300)
        }
    }

    @Test("a provider that counts what the pacer does not know refuses, so that the proof can fail")
    func canFail() throws {
        var strict = Self.table[0].limits
        let plan = Self.table[0].limits
        strict[0].requests = 19
        var provider = LimitedProvider(strict, wallOffset: 0)
        let demand = demand(PacingPlan(limits: plan), .init(demand: PacingDemand(key: .shared)))
        let traffic = VirtualTraffic(
            Pacer(policy: PacingPolicy(windows: PacingPlan(limits: plan).windows)),
            request: { _, _ in .init(demand: demand) },
            serve: { .init(isAccepted: provider.serve($0, at: $1)) })
        traffic.run(clients: 30, seconds: 20)
        #expect(traffic.refused > 0)
    }
}
