/// A place of a profile where field problems may be, prepared once.
struct FieldPlace: Sendable {
    /// The place.
    let pointer: JSONPointer
    /// The container that it is in.
    let parent: JSONPointer
    /// The name of the place in its container; `nil` for the whole body.
    let name: Text?

    init(_ pointer: JSONPointer) {
        self.pointer = pointer
        let split = pointer.split
        parent = split?.parent ?? .root
        name = split?.name
    }
}
