/// An array that grows without moving what it holds.
///
/// No request ever waits while a million ledgers are copied.
struct Chunked<Element> {
    private static var shift: Int { 9 }
    private static var chunkSize: Int { 1 << shift }

    private var chunks: [[Element]] = []
    private(set) var count = 0

    subscript(index: Int) -> Element {
        @inline(__always) get { chunks[index >> Self.shift][index & (Self.chunkSize - 1)] }
        @inline(__always) _modify { yield &chunks[index >> Self.shift][index & (Self.chunkSize - 1)] }
    }

    mutating func append(_ element: Element) {
        if count & (Self.chunkSize - 1) == 0 {
            var chunk: [Element] = []
            // The first chunk grows as it is needed: most pacers have few keys.
            if count > 0 { chunk.reserveCapacity(Self.chunkSize) }
            chunks.append(chunk)
        }
        chunks[count >> Self.shift].append(element)
        count += 1
    }
}
