internal import Wire

/// Maps a validator's own name of a problem to a field code: `missing`, `string.email`, `NotBlank`,
/// `value_error.any_str.max_length`.
enum FieldCodeNames {
    /// Longer texts are not names.
    private static let longest = 80

    /// The code for a field; `nil` for an unknown name.
    ///
    /// If it begins with the field's own name, the rest decides: `required_by.invalid`.
    static func code(_ name: Text, of field: Text) -> FieldProblemCode? {
        let (name, bytes) = (name, name.storage.span)
        let end = name.range.lowerBound + field.count
        guard end + 1 < name.range.upperBound, bytes[end] == 0x5F || bytes[end] == 0x2E || bytes[end] == 0x2D,
            bytes.extracting(name.range.lowerBound..<end).equalsIgnoringCase(
                field.storage.span.extracting(field.range))
        else { return code(name) }
        if let code = code(Text(name.storage, in: end + 1..<name.range.upperBound)) { return code }
        // `email_invalid`: the name of a field can also be that of a format.
        return code(name) == .invalidFormat ? .invalidFormat : nil
    }

    /// What the name means; `nil` for an unknown name.
    static func code(_ name: Text) -> FieldProblemCode? {
        // A URI or the like is an identifier, not a word.
        guard name.count <= longest, !name.bytes.contains(where: { $0 == 0x3A || $0 == 0x2F }) else {
            return nil
        }
        var letters: [UInt8] = []
        letters.reserveCapacity(name.count + 2)
        letters.append(0x5E)
        for byte in name.bytes where byte.isASCIILetter { letters.append(byte.lowercasedASCII) }
        guard letters.count > 1 else { return nil }
        letters.append(0x24)
        let code = names.code(of: Text(letters))
        return code == .invalid ? nil : code
    }

    /// Whether the name means a bound of an unknown kind: of a text's length, a list's length, or a number.
    static func isBound(_ name: Text) -> Bool {
        isLowerBound(name) || ["too_big", "TooBig", "max"].contains { name.equalsIgnoringCase($0) }
    }

    /// Whether such a bound is the lower one.
    static func isLowerBound(_ name: Text) -> Bool {
        ["too_small", "TooSmall", "min"].contains { name.equalsIgnoringCase($0) }
    }

    /// Parts of names without separators: the first one that occurs decides; `^` and `$` are a name's ends.
    ///
    /// From pydantic 1 and 2, Zod, Joi, JSON Schema (ajv), class-validator, Bean Validation, FluentValidation,
    /// Django REST, Rails, Google, Stripe and OpenAI.
    private static let names = FieldPhrases(
        [
            (
                .notFound,
                ["notfound", "doesnotexist", "doesntexist", "nosuch", "resourcemissing", "crossreference"]
            ),
            (
                .unknownField,
                [
                    "unknownfield", "unknownparam", "unknownprop", "unknownattr", "unknownkey",
                    "unknownargument",
                    "objectunknown", "parameterunknown", "unrecognized", "unrecognised", "extraforbidden",
                    "errorextra$",
                    "additionalprop", "unevaluatedprop", "unexpectedfield", "unexpectedkey", "unexpectedprop",
                    "unexpectedparam",
                    "whitelistvalidation",
                ]
            ),
            (
                .duplicate,
                ["duplicate", "alreadyexist", "alreadyused", "alreadyinuse", "unique", "taken$", "^exists$"]
            ),
            (
                .required,
                [
                    "required", "missing", "blank", "notempty", "notnull", "nonull", "invalidempty",
                    "stringempty", "isdefined", "nonenotallowed", "nullnotallowed",
                    "presence", "nullvalue", "^null$", "^empty$",
                ]
            ),
            (
                .tooLong,
                [
                    "toolong", "maxlength", "maximumlength", "maxitems", "maxproperties", "maxanystr",
                    "toomany", "stringmax",
                    "arraymax", "maxstringlength", "abovemaxlength", "abovemaxsize",
                ]
            ),
            (
                .tooShort,
                [
                    "tooshort", "minlength", "minimumlength", "minitems", "minproperties", "toofew",
                    "stringmin", "arraymin",
                    "belowminlength", "belowminsize",
                ]
            ),
            (
                .invalidFormat,
                [
                    "urlparsing", "datetimeparsing", "dateparsing", "datefromdatetime", "timeparsing",
                    "uuidparsing", "jsoninvalid",
                    "jsondecode", "patternmismatch", "stringpattern", "patternbase",
                ]
            ),
            (
                .invalidType,
                [
                    "invalidtype", "typemismatch", "typeerror", "wrongtype", "typeinvalid", "incorrecttype",
                    "invalidinteger",
                    "invalidnumber", "invalidboolean", "intparsing", "floatparsing", "boolparsing",
                    "decimalparsing",
                    "isstring", "isint", "isnumber", "isboolean", "isbool", "isarray", "isobject",
                    "isdateinstance", "notanumber",
                    "notaninteger", "notalist", "notadict", "notastring", "stringbase", "numberbase",
                    "booleanbase", "arraybase",
                    "objectbase", "datebase", "numberinteger", "^type$", "type$", "fromfloat",
                ]
            ),
            (
                .outOfRange,
                [
                    "outofrange", "toolarge", "toosmall", "toobig", "greater", "lessthan", "numberless",
                    "minimum", "maximum",
                    "belowmin", "abovemax", "notge$", "notgt$", "notle$", "notlt$", "multipleof",
                    "notinrange", "maxvalue", "minvalue",
                    "inclusivebetween", "^range$", "decimalmin", "decimalmax", "positive", "negative",
                    "^past", "^future",
                    "^digits$", "numbermin", "numbermax", "datemin", "datemax", "datefuture", "datepast",
                    "^min$", "^max$",
                ]
            ),
            (
                .notAllowed,
                [
                    "notallowed", "notpermitted", "forbidden", "unsupported", "enum", "literalerror",
                    "valueerrorconst", "^const$",
                    "choice", "inclusion", "exclusion", "isin$", "oneof", "anyonly", "anyinvalid",
                    "exclusive", "objectxor", "objectnand",
                    "immutable", "readonly", "literal",
                ]
            ),
            (
                .invalidFormat,
                [
                    "format", "pattern", "regex", "regularexpression", "matches", "email", "url", "uri",
                    "uuid", "guid", "isodate", "isip",
                    "phone", "malformed", "isiso", "invalidstring", "invaliddate", "dateinvalid", "datetime",
                    "hostname", "creditcard",
                    "parseerror", "valueerrordate", "valueerrortime",
                ]
            ),
        ].flatMap { code, parts in parts.map { ($0, code) } }, startsAnywhere: true)
}
