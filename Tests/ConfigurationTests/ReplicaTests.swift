import Configuration
import Core
import Testing

@Suite("several instances share the limits")
struct ReplicaTests {
    private static func file(_ replicas: Int, _ limits: String) -> String {
        "{ replicas: \(replicas), providers: { api: { upstream: 'http://127.0.0.1:9', limits: [\(limits)] } } }"
    }

    private func own(_ replicas: Int, _ limits: String) throws -> [Int] {
        let configuration = try read(Self.file(replicas, limits))
        return configuration.ownLimits(of: configuration.providers[0]).map(\.requests)
    }

    @Test("each instance has an equal share of every limit, rounded down, in the same window")
    func share() throws {
        let limits = "{ requests: 20, per: 2s }, { requests: 100, per: day }, { concurrent: 7 }"
        #expect(try own(1, limits) == [20, 100, 7])
        #expect(try own(3, limits) == [6, 33, 2])
        #expect(try own(7, limits) == [2, 14, 1])
        let configuration = try read(Self.file(3, limits))
        let shares = configuration.ownLimits(of: configuration.providers[0])
        #expect(
            zip(shares, configuration.providers[0].limits).allSatisfy {
                $0.per == $1.per && $0.span == $1.span
            })
    }

    @Test("all shares together never exceed the limit", arguments: 1...40)
    func neverMore(requests: Int) {
        let limit = RateLimit(requests: requests, per: .seconds(1), by: .provider)
        for replicas in 1...50 {
            guard let share = limit.share(of: replicas) else {
                #expect(replicas > requests)
                continue
            }
            #expect(share.requests * replicas <= requests && share.requests >= 1)
        }
    }

    @Test("a limit too small to be shared is a mistake, also in a profile")
    func tooSmall() {
        #expect(
            mistakes(Self.file(8, "{ requests: 3, per: 1s }"))
                .contains("8 instances cannot share the 3 requests of a limit of the provider 'api'"))
        #expect(mistakes(Self.file(2, "{ concurrent: 1 }")).contains("allowed: at most 1"))
        #expect(
            mistakes("replicas: 4").contains("cannot share the 3 requests of a limit of the provider 'lettr'")
        )
    }

    @Test("a request that costs more than a share is a mistake")
    func tooDear() {
        let text = Self.file(4, "{ requests: 20, per: 1s, cost: { POST /bulk: 6 } }")
        #expect(mistakes(text).contains("is 5 of 20 requests, which is less than the 6 that a request"))
    }

    @Test("replicas must be a number", arguments: ["0", "1001", "-1", "two", "1.5"])
    func numbers(replicas: String) {
        #expect(mistakes("replicas: \(replicas)").contains("1 to 1000"))
    }

    @Test("a reload applies another number of replicas")
    func reload() throws {
        let limits = "{ requests: 20, per: 2s }"
        var configuration = try read(Self.file(4, limits))
        let started = try read(Self.file(2, limits))
        #expect(configuration.keepWhatNeedsRestart(started: started, running: started).isEmpty)
        #expect(configuration.replicas == 4)
    }
}
