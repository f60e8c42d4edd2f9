/// Maps a key to its ledger: a hash table that grows by one bucket at a time.
///
/// With this linear hashing no insertion ever moves the whole table. Keys are keyed hashes, so no client can choose
/// colliding ones.
struct KeyIndex {
    private struct Node {
        var key: LedgerKey
        /// The next ledger in the same bucket; -1 at the end.
        var next: Int32
    }

    /// The first ledger of each bucket; -1 if there is none.
    private var buckets = Chunked<Int32>()
    /// For each ledger.
    private var nodes = Chunked<Node>()
    /// The number of buckets at the start of the current round of splitting, a power of two.
    private var round = 8
    /// The next bucket to split; those before it were split in this round.
    private var nextSplit = 0
    /// How many keys there are.
    private(set) var count = 0

    init() {
        for _ in 0..<round { buckets.append(-1) }
    }

    /// The ledger of `key`.
    subscript(key: LedgerKey) -> Int32? {
        var ledger = buckets[bucket(of: key)]
        while ledger >= 0 {
            let node = nodes[Int(ledger)]
            if node.key == key { return ledger }
            ledger = node.next
        }
        return nil
    }

    /// The key of a ledger that has one.
    func key(of ledger: Int32) -> LedgerKey { nodes[Int(ledger)].key }

    /// Adds a key that does not exist yet.
    mutating func insert(_ key: LedgerKey, ledger: Int32) {
        count += 1
        if count > buckets.count { split() }
        while nodes.count <= Int(ledger) { nodes.append(Node(key: .none, next: -1)) }
        prepend(ledger, key: key, to: bucket(of: key))
    }

    /// Removes the key of `ledger`.
    mutating func remove(_ ledger: Int32) {
        let bucket = bucket(of: key(of: ledger))
        let next = nodes[Int(ledger)].next
        count -= 1
        var previous = buckets[bucket]
        guard previous != ledger else {
            buckets[bucket] = next
            return
        }
        while nodes[Int(previous)].next != ledger { previous = nodes[Int(previous)].next }
        nodes[Int(previous)].next = next
    }

    private func bucket(of key: LedgerKey) -> Int {
        // The low bits choose the bucket, and the few well-known keys have nothing else.
        let bits = Int(truncatingIfNeeded: (key.hash &* 0x9E37_79B9_7F4A_7C15) >> 20)
        let low = bits & (round - 1)
        return low < nextSplit ? bits & (2 * round - 1) : low
    }

    private mutating func prepend(_ ledger: Int32, key: LedgerKey, to bucket: Int) {
        nodes[Int(ledger)] = Node(key: key, next: buckets[bucket])
        buckets[bucket] = ledger
    }

    /// Splits one bucket in two.
    private mutating func split() {
        var ledger = buckets[nextSplit]
        buckets[nextSplit] = -1
        buckets.append(-1)
        nextSplit += 1
        if nextSplit == round {
            round *= 2
            nextSplit = 0
        }
        while ledger >= 0 {
            let node = nodes[Int(ledger)]
            prepend(ledger, key: node.key, to: bucket(of: node.key))
            ledger = node.next
        }
    }
}
