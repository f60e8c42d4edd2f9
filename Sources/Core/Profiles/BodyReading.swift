/// Where a provider's JSON bodies hold what, in the order in which the places are tried.
public struct BodyReading: Sendable {
    /// Which strings of a place count.
    public enum Condition: Sendable, Hashable {
        /// Every string that is not empty.
        case any
        /// Identifiers such as `LEAD_NOT_FOUND`, `not_found` or `BadRequest`.
        case identifier
        /// Everything that is no such identifier.
        case sentence
    }

    /// A place in a body.
    public struct Place: Sendable, Hashable {
        /// Where it is.
        public var pointer: JSONPointer
        /// What must stand there.
        public var condition: Condition
        /// Whether the place is called a status: a number there is one, and no code.
        let isStatus: Bool

        /// A place.
        public init(_ pointer: JSONPointer, _ condition: Condition = .any) {
            self.pointer = pointer
            self.condition = condition
            isStatus = ["status", "statusCode", "status_code"].contains(pointer.split?.name ?? "")
        }
    }

    /// The human message.
    public var message: [Place] = []
    /// The provider's code.
    public var code: [Place] = []
    /// Fields of the answer that hold the provider's code, if the body has none.
    public var codeFields: [Text] = []
    /// Field problems: a map from names to sentences, a list of objects, or the name of one field.
    public var fields: [JSONPointer] = []
    /// The provider's id of the request.
    public var requestID: [JSONPointer] = []

    /// Nothing is read.
    public init() {}
}
