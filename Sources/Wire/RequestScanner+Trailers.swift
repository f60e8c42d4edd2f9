/// Trailers do not pass: they are kept here until their request asks for them.
extension RequestScanner {
    /// Most bytes of trailers that wait on a connection: of one request, or of several that were sent at once.
    static let trailerRoom = 16 << 10

    /// A request's trailers, as lines `name:value` with a line feed at the end.
    struct Trailers: Sendable {
        /// The first request of a connection is 1.
        var request: Int
        var lines: [UInt8]
    }

    /// Keeps bytes of the trailer that is being read.
    mutating func keepTrailer(_ bytes: Span<UInt8>) {
        if trailerLines.count <= Self.trailerRoom { trailerLines.append(bytes) }
    }

    mutating func keepTrailer(_ byte: UInt8) {
        if trailerLines.count <= Self.trailerRoom { trailerLines.append(byte) }
    }

    /// The request that has just been counted has these trailers; they are dropped where others fill the room.
    mutating func endTrailers() {
        guard !trailerLines.isEmpty else { return }
        let waiting = trailers.reduce(0) { $0 + $1.lines.count }
        if waiting + trailerLines.count <= Self.trailerRoom {
            trailers.append(Trailers(request: completeRequests, lines: trailerLines))
        }
        trailerLines = []
    }

    /// The trailers of a request, the first of the connection being 1, once it has passed; those of earlier ones are dropped.
    public mutating func takeTrailers(of request: Int) -> FieldBlock {
        var fields = FieldBlock()
        guard !trailers.isEmpty else { return fields }
        if let own = trailers.first(where: { $0.request == request }) {
            let lines = own.lines
            Self.read(lines.span, into: &fields)
        }
        trailers.removeAll { $0.request <= request }
        return fields
    }

    private static func read(_ lines: Span<UInt8>, into fields: inout FieldBlock) {
        var start = 0
        while start < lines.count {
            var colon = start
            while lines[colon] != 0x3A { colon += 1 }
            var end = colon + 1
            while lines[end] != 0x0A { end += 1 }
            let value = lines.extracting(colon + 1..<end)
            fields.append(
                name: lines.extracting(start..<colon), value: value.extracting(value.trimmedRange))
            start = end + 1
        }
    }
}
