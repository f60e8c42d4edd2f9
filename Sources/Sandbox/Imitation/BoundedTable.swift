/// Records in the order of their addition; the oldest are removed when there are too many or they are too large.
struct BoundedTable<Record: Sendable>: Sendable {
    /// The maximum number of records.
    static var capacity: Int { 1000 }
    /// The approximate maximum size of all records together, in bytes.
    static var byteLimit: Int { 4 << 20 }

    private var records: [String: (record: Record, weight: Int)] = [:]
    private var order: [String] = []
    private var weight = 0
    private let weigh: @Sendable (Record) -> Int

    /// An empty table.
    ///
    /// - Parameter weigh: returns the approximate size of the parts of a record that a caller determines, in bytes.
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

    /// The number of records.
    var count: Int { order.count }

    private mutating func removeOldest() {
        weight -= records.removeValue(forKey: order.removeFirst())?.weight ?? 0
    }
}

extension BoundedTable<JSONValue> {
    /// An empty table of JSON values.
    init() { self.init { $0.weight } }
}

/// Generates identifiers in the providers' formats: always the same ones, in the same order.
struct IdentifierSource: Sendable {
    private var state: UInt64

    /// A generator; another seed gives other identifiers.
    init(seed: UInt64) { state = seed }

    /// Letters and digits.
    mutating func alphanumerics(_ count: Int) -> String {
        text(count, of: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// Digits, of which the first is not 0.
    mutating func digits(_ count: Int) -> String { "7" + text(count - 1, of: "0123456789") }

    /// A UUID.
    mutating func uuid() -> String {
        let hexadecimal = "0123456789abcdef"
        let parts = [8, 4, 4, 4, 12].map { text($0, of: hexadecimal) }
        return "\(parts[0])-\(parts[1])-7\(parts[2].dropFirst())-a\(parts[3].dropFirst())-\(parts[4])"
    }

    private mutating func text(_ count: Int, of alphabet: String) -> String {
        let characters = Array(alphabet)
        return String((0..<count).map { _ in characters[Int(next() % UInt64(characters.count))] })
    }

    /// SplitMix64.
    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
