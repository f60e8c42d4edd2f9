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
}
