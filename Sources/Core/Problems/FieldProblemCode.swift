/// What is wrong with one field.
public enum FieldProblemCode: String, CaseIterable, Sendable {
    /// It is missing or empty.
    case required
    /// It has the right type but is not an address, a date, … as it should be.
    case invalidFormat = "invalid_format"
    /// It is a string instead of a number, and the like.
    case invalidType = "invalid_type"
    /// The value is too small or too large.
    case outOfRange = "out_of_range"
    /// It has too many characters or elements.
    case tooLong = "too_long"
    /// It has too few characters or elements.
    case tooShort = "too_short"
    /// The value, or the field beside another one, is not allowed.
    case notAllowed = "not_allowed"
    /// Something with this value exists.
    case duplicate
    /// The value refers to something that does not exist.
    case notFound = "not_found"
    /// The provider does not know the field.
    case unknownField = "unknown_field"
    /// Wrong for another reason; the detail says which.
    case invalid
}
