/// The ends of a list of slab indexes; -1 stands for none.
struct Chain {
    var first: Int32 = -1
    var last: Int32 = -1
}

/// The links of lists over the indexes of one slab: each index is in one list at most.
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
