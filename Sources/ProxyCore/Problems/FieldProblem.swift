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
    func encode(into output: inout [UInt8]) {
        output.append(contentsOf: #"{"field":"#.utf8)
        JSONWriter.string(field, into: &output)
        output.append(contentsOf: #","pointer":""#.utf8)
        FieldPointer.encode(field, into: &output)
        output.append(contentsOf: #"","code":""#.utf8)
        output.append(contentsOf: code.rawValue.utf8)
        output.append(0x22)
        if let detail, !detail.isEmpty {
            output.append(contentsOf: #","detail":"#.utf8)
            JSONWriter.string(detail, into: &output)
        }
        output.append(0x7D)
    }
}
