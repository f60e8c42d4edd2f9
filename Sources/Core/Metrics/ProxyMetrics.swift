import Locking

/// Everything that `/metrics` shows: a shard of counters per worker, and their sum as text.
///
/// Label values come from the configuration and from the lists in the program, never from traffic, so memory
/// is bounded and every series exists at 0 from the start: that of the program, or that of its provider.
public final class ProxyMetrics: Sendable {
    /// The value of the label `provider` for exchanges without a route; no provider may have this name.
    public static let unrouted = "-"

    /// One per worker, in the order of the workers.
    public let shards: [MetricShard]

    let layout: MetricLayout
    let codes: [(name: String, origin: String)]
    let build: BuildInfo
    private let roster = Lock(ProviderRoster())

    /// What a scrape begins with, all of one moment.
    struct Reading {
        var providers: [(name: String, place: Int)]
        var counted: [CountedFamily]
        var totals: [UInt64]
    }

    /// Counters at 0.
    ///
    /// - Parameters:
    ///   - providers: the names to begin with, each opened once: their places are those in this list.
    ///   - codes: the problem codes with their origins; a code is known by its place in this list.
    ///   - workers: how many shards there are, 1 or more.
    ///   - build: what `weir_build_info` shows.
    public init(
        providers: [String] = [], codes: [(name: String, origin: String)], workers: Int, build: BuildInfo
    ) {
        precondition(workers > 0, "no worker")
        precondition(
            Set(providers + [Self.unrouted]).count == providers.count + 1, "provider names must differ")
        let layout = MetricLayout(codes: codes.count)
        let rejections = codes.map { code in
            Rejection.allCases.first { $0.label == code.name }.map { UInt8($0.rawValue) } ?? UInt8.max
        }
        self.layout = layout
        self.codes = codes
        self.build = build
        shards = (0..<workers).map { _ in MetricShard(layout: layout, rejectionOfCode: rejections) }
        for provider in providers { _ = open(provider) }
    }

    /// Sees to it that a provider has its series: they begin at 0, or go on if they are there.
    ///
    /// - Returns: the place by which the shards know the provider; to be closed as often as it was opened.
    public func open(_ provider: String) -> Int {
        roster.withLock { roster in
            let place = roster.open(provider)
            for shard in shards { shard.grow(providers: roster.places) }
            return place
        }
    }

    /// The provider at this place is not needed any more; when nobody needs it, its series go.
    ///
    /// Whoever counts for it must have it open: its place may become another provider's.
    public func close(_ place: Int) {
        roster.withLock { roster in
            guard roster.close(place) else { return }
            for shard in shards { shard.clear(provider: place) }
        }
    }

    /// The sums of all shards, and the series that they belong to.
    func read() -> Reading {
        roster.withLock { roster in
            let providers = roster.present
            let counted =
                roster.counted
                ?? Self.countedFamilies(
                    layout,
                    providers: providers.map { Row(label: $0.name, start: layout.row($0.place)) },
                    codes: codes)
            roster.counted = counted
            var totals = [UInt64](repeating: 0, count: layout.size(providers: roster.places))
            for shard in shards { shard.add(to: &totals) }
            return Reading(providers: providers, counted: counted, totals: totals)
        }
    }
}

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

// What keeps requests from a provider: read when somebody asks.
extension ProxyMetrics {
    static let guardFamilies: [MetricFamily] = [.quarantinedCredentials, .circuitState]

    func writeGuards(
        _ gauges: [(provider: String, guards: GuardGauges)], _ format: ExpositionFormat,
        _ output: inout ExpositionText
    ) {
        func write(_ family: MetricFamily, _ value: (GuardGauges) -> Int) {
            output.append(headerOf: family, in: format)
            for (provider, guards) in gauges {
                output.append(sample: family.name, labels: [("provider", provider)])
                output.endLine(value(guards))
            }
        }
        write(.quarantinedCredentials, \.quarantinedCredentials)
        write(.circuitState, \.circuit.rawValue)
    }
}

extension MetricFamily {
    static let quarantinedCredentials = MetricFamily(
        "weir_credentials_quarantined", .gauge, labels: ["provider"],
        help: "Credentials that are held back because the provider keeps refusing them.")
    static let circuitState = MetricFamily(
        "weir_circuit_state", .gauge, labels: ["provider"],
        help: "Whether requests are sent: 0 all (closed), 1 one at a time (half open), 2 none (open).")
}
