import Locking

/// The content of `/metrics`: a shard of counters per worker, and their sum as text.
///
/// Label values come from the configuration and from lists in the program, never from traffic. So memory is bounded,
/// and every series exists at 0 from the start of the program, or from the addition of its provider.
public final class ProxyMetrics: Sendable {
    /// The value of the label `provider` for exchanges without a route; no provider may have this name.
    public static let unrouted = "-"

    /// One per worker, in the order of the workers.
    public let shards: [MetricShard]

    let layout: MetricLayout
    let codes: [(name: String, origin: String)]
    let build: BuildInfo
    let exemplars = Exemplars()
    private let roster = Lock(ProviderRoster())

    /// The values of a scrape, all from one moment.
    struct Reading {
        var providers: [(name: String, place: Int)]
        var counted: [CountedFamily]
        var totals: [UInt64]
        var exemplars: [Int: Exemplar]
    }

    /// Counters at 0.
    ///
    /// - Parameters:
    ///   - providers: the initial names, each opened once: their indices are those in this list.
    ///   - codes: the problem codes with their origins; a code is identified by its index in this list.
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

    /// Opens the series of a provider: they begin at 0, or continue if they exist.
    ///
    /// - Returns: the index that identifies the provider in the shards; to be closed as often as it was opened.
    public func open(_ provider: String) -> Int {
        roster.withLock { roster in
            let place = roster.open(provider)
            for shard in shards { shard.grow(providers: roster.places) }
            return place
        }
    }

    /// Releases this index; when it has been closed as often as opened, its series are removed.
    ///
    /// A caller that counts for it must have it open: the index may be reused for another provider.
    public func close(_ place: Int) {
        roster.withLock { roster in
            guard roster.close(place) else { return }
            for shard in shards { shard.clear(provider: place) }
            exemplars.remove(layout.row(place)..<layout.row(place) + layout.stride)
        }
    }

    /// The sums of all shards, and their series.
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
            return Reading(
                providers: providers, counted: counted, totals: totals, exemplars: exemplars.current)
        }
    }
}

/// The providers with a row of counters, and how often each is open.
struct ProviderRoster {
    private struct Entry {
        var name: String
        var holders: Int
    }

    private var entries: [Entry?] = []
    /// The prebuilt beginnings of the lines of the present providers.
    var counted: [CountedFamily]?

    /// The number of rows, including vacant ones.
    var places: Int { entries.count }

    /// The providers, in the order of their places.
    var present: [(name: String, place: Int)] {
        entries.enumerated().compactMap { place, entry in entry.map { ($0.name, place) } }
    }

    /// The index of `name`, opened once more; vacant ones are reused first.
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

    /// Closes an index; returns whether it is vacant now.
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

// The state of circuits and quarantines, read at a scrape.
extension ProxyMetrics {
    static let guardFamilies: [MetricFamily] = [
        .quarantinedCredentials, .circuitState, .credentialState, .credentialStateSince,
    ]

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
        writeCredentials(gauges, format, &output)
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
