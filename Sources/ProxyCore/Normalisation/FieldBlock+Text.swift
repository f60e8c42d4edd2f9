internal import HTTPWire

extension FieldBlock {
    /// The first value of a field, without blanks around it.
    func text(_ name: Text) -> Text? {
        var found: Text?
        forEach { field, value in
            if found == nil, field.equalsIgnoringCase(name.bytes.span) {
                found = Text(copying: value.extracting(value.trimmedRange))
            }
        }
        return found
    }

    /// The greatest of what `read` makes of a field's values.
    func greatest(_ name: Text, _ read: (Text) -> Int?) -> Int? {
        var greatest: Int?
        forEach { field, value in
            guard field.equalsIgnoringCase(name.bytes.span),
                let number = read(Text(copying: value.extracting(value.trimmedRange)))
            else { return }
            greatest = max(greatest ?? number, number)
        }
        return greatest
    }
}
