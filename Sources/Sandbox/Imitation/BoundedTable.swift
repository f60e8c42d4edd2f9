/// Records in the order in which they were added; when they are too many or too large, the oldest go.
struct BoundedTable<Record: Sendable>: Sendable {
    /// The most records.
    static var capacity: Int { 1000 }
    /// The most bytes of all records together, more or less.
    static var byteLimit: Int { 4 << 20 }

    private var records: [String: (record: Record, weight: Int)] = [:]
    private var order: [String] = []
    private var weight = 0
    private let weigh: @Sendable (Record) -> Int

    /// A table without records.
    ///
    /// - Parameter weigh: the bytes of a record that a caller determines, more or less.
    init(weigh: @escaping @Sendable (Record) -> Int) { self.weigh = weigh }

    /// The record with that key; setting `nil` removes it.
    subscript(_ key: String) -> Record? {
        get { records[key]?.record }
        set {
            if let earlier = records.removeValue(forKey: key) {
                weight -= earlier.weight
                if newValue == nil { order.removeAll { $0 == key } }
            } else if newValue != nil {
                order.append(key)
            }
            guard let newValue else { return }
            let added = weigh(newValue) + 2 * key.utf8.count
            records[key] = (newValue, added)
            weight += added
            while order.count > Self.capacity || weight > Self.byteLimit { removeOldest() }
        }
    }

    /// All records, oldest first.
    var all: [Record] { order.compactMap { records[$0]?.record } }

    /// How many there are.
    var count: Int { order.count }

    private mutating func removeOldest() {
        weight -= records.removeValue(forKey: order.removeFirst())?.weight ?? 0
    }
}

extension BoundedTable<JSONValue> {
    /// A table of JSON values, without records.
    init() { self.init { $0.weight } }
}
