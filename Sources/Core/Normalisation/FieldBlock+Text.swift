internal import Wire

extension FieldBlock {
    /// The first value of a field, without blanks around it.
    func text(_ name: Text) -> Text? {
        rangeOfFirstValue(of: name.storage.span.extracting(name.range)).map { Text(storage, in: $0) }
    }

    /// The greatest of what `read` makes of a field's values.
    func greatest(_ name: Text, _ read: (Text) -> Int?) -> Int? {
        let name = name.storage.span.extracting(name.range)
        guard contains(name) else { return nil }
        var greatest: Int?
        forEach { field, value in
            guard field.equalsIgnoringCase(name),
                let number = read(Text(copying: value.extracting(value.trimmedRange)))
            else { return }
            greatest = max(greatest ?? number, number)
        }
        return greatest
    }
}
