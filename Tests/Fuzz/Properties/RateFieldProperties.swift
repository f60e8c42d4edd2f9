internal import Core
internal import Wire

/// Lines, each a field of an answer with status 429: `name: value`.
///
/// What is read is never negative, a time never past, and the problem is valid whatever the fields say.
enum RateFieldProperties {
    static func check(_ input: [UInt8]) {
        var fields = FieldBlock()
        for line in input.split(separator: 0x0A).prefix(64) {
            let colon = line.firstIndex(of: 0x3A) ?? line.endIndex
            let value = Array(line[min(colon + 1, line.endIndex)...])
            fields.append(name: Array(line[..<colon]).span, value: value.span)
        }
        let now: Int64 = 1_795_132_800
        let answer = ProviderAnswer(status: 429, fields: fields, body: [])
        for (profile, normalizer) in zip(BuiltInSubjects.profiles, BuiltInSubjects.normalizers) {
            for limits in [[], profile.limits.map(\.requests) + [100]] {
                let headers = RateHeaders(names: profile.rateFields, limits: limits)
                let count = headers.observation(fields)
                expect(count?.limit.map { $0 >= 0 } ?? true, "a negative limit")
                expect(count.map { $0.remaining >= 0 } ?? true, "a negative rest")
                expect(headers.resetSeconds(fields, at: now).map { $0 >= 1 } ?? true, "a reset in the past")
                expect(count == headers.observation(fields), "two readings differ")
            }
            guard
                let error = normalizer.normalize(answer, of: RequestFacts(method: "GET", path: "/"), at: now)
            else { fatalError("a 429 passed untouched") }
            expect(error.retryAfter.map { $0 >= 0 } ?? true, "a wait into the past")
            BuiltInSubjects.expectValid(error)
        }
    }
}
