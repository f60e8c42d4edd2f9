internal import Upstream
internal import Wire

extension ResponseHead {
    /// Whether the answer is a stream of events (HTML 9.2): its silence means nothing.
    var isEventStream: Bool {
        let name = FieldNames.contentType
        return fields.withFirstValue(of: name.span) { value in
            guard value.startsIgnoringCase(with: "text/event-stream") else { return false }
            // Nothing, or a parameter.
            return value.count == 17 || value[17] == 0x3B || value[17].isBlank
        } ?? false
    }
}
