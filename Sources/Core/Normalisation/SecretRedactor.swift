internal import Locking
internal import Wire

/// Redacts secrets that a provider repeats: a request's credentials in any usual encoding, also in two nested ones,
/// tokens that begin like the provider's secrets, and tokens after the name of an authentication scheme.
///
/// Its time grows with the text and with the secrets, never with their product: a quick check finds which spellings
/// may be present, and only those are computed, and searched for with the algorithm of Knuth, Morris and Pratt, in up
/// to six decodings of the text.
///
/// Immutable, and an object: it is created once per credential and used for many texts.
public final class SecretRedactor: Sendable {
    /// The replacement for a secret.
    public static let mark = Array("[redacted]".utf8)
    /// Shorter secrets cannot be distinguished from other text.
    public static let shortestSecret = 8
    /// The minimum length of a spelling without its separators, in bytes.
    private static let shortestSpelling = SecretGlance.startLength

    private let secrets: [[UInt8]]
    /// How many spellings each secret has.
    private let spellingCount: Int
    /// Secrets that are too short without separators: they are searched for with them.
    private let strange: [SecretPattern]
    private let prefixes: [SecretPattern]
    private let findsSchemes: Bool
    private let glance: SecretGlance

    /// A redactor.
    ///
    /// - Parameters:
    ///   - secrets: the credentials; those that are too short are ignored.
    ///   - prefixes: the beginnings of other secrets.
    ///   - findsSchemes: whether tokens after `Basic`, `Bearer` and the like are redacted as well.
    public init(secrets: [[UInt8]], prefixes: [Text] = [], findsSchemes: Bool = true) {
        let prefixes = prefixes.map { Array($0.bytes) }.filter { !$0.isEmpty }
        self.prefixes = prefixes.map(SecretPattern.init)
        self.findsSchemes = findsSchemes
        var kept: [[UInt8]] = []
        for secret in secrets where secret.count >= Self.shortestSecret && !kept.contains(secret) {
            kept.append(secret)
            guard EscapedText.mayHaveEscapes(secret.span) else { continue }
            let undone = EscapedText(secret.span).bytes
            if undone.count >= Self.shortestSecret, !kept.contains(undone) { kept.append(undone) }
        }
        self.secrets = kept
        // Separators may be missing.
        shortestLength = kept.map { SecretFolding.squeezed($0).count }.min() ?? 0
        var spellings: [[UInt8]] = []
        for secret in kept {
            SecretSpelling.forEach(of: Array(secret.prefix(SecretSpelling.prefixLength))) { spelling, _ in
                spellings.append(spelling)
            }
        }
        spellingCount = kept.isEmpty ? 0 : spellings.count / kept.count
        strange = kept.filter { SecretFolding.squeezed($0).count < Self.shortestSecret }
            .map { SecretPattern(SecretFolding.folded($0)) }
        glance = SecretGlance(
            spellings: spellings, words: prefixes + (findsSchemes ? AuthenticationScheme.names : []),
            findsAll: !strange.isEmpty)
    }

    /// The redacted bytes; `nil` if they contain no secret.
    ///
    /// - Parameter isCut: whether the text is truncated: a possible beginning of a secret at the end is redacted as
    ///   well.
    public func redacted(_ bytes: [UInt8], mark: [UInt8] = SecretRedactor.mark, isCut: Bool = false)
        -> [UInt8]?
    {
        guard mayContain(bytes.span) else { return nil }
        var found = FoundRanges(count: bytes.count)
        search(bytes, origin: nil, isCut: isCut, in: &found)
        let undone = EscapedText.mayHaveEscapes(bytes.span) ? EscapedText(bytes.span) : nil
        if let undone { search(undone.bytes, origin: undone, isCut: isCut, in: &found) }
        if !secrets.isEmpty {
            if let printable = EscapedText(quotedPrintable: bytes.span) {
                searchSecrets(printable.bytes, origin: printable, isCut: isCut, in: &found)
                if EscapedText.mayHaveEscapes(printable.bytes.span) {
                    let both = EscapedText(printable.bytes.span).reading(of: printable)
                    searchSecrets(both.bytes, origin: both, isCut: isCut, in: &found)
                }
            }
            if let undone, let both = EscapedText(quotedPrintable: undone.bytes.span)?.reading(of: undone) {
                searchSecrets(both.bytes, origin: both, isCut: isCut, in: &found)
                if EscapedText.mayHaveEscapes(both.bytes.span) {
                    let all = EscapedText(both.bytes.span).reading(of: both)
                    searchSecrets(all.bytes, origin: all, isCut: isCut, in: &found)
                }
            }
        }
        return found.masked(bytes, mark: mark)
    }

    /// The redacted text.
    public func redacted(_ text: Text) -> Text {
        guard mayContain(text.bytes.span), let bytes = redacted(Array(text.bytes)) else { return text }
        return Text(bytes)
    }

    /// A text with fewer bytes contains no secret in any encoding.
    public let shortestLength: Int

    /// Whether the bytes may contain a secret: a quick check with false positives only.
    ///
    /// If not, no string of a body consisting of parts of them may contain one either.
    public func mayContain(_ bytes: Span<UInt8>) -> Bool { bytes.count >= 3 && glance.mayFind(in: bytes) }

    // MARK: Searching

    private func search(_ bytes: [UInt8], origin: EscapedText?, isCut: Bool, in found: inout FoundRanges) {
        searchSecrets(bytes, origin: origin, isCut: isCut, in: &found)
        for index in 0..<prefixes.count {
            var tokenEnd = 0
            prefixes[index].forEachMatch(in: bytes.span) { match in
                if tokenEnd < match.upperBound {
                    tokenEnd = match.upperBound
                    while tokenEnd < bytes.count, AuthenticationScheme.isTokenByte(bytes[tokenEnd]) {
                        tokenEnd += 1
                    }
                }
                guard tokenEnd - match.upperBound >= Self.shortestSecret else { return }
                found.add(match.lowerBound..<tokenEnd, origin: origin)
            }
        }
        guard findsSchemes else { return }
        AuthenticationScheme.forEachToken(in: bytes.span) { found.add($0, origin: origin) }
    }

    private func searchSecrets(
        _ bytes: [UInt8], origin: EscapedText?, isCut: Bool, in found: inout FoundRanges
    ) {
        if !strange.isEmpty {
            let folded = SecretFolding.folded(bytes)
            for index in 0..<strange.count {
                strange[index].forEachMatch(in: folded.span) { found.add($0, origin: origin) }
                let length = isCut ? strange[index].lengthAtEnd(of: folded.span) : 0
                if length >= Self.shortestSecret {
                    found.add(bytes.count - length..<bytes.count, origin: origin)
                }
            }
        }
        var begun: Set<Int> = []
        glance.forEachBeginning(in: bytes.span) { begun.insert($0) }
        guard !begun.isEmpty else { return }
        let text = SqueezedText(bytes)
        for (number, secret) in secrets.enumerated() {
            let own = number * spellingCount..<(number + 1) * spellingCount
            guard begun.contains(where: own.contains) else { continue }
            var index = own.lowerBound
            SecretSpelling.forEach(of: secret) { spelling, isCoded in
                defer { index += 1 }
                let shortest = index == own.lowerBound ? Self.shortestSecret : Self.shortestSpelling
                guard begun.contains(index), spelling.count >= shortest else { return }
                let pattern = SecretPattern(spelling)
                var run = 0..<0
                pattern.forEachMatch(in: text.bytes.span) { match in
                    let range = text.origin(of: match)
                    if !isCoded {
                        found.add(Self.extended(range, of: bytes, by: secret), origin: origin)
                    } else {
                        if run.upperBound < range.upperBound { run = Self.run(around: range, in: bytes.span) }
                        found.add(min(run.lowerBound, range.lowerBound)..<run.upperBound, origin: origin)
                    }
                }
                let length = isCut ? pattern.lengthAtEnd(of: text.bytes.span) : 0
                guard length > 0 else { return }
                let start = text.origin(of: text.bytes.count - length..<text.bytes.count).lowerBound
                if bytes.count - start >= Self.shortestSecret {
                    found.add(start..<bytes.count, origin: origin)
                }
            }
        }
    }

    /// The range with the separators at the ends of the secret, where they stand around it.
    private static func extended(_ range: Range<Int>, of text: [UInt8], by secret: [UInt8]) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        let isSeparator = { SecretFolding.isSeparator(SecretFolding.fold($0)) }
        for byte in secret.prefix(while: isSeparator).reversed() where start > 0 && text[start - 1] == byte {
            start -= 1
        }
        for byte in secret.reversed().prefix(while: isSeparator).reversed()
        where end < text.count && text[end] == byte {
            end += 1
        }
        return start..<end
    }

    /// The surrounding base 64 text of a match, whose ends contain bits of the secret.
    private static func run(around match: Range<Int>, in text: Span<UInt8>) -> Range<Int> {
        func isCoded(_ index: Int) -> Bool {
            AuthenticationScheme.isTokenByte(text[index]) || text[index] == 0x2B
        }
        var (start, end) = (match.lowerBound, match.upperBound)
        // A slash is more often part of a path.
        if start > 0, text[start - 1] == 0x2F { start -= 1 }
        while start > 0, isCoded(start - 1) { start -= 1 }
        if end < text.count, text[end] == 0x2F { end += 1 }
        while end < text.count, isCoded(end) { end += 1 }
        while end < text.count, text[end] == 0x3D { end += 1 }
        return start..<end
    }
}

/// A text without the separators that a spelling may contain, with the original position of each byte.
private struct SqueezedText {
    private(set) var bytes: [UInt8] = []
    private var places: [Int32] = []

    init(_ text: [UInt8]) {
        bytes.reserveCapacity(text.count)
        places.reserveCapacity(text.count)
        for index in 0..<text.count {
            let folded = SecretFolding.fold(text[index])
            guard !SecretFolding.isSeparator(folded) else { continue }
            bytes.append(folded)
            places.append(Int32(truncatingIfNeeded: index))
        }
    }

    /// Where a range of the text lies in the one with separators.
    func origin(of range: Range<Int>) -> Range<Int> {
        Int(places[range.lowerBound])..<Int(places[range.upperBound - 1]) + 1
    }
}

/// A cache of redactors for recent credentials: creating one costs as much as normalising an error.
///
/// Any worker may ask at any time.
final class RedactorMemo: Sendable {
    private struct Entry {
        var secrets: [[UInt8]]
        /// The value of `Authorization` in which the secrets were found, if nothing else of the request mattered.
        var authorization: [UInt8]?
        var redactor: SecretRedactor
    }

    /// The capacity.
    private static let limit = 8

    private let prefixes: [Text]
    /// The most recently used one is the first.
    private let recent = Lock<[Entry]>([])

    init(prefixes: [Text]) { self.prefixes = prefixes }

    /// The redactor for these secrets.
    ///
    /// - Parameter authorization: the value of `Authorization` that has them, if nothing else of the request matters.
    func redactor(of secrets: [[UInt8]], authorization: [UInt8]? = nil) -> SecretRedactor {
        let known = recent.withLock { recent -> SecretRedactor? in
            guard let index = recent.firstIndex(where: { $0.secrets == secrets }) else { return nil }
            if index > 0 { recent.swapAt(index, 0) }
            if let authorization { recent[0].authorization = authorization }
            return recent[0].redactor
        }
        if let known { return known }
        let redactor = SecretRedactor(secrets: secrets, prefixes: prefixes)
        recent.withLock { recent in
            recent.insert(
                Entry(secrets: secrets, authorization: authorization, redactor: redactor), at: 0)
            if recent.count > Self.limit { recent.removeLast() }
        }
        return redactor
    }

    /// The redactor for a request whose secrets are all in this value of `Authorization`; `nil` if it is not cached.
    func redactor(authorization: Span<UInt8>) -> SecretRedactor? {
        recent.withLock { recent in
            for index in 0..<recent.count {
                guard let known = recent[index].authorization, authorization.equals(known.span) else {
                    continue
                }
                if index > 0 { recent.swapAt(index, 0) }
                return recent[0].redactor
            }
            return nil
        }
    }
}

/// Redacts texts that are read from a response, most of which are parts of its body.
struct TextRedaction {
    private let redactor: SecretRedactor
    /// The body, if it contains nothing that could be a secret: no part of it is searched again.
    private let cleanBody: [UInt8]?

    init(_ redactor: SecretRedactor, cleanBody: [UInt8]?) {
        self.redactor = redactor
        self.cleanBody = cleanBody
    }

    /// The text without secrets.
    func redacted(_ text: Text) -> Text { isClean(text) ? text : redactor.redacted(text) }

    /// Redacts field problems.
    func redact(_ fields: inout [FieldProblem]) {
        if areClean(fields) { return }
        for index in 0..<fields.count {
            fields[index].field = redacted(fields[index].field)
            fields[index].detail = fields[index].detail.map(redacted)
        }
    }

    private func areClean(_ fields: [FieldProblem]) -> Bool {
        let fields = fields.span
        for index in 0..<fields.count {
            guard isClean(fields[index].field) else { return false }
            if let detail = fields[index].detail, !isClean(detail) { return false }
        }
        return true
    }

    /// Whether the text is a part of the clean body, and not a copy or put together from several parts.
    private func isClean(_ text: Text) -> Bool {
        guard let cleanBody else { return false }
        return text.storage.span.isIdentical(to: cleanBody.span)
    }
}
