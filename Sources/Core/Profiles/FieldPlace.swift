/// A place in a profile that may contain field problems, prepared once.
public struct FieldPlace: Sendable {
    /// The place.
    let place: ValuePlace
    /// The container to which a pointer leads.
    let parent: JSONPointer
    /// The last step of a pointer; `nil` for the whole body, and for other kinds of place.
    let name: Text?
    /// The form of the problems that the profile describes; `nil`: any known form.
    let declared: DeclaredFields?

    /// A place where problems have any known form.
    public init(_ place: ValuePlace) {
        self.place = place
        declared = nil
        let split = place.details == nil ? place.pointer.split : nil
        parent = split?.parent ?? .root
        name = split?.name
    }

    /// Problems in a form that the profile describes.
    public init(_ declared: DeclaredFields) {
        place = declared.place
        self.declared = declared
        parent = .root
        name = nil
    }
}

/// Field problems of a form that a profile describes.
///
/// An object, because few profiles have one.
public final class DeclaredFields: Sendable {
    /// The contents of the place.
    public enum Form: Sendable {
        /// A problem at each of the values, with parts below it.
        case each
        /// An object from names to messages or lists of them.
        case map
        /// Names that share one message.
        case names
        /// A text that contains the name.
        case from
    }

    /// What is at the place.
    let form: Form
    /// The place.
    let place: ValuePlace
    /// The location of a problem's name, relative to its value.
    let name: ValuePlace?
    /// First steps of names that are not part of the field's name.
    let drop: [Text]
    /// The location of the message: relative to the value of each problem, otherwise in the response.
    let message: ValuePlace?
    /// The location of the provider's name of the problem, like ``message``.
    let code: ValuePlace?
    /// The codes that such names mean (case-insensitive).
    let means: [(name: Text, code: FieldProblemCode)]
    /// The conditions under which the place counts.
    let when: ConditionSet?

    /// Field problems of one form.
    public init(
        _ form: Form, at place: ValuePlace, name: ValuePlace? = nil, drop: [Text] = [],
        message: ValuePlace? = nil,
        code: ValuePlace? = nil, means: [(name: Text, code: FieldProblemCode)] = [], when: ConditionSet? = nil
    ) {
        self.form = form
        self.place = place
        self.name = name
        self.drop = drop
        self.message = message
        self.code = code
        self.means = means
        self.when = when
    }
}
