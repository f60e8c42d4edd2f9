/// Records that keep their index while they live; a vacated index is used again first.
struct Slab<Record> {
    private var records = Chunked<Record>()
    private var vacant: [Int32] = []

    /// How many records live.
    var count: Int { records.count - vacant.count }
    /// What all indexes are below.
    var bound: Int { records.count }

    /// The record at `index`, which may be vacant: records carry what tells them apart.
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

    /// Vacates `index`; the record stays readable until the index is used again.
    mutating func remove(_ index: Int32) {
        vacant.append(index)
    }
}
