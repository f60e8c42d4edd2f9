/// Header or trailer fields as they came: in order, names in their own case.
public struct RawFields: Sendable, Equatable, CustomStringConvertible {
    /// One field line, its value without the surrounding white space.
    public struct Field: Sendable, Equatable {
        /// The name as spelled on the wire.
        public let name: String
        /// The value, decoded as UTF-8.
        public let value: String
    }

    /// All lines.
    public internal(set) var all: [Field] = []

    /// The first value of the name, compared without case.
    public subscript(_ name: String) -> String? { values(of: name).first }

    /// All values of the name, compared without case.
    public func values(of name: String) -> [String] {
        let wanted = name.lowercased()
        return all.filter { $0.name.lowercased() == wanted }.map(\.value)
    }

    /// The names as spelled, in order.
    public var names: [String] { all.map(\.name) }

    /// The fields as lines.
    public var description: String { all.map { "\($0.name): \($0.value)" }.joined(separator: "\n") }
}
