internal import Wire

/// What a provider says about one field of the request.
public struct FieldProblem: Sendable, Hashable {
    /// The field as the provider spells it, such as `to.0`.
    public var field: Text
    /// What is wrong.
    public var code: FieldProblemCode
    /// The provider's sentence about it, or nothing.
    public var detail: Text?

    /// One field's problem.
    public init(field: Text, code: FieldProblemCode, detail: Text?) {
        self.field = field
        self.code = code
        self.detail = detail
    }

    /// Writes the object `{"field":…,"pointer":…,"code":…,"detail":…}`.
    func encode(into output: inout some ByteSink & ~Copyable) {
        output.append(literal: #"{"field":"#)
        JSONWriter.string(field, into: &output)
        output.append(literal: #","pointer":""#)
        FieldPointer.encode(field, into: &output)
        output.append(literal: #"","code":""#)
        output.append(code.rawValue.utf8.span)
        output.append(0x22)
        if let detail, !detail.isEmpty {
            output.append(literal: #","detail":"#)
            JSONWriter.string(detail, into: &output)
        }
        output.append(0x7D)
    }
}
