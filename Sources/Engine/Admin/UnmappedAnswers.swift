internal import Core
internal import Locking
internal import Wire

/// Provider responses that no rule matched, collected so that a rule can be added.
///
/// Shared by all workers. Responses with the same status, content type and body shape are one entry; a new entry
/// replaces the one that has not been seen for the longest time.
final class UnmappedAnswers: Sendable {
    /// How many kinds of responses are kept.
    static let count = 256
    /// The maximum per provider, so that no provider displaces the entries of all others.
    static let countOfProvider = 128
    /// How many bytes of a body and of a content type are shown.
    private static let excerptLimit = 512
    private static let contentTypeLimit = 100
    private static let shapeLimit = 256
    /// The minimum age of an excerpt before it is replaced, so that a provider that fails for each request costs
    /// nothing.
    private static let excerptAge: Int64 = 1_000_000_000

    private struct Kind: Hashable {
        var provider: String
        var status: Int
        var contentType: [UInt8]
        var shape: UInt64
    }

    private struct Sightings {
        var first: Int64
        var last: Int64
        var count = 0
        var excerpt: [UInt8] = []
        var shape: [UInt8] = []
        var excerptAt = Int64.min / 2
    }

    private let kinds = Lock<[Kind: Sightings]>([:])

    /// Counts a response.
    ///
    /// - Parameters:
    ///   - shape: the shape of its body.
    ///   - wallNanoseconds: the current time since 1970.
    ///   - describe: returns the redacted beginning and the shape of its body as text; called only occasionally.
    func add(
        provider: String, status: Int, contentType: [UInt8], shape: UInt64, at wallNanoseconds: Int64,
        describe: (_ excerptLimit: Int, _ shapeLimit: Int) -> (excerpt: [UInt8], shape: [UInt8])
    ) {
        let kind = Kind(
            provider: provider, status: status, contentType: Array(contentType.prefix(Self.contentTypeLimit)),
            shape: shape)
        let wantsExcerpt = kinds.withLock { kinds in
            if kinds[kind] == nil { Self.makeRoom(for: provider, in: &kinds) }
            var seen = kinds[kind] ?? Sightings(first: wallNanoseconds, last: wallNanoseconds)
            seen.count += 1
            seen.last = wallNanoseconds
            let isDue = wallNanoseconds - seen.excerptAt >= Self.excerptAge
            if isDue { seen.excerptAt = wallNanoseconds }
            kinds[kind] = seen
            return isDue
        }
        guard wantsExcerpt else { return }
        let described = describe(Self.excerptLimit, Self.shapeLimit)
        kinds.withLock { kinds in
            kinds[kind]?.excerpt = described.excerpt
            kinds[kind]?.shape = described.shape
        }
    }

    private static func makeRoom(for provider: String, in kinds: inout [Kind: Sightings]) {
        var own = 0
        var (oldest, oldestOwn): (Kind?, Kind?) = (nil, nil)
        var (seen, seenOwn) = (Int64.max, Int64.max)
        for (kind, sightings) in kinds {
            if sightings.last < seen { (oldest, seen) = (kind, sightings.last) }
            guard kind.provider == provider else { continue }
            own += 1
            if sightings.last < seenOwn { (oldestOwn, seenOwn) = (kind, sightings.last) }
        }
        if own >= countOfProvider, let oldestOwn {
            kinds[oldestOwn] = nil
        } else if kinds.count >= count, let oldest {
            kinds[oldest] = nil
        }
    }

    /// All entries, the most frequent first.
    func page() -> AdminPage {
        let all = kinds.withLock { $0 }.sorted {
            ($1.value.count, $0.key.provider, $0.key.status) < (
                $0.value.count, $1.key.provider, $1.key.status
            )
        }
        var output = Array(#"{"kept":\#(Self.count),"answers":["#.utf8)
        func add(_ literal: String) { output.append(literal.utf8.span) }
        for (index, (kind, seen)) in all.enumerated() {
            add((index > 0 ? "," : "") + #"{"provider":"#)
            JSONWriter.string(kind.provider, into: &output)
            add(#","status":\#(kind.status)"#)
            if !kind.contentType.isEmpty {
                add(#","content_type":"#)
                JSONWriter.string(Text(kind.contentType), into: &output)
            }
            add(#","count":\#(seen.count),"first_seen":"#)
            JSONWriter.seconds(Double(seen.first) / 1e9, into: &output)
            add(#","last_seen":"#)
            JSONWriter.seconds(Double(seen.last) / 1e9, into: &output)
            add(#","shape":"#)
            JSONWriter.string(Text(seen.shape), into: &output)
            add(#","excerpt":"#)
            JSONWriter.string(Text(seen.excerpt), into: &output)
            add("}")
        }
        add("]}")
        return AdminPage(status: 200, contentType: AdminPage.json, body: output)
    }
}
