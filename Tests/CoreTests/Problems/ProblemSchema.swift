import BuiltIn
import Core
import TestSupport
import Testing

/// What every problem made in a test must be.
enum ProblemSchema {
    private static let schema = JSONSchema(BuiltIn.problemSchema)
    static let format = ProblemFormat()

    /// The problem as JSON; whatever the schema has against it is an issue.
    static func encode(_ problem: borrowing Problem, sourceLocation: SourceLocation = #_sourceLocation)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        problem.encode(into: &bytes, as: format)
        guard let schema else {
            Issue.record("the schema is not JSON", sourceLocation: sourceLocation)
            return bytes
        }
        let errors = schema.errors(in: bytes)
        #expect(errors == [], sourceLocation: sourceLocation)
        return bytes
    }

    /// The members of a problem that is valid.
    static func members(
        _ problem: borrowing Problem, sourceLocation: SourceLocation = #_sourceLocation
    ) -> [String: JSONSchema.Value] {
        guard case .object(let members)? = JSONSchema.parse(encode(problem, sourceLocation: sourceLocation))
        else {
            return [:]
        }
        return members
    }
}
