/// Records in the order in which they were added; when there are too many, the oldest goes.
struct BoundedTable<Record: Sendable>: Sendable {
    private var records: [String: Record] = [:]
    private var order: [String] = []
    /// The most records.
    let capacity: Int

    /// A table without records.
    init(capacity: Int = 1000) { self.capacity = capacity }

    /// The record with that key; setting `nil` removes it.
    subscript(_ key: String) -> Record? {
        get { records[key] }
        set {
            if let newValue {
                if records.updateValue(newValue, forKey: key) == nil { order.append(key) }
                if order.count > capacity { records[order.removeFirst()] = nil }
            } else if records.removeValue(forKey: key) != nil {
                order.removeAll { $0 == key }
            }
        }
    }

    /// All records, oldest first.
    var all: [Record] { order.compactMap { records[$0] } }

    /// How many there are.
    var count: Int { order.count }
}
