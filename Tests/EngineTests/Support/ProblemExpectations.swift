import BuiltIn
import TestSupport
import Testing

/// Records an issue if `response` is a problem that the shipped schema does not allow.
@Sendable func expectValidProblem(_ response: RawResponse) {
    guard response.fields["Content-Type"] == "application/problem+json", response.body.count > 0 else {
        return
    }
    // A provider's own problem with Weir's in it.
    if case .object(let members)? = JSONSchema.parse(response.body.bytes), members["problem"] != nil {
        return
    }
    guard let schema = JSONSchema(BuiltIn.problemSchema) else {
        Issue.record("the shipped schema cannot be read")
        return
    }
    #expect(schema.errors(in: response.body.bytes).isEmpty, "\(response.text)")
    #expect(response.fields["X-Error-Code"] == response.problem["code"])
    #expect(response.fields["X-Request-Id"] == response.problem["request_id"])
}

extension RawResponse {
    /// The body as a problem; without any members if it is none.
    var problem: ReceivedProblem { ReceivedProblem(JSONSchema.parse(body.bytes)) }
}

/// A problem as a client reads it.
struct ReceivedProblem {
    private let members: [String: JSONSchema.Value]

    fileprivate init(_ value: JSONSchema.Value?) {
        if case .object(let members) = value { self.members = members } else { members = [:] }
    }

    /// A member as text, numbers and truth values too; `nil` if it is absent or anything else.
    subscript(_ name: String) -> String? {
        switch members[name] {
        case .string(let text): text
        case .number(let number): number == number.rounded() ? "\(Int(number))" : "\(number)"
        case .boolean(let truth): "\(truth)"
        default: nil
        }
    }
}
