/// Which providers have a row of counters, and how many hold it open.
struct ProviderRoster {
    private struct Entry {
        var name: String
        var holders: Int
    }

    private var entries: [Entry?] = []
    /// The beginnings of the lines of the present providers, written when somebody asks for them.
    var counted: [CountedFamily]?

    /// How many places there are, the vacant ones included.
    var places: Int { entries.count }

    /// The providers, in the order of their places.
    var present: [(name: String, place: Int)] {
        entries.enumerated().compactMap { place, entry in entry.map { ($0.name, place) } }
    }

    /// The place of `name`, held once more; a vacant one is used again first.
    mutating func open(_ name: String) -> Int {
        if let place = entries.firstIndex(where: { $0?.name == name }) {
            entries[place]?.holders += 1
            return place
        }
        counted = nil
        let entry = Entry(name: name, holders: 1)
        if let vacant = entries.firstIndex(where: { $0 == nil }) {
            entries[vacant] = entry
            return vacant
        }
        entries.append(entry)
        return entries.count - 1
    }

    /// Lets go of a place, and says whether it is vacant now.
    mutating func close(_ place: Int) -> Bool {
        guard var entry = entries[place] else {
            assertionFailure("a provider was closed twice")
            return false
        }
        entry.holders -= 1
        guard entry.holders == 0 else {
            entries[place] = entry
            return false
        }
        entries[place] = nil
        counted = nil
        return true
    }
}
