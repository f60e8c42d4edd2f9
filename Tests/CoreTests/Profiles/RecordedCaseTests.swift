import Core
import Testing

@Suite("Recorded cases")
struct RecordedCaseTests {
    struct Combination: CustomTestStringConvertible {
        var profile: String
        var recorded: ProfileCase
        var testDescription: String { "\(recorded.id) \(recorded.name), with \(profile)" }
    }

    /// Each profile's own cases, and those of `generic` with every profile.
    static let combinations: [Combination] = BuiltInProfiles.all.flatMap { profile in
        let generic =
            profile.name == "generic" ? [] : BuiltInProfiles.all.first { $0.name == "generic" }?.cases ?? []
        let cases = profile.cases + generic.filter(\.isEverywhere)
        return cases.map { Combination(profile: profile.name, recorded: $0) }
    }

    @Test("a recorded response becomes what it should", arguments: combinations)
    func becomesWhatItShould(_ combination: Combination) throws {
        let normalizer = try BuiltInProfiles.normalizer(combination.profile)
        let mismatches = combination.recorded.run(with: normalizer, decode: BuiltInProfiles.decode)
        #expect(mismatches == [])
    }

    @Test("every profile has cases, and no two have the same id")
    func idsAreUnique() {
        #expect(BuiltInProfiles.all.allSatisfy { !$0.cases.isEmpty })
        let ids = BuiltInProfiles.all.flatMap { $0.cases.map(\.id) }
        #expect(Set(ids).count == ids.count)
    }
}
