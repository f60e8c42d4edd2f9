internal import Wire

/// A member of the provider's body that is copied into the problem unchanged.
public struct KeptMember: Sendable, Hashable {
    /// The name, which no member of the problem has.
    public var name: Text
    /// The value: valid JSON in UTF-8.
    public var value: Text

    /// A member.
    public init(name: Text, value: Text) {
        self.name = name
        self.value = value
    }

    /// Writes the member, with a comma before it.
    func encode(into output: inout some ByteSink & ~Copyable) {
        output.append(0x2C)
        JSONWriter.string(name, into: &output)
        output.append(0x3A)
        output.append(value)
    }
}
