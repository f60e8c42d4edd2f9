/// Records with stable indices; a vacated index is reused first.
struct Slab<Record> {
    private var records = Chunked<Record>()
    private var vacant: [Int32] = []

    /// The number of records.
    var count: Int { records.count - vacant.count }
    /// The upper bound of all indices.
    var bound: Int { records.count }

    /// The record at `index`, which may be vacant: records contain what distinguishes them.
    subscript(index: Int32) -> Record {
        @inline(__always) get { records[Int(index)] }
        @inline(__always) _modify { yield &records[Int(index)] }
    }

    mutating func insert(_ record: Record) -> Int32 {
        if let index = vacant.popLast() {
            records[Int(index)] = record
            return index
        }
        records.append(record)
        return Int32(records.count - 1)
    }

    /// Vacates `index`; the record stays readable until the index is reused.
    mutating func remove(_ index: Int32) {
        vacant.append(index)
    }
}

/// The ends of a list of slab indices; -1 stands for none.
struct Chain {
    var first: Int32 = -1
    var last: Int32 = -1
}

/// The links of lists over the indices of one slab: each index is in at most one list.
struct Chains {
    private var links = Chunked<(previous: Int32, next: Int32)>()

    func next(after index: Int32) -> Int32 { links[Int(index)].next }

    func previous(before index: Int32) -> Int32 { links[Int(index)].previous }

    mutating func append(_ index: Int32, to chain: inout Chain) {
        while links.count <= Int(index) { links.append((-1, -1)) }
        links[Int(index)] = (chain.last, -1)
        if chain.last >= 0 {
            links[Int(chain.last)].next = index
        } else {
            chain.first = index
        }
        chain.last = index
    }

    mutating func remove(_ index: Int32, from chain: inout Chain) {
        let (previous, next) = links[Int(index)]
        if previous >= 0 { links[Int(previous)].next = next } else { chain.first = next }
        if next >= 0 { links[Int(next)].previous = previous } else { chain.last = previous }
    }
}

/// An array that grows without moving its elements.
///
/// So no request ever waits while a million ledgers are copied.
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
            // The first chunk grows as needed: most pacers have few keys.
            if count > 0 { chunk.reserveCapacity(Self.chunkSize) }
            chunks.append(chunk)
        }
        chunks[count >> Self.shift].append(element)
        count += 1
    }
}
