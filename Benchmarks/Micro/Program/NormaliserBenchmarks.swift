internal import BuiltIn
internal import Configuration
internal import Core
internal import Wire

/// From a provider's answer to the problem, for all cases that a profile has recorded.
enum NormaliserBenchmarks {
    private struct Case {
        let answer: ProviderAnswer
        let facts: RequestFacts
    }

    static func run(_ measure: Measure) throws {
        measure.heading("an error, mean of a profile's recorded cases")
        for profile in try ProfileReader.builtIn(BuiltIn.profiles) {
            let normalizer = ErrorNormalizer(profile: profile)
            // What is content-coded is decoded before; those few are left out.
            let cases = profile.cases.filter {
                $0.expectation != nil && $0.fields.first("Content-Encoding") == nil
            }
            .map {
                Case(
                    answer: $0.answer { body, _ in body },
                    facts: RequestFacts(method: $0.request.method, path: $0.request.path))
            }
            guard !cases.isEmpty else { continue }
            measure("normaliser, \(profile.name), \(cases.count) cases", each: cases.count) {
                for one in cases { keep(normalizer.normalize(one.answer, of: one.facts, at: 1_795_132_800)) }
            }
            let errors = cases.compactMap { normalizer.normalize($0.answer, of: $0.facts, at: 1_795_132_800) }
            let format = ProblemFormat()
            var output: [UInt8] = []
            measure("problem written as JSON, \(profile.name)", each: errors.count) {
                for error in errors {
                    output.removeAll(keepingCapacity: true)
                    Problem(error, provider: "p", requestID: "01M7Y073TMX10R3NBMAWXG02YB")
                        .encode(into: &output, as: format)
                }
            }
        }
    }
}
