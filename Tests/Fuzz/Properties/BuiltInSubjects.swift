internal import BuiltIn
internal import Configuration
internal import Core
internal import TestSupport

/// What the properties compare with, made once.
enum BuiltInSubjects {
    /// The profiles that are part of the program.
    static let profiles: [Profile] = {
        do {
            return try ProfileReader.builtIn(BuiltIn.profiles)
        } catch {
            fatalError("the built-in profiles are wrong: \(error)")
        }
    }()

    /// A normaliser for each of them.
    static let normalizers = profiles.map { ErrorNormalizer(profile: $0, bodyLimit: 256) }

    private static let schema: JSONSchema = {
        guard let schema = JSONSchema(BuiltIn.problemSchema) else { fatalError("the schema is not JSON") }
        return schema
    }()
    private static let format = ProblemFormat()

    /// Writes the problem and traps if the published schema does not allow it.
    static func expectValid(_ error: NormalizedError) {
        var output: [UInt8] = []
        Problem(error, provider: "p", requestID: "r").encode(into: &output, as: format)
        let errors = schema.errors(in: output)
        expect(errors.isEmpty, "\(errors)")
    }
}
