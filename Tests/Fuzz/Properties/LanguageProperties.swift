internal import Configuration
internal import Core
internal import Wire

/// A profile, a NUL, and a body: of a response, and of a request.
///
/// Whatever the profile says about it, the response becomes a valid problem or stays as it is, and the pacer that keeps the profile's limits
/// stays sound with what request and response say.
enum LanguageProperties {
    static func check(_ input: [UInt8]) {
        let end = input.firstIndex(of: 0) ?? input.count
        let body = Array(input[min(end + 1, input.count)...])
        guard
            let profile = try? ProfileReader.read(
                text: String(decoding: input[..<end], as: UTF8.self), file: "profile.yaml",
                surroundings: ConfigurationProperties.surroundings,
                generic: BuiltInSubjects.profiles.first { $0.name == "generic" })
        else { return }
        judge(body, by: profile)
        pace(body, by: profile.usualLimits)
    }

    private static func fields(_ body: [UInt8]) -> FieldBlock {
        var fields = FieldBlock()
        fields.append("Content-Type", "application/json")
        let value = body.prefix(40).filter { $0 >= 0x20 && $0 < 0x7F }
        for name in ["X-Limit", "X-Cost", "Date", "Retry-After"] {
            fields.append(name: Array(name.utf8).span, value: value.span)
        }
        return fields
    }

    private static func judge(_ body: [UInt8], by profile: Profile) {
        let normalizer = ErrorNormalizer(profile: profile, bodyLimit: 256)
        for status in [200, 400, 429, 503] {
            let answer = ProviderAnswer(status: status, fields: fields(body), body: body)
            let facts = RequestFacts(method: "POST", path: "/v0/a/b")
            guard let error = normalizer.normalize(answer, of: facts, at: 1_795_132_800) else { continue }
            BuiltInSubjects.expectValid(error)
        }
    }

    private static func pace(_ body: [UInt8], by limits: [RateLimit]) {
        guard !limits.isEmpty, Set(limits.map(\.counter)).count <= RateLimit.maximumScopes else { return }
        let plan = PacingPlan(limits: limits)
        let pacer = Pacer(policy: PacingPolicy(windows: plan.windows))
        let (fields, answer) = (fields(body), ProviderAnswer(status: 200, fields: fields(body), body: body))
        for step: Int64 in 0..<8 {
            let now = MonotonicTime(nanoseconds: step * 300_000_000)
            var weights = plan.weigh(method: Array("POST".utf8).span, path: Array("/v0/a/b".utf8).span)
                .weights
            var keys = SIMD4<UInt64>(repeating: 5)
            plan.read(body: body, keys: &keys, weights: &weights)
            let demand = PacingDemand(keys: keys, weights: weights, usesQuota: false)
            guard
                case .admitted(let slot) = pacer.admit(
                    demand, waiter: Waiter(worker: 0, id: UInt64(step)), patience: .zero, at: now)
            else { continue }
            _ = pacer.learn(slot, capacities: plan.capacities(fields: fields), revision: 0, at: now)
            _ = pacer.correct(slot, costs: plan.costs(of: nil, fields: fields), revision: 0, at: now)
            let date = ProviderDate.seconds(in: fields)
            _ = pacer.responded(slot, verdict: .undecided, date: date, at: now)
            _ = pacer.correct(slot, costs: plan.costs(of: answer, fields: fields), revision: 0, at: now)
            _ = pacer.judge(slot, .accepted, at: now)
            if plan.windows.contains(where: { $0.span == .concurrent }) { _ = pacer.ended(slot, at: now) }
            for reading in pacer.snapshot(at: now).windows {
                expect(reading.remaining >= 0 && reading.capacity > 0, "a limit without slots")
            }
        }
    }
}
