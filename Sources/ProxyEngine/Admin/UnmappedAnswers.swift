internal import HTTPWire
internal import Locking
internal import ProxyCore

/// Answers of providers that no rule knew, so that somebody can add the rule.
///
/// Shared by all workers. Answers of one status and content type are one; what was last seen makes room for what is new.
final class UnmappedAnswers: Sendable {
    /// How many kinds of answers are kept.
    static let count = 256
    /// How much is shown of a body, and of a content type, in bytes.
    private static let excerptLimit = 512
    private static let contentTypeLimit = 100
    /// An excerpt is made anew after so long: a provider that fails at each request costs nothing.
    private static let excerptAge: Int64 = 1_000_000_000

    private struct Kind: Hashable {
        var provider: String
        var status: Int
        var contentType: [UInt8]
    }

    private struct Sightings {
        var first: Int64
        var last: Int64
        var count = 0
        var excerpt: [UInt8] = []
        var excerptAt = Int64.min / 2
    }

    private let kinds = Lock<[Kind: Sightings]>([:])

    /// Counts an answer.
    ///
    /// - Parameters:
    ///   - wallNanoseconds: now, since 1970.
    ///   - excerpt: the beginning of its body, secrets taken out; asked for now and then.
    func add(
        provider: String, status: Int, contentType: [UInt8], at wallNanoseconds: Int64,
        excerpt: (Int) -> [UInt8]
    ) {
        let kind = Kind(
            provider: provider, status: status, contentType: Array(contentType.prefix(Self.contentTypeLimit)))
        let wantsExcerpt = kinds.withLock { kinds in
            if kinds[kind] == nil, kinds.count >= Self.count,
                let oldest = kinds.min(by: { $0.value.last < $1.value.last })
            {
                kinds[oldest.key] = nil
            }
            var seen = kinds[kind] ?? Sightings(first: wallNanoseconds, last: wallNanoseconds)
            seen.count += 1
            seen.last = wallNanoseconds
            let isDue = wallNanoseconds - seen.excerptAt >= Self.excerptAge
            if isDue { seen.excerptAt = wallNanoseconds }
            kinds[kind] = seen
            return isDue
        }
        guard wantsExcerpt else { return }
        let excerpt = excerpt(Self.excerptLimit)
        kinds.withLock { $0[kind]?.excerpt = excerpt }
    }

    /// All of them, the most frequent first.
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
            add(#","excerpt":"#)
            JSONWriter.string(Text(seen.excerpt), into: &output)
            add("}")
        }
        add("]}")
        return AdminPage(status: 200, contentType: AdminPage.json, body: output)
    }
}
