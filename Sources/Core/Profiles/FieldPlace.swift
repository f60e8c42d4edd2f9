/// A place of a profile where field problems may be, prepared once.
public struct FieldPlace: Sendable {
    /// The place.
    let place: ValuePlace
    /// The container that a pointer leads into.
    let parent: JSONPointer
    /// The last step of a pointer; `nil` for the whole body, and for other places.
    let name: Text?
    /// What the profile says about the form of the problems; `nil`: any form that is known.
    let declared: DeclaredFields?

    /// A place where problems have any form that is known.
    public init(_ place: ValuePlace) {
        self.place = place
        declared = nil
        let split = place.details == nil ? place.pointer.split : nil
        parent = split?.parent ?? .root
        name = split?.name
    }

    /// Problems of a form that the profile describes.
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
    /// What is at the place.
    public enum Form: Sendable {
        /// A problem at each of the values, with parts below it.
        case each
        /// An object from names to sentences, or lists of them.
        case map
        /// Names that share one sentence.
        case names
        /// A text with the name in it.
        case from
    }

    /// What is at the place.
    let form: Form
    /// The place.
    let place: ValuePlace
    /// Where the name of a problem is, below its value.
    let name: ValuePlace?
    /// First steps of names that name no field.
    let drop: [Text]
    /// Where the sentence is: below the value of each problem, else in the response.
    let message: ValuePlace?
    /// Where the provider's name of the problem is, as ``message``.
    let code: ValuePlace?
    /// What such names mean, the case of letters aside.
    let means: [(name: Text, code: FieldProblemCode)]
    /// What must hold for the place to count.
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
