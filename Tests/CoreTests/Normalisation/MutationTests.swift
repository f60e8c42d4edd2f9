import Core
import Testing

@Suite("Mutations of recorded responses")
struct MutationTests {
    /// SplitMix64: the same sequence on every run.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static let pieces: [[UInt8]] =
        [
            "\"", "{", "}", "[", "]", ":", ",", "null", "\\", "\\ud800", "1e9", "errors", "<html>", "\u{0}",
            "é", "message",
        ]
        .map { Array($0.utf8) } + [[0xFF], [0xED, 0xA0, 0x80], [0xEF, 0xBB, 0xBF]]

    private static func mutate(_ body: [UInt8], _ generator: inout Generator) -> [UInt8] {
        var body = body
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0...body.count, using: &generator)
            let end = min(body.count, place + Int.random(in: 0...6, using: &generator))
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: body.removeSubrange(place..<end)
            case 1: body.insert(contentsOf: pieces.randomElement(using: &generator) ?? [], at: place)
            case 2: body.insert(contentsOf: Array(body[place..<end]), at: place)
            case 3: body = Array(body[..<place])
            default: if place < body.count { body[place] = UInt8.random(in: 0...255, using: &generator) }
            }
        }
        return body
    }

    @Test(
        "no change to a recorded body makes an invalid problem", arguments: ["generic", "lemlist", "lettr"])
    func staysValid(profile: String) throws {
        let normalizer = try BuiltInProfiles.normalizer(profile)
        var generator = Generator(state: 42)
        for recorded in BuiltInProfiles.all.flatMap(\.cases) where recorded.status >= 400 {
            var answer = recorded.answer(decode: BuiltInProfiles.decode)
            let original = answer.body
            for _ in 0..<20 {
                answer.body = Self.mutate(original, &generator)
                answer.isTruncated = Bool.random(using: &generator)
                let facts = RequestFacts(method: "POST", path: "/emails")
                let error = try #require(normalizer.normalize(answer, of: facts, at: 1_795_132_800))
                _ = ProblemSchema.encode(Problem(error, provider: "p", requestID: "r"))
            }
        }
    }
}
