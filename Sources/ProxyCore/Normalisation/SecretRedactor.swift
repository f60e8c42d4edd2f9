internal import HTTPWire

/// Hides secrets that a provider repeats: the credentials of a request in any of their usual encodings, tokens that begin as the
/// provider's secrets do, and what stands behind the name of an authentication scheme.
///
/// The time that it takes grows with the text and with the secrets, never with their product: each pattern is searched for by Knuth,
/// Morris and Pratt's method in three readings of the text.
///
/// Immutable, and an object: it is made for a credential once and used for many texts.
public final class SecretRedactor: Sendable {
    /// What stands where a secret stood.
    public static let mark = Array("[redacted]".utf8)
    /// Shorter secrets cannot be told from other text.
    public static let shortestSecret = 8

    private let patterns: [SecretPattern]
    /// Those of base 64, which are parts of longer texts.
    private let codedPatterns: [SecretPattern]
    private let prefixes: [SecretPattern]
    private let findsSchemes: Bool
    private let glance: SecretGlance

    /// A redactor.
    ///
    /// - Parameters:
    ///   - secrets: the credentials; those that are too short are ignored.
    ///   - prefixes: with what other secrets begin.
    ///   - findsSchemes: whether a token behind `Basic`, `Bearer` and the like is hidden, whosever it is.
    public init(secrets: [[UInt8]], prefixes: [Text] = [], findsSchemes: Bool = true) {
        let prefixes = prefixes.map { Array($0.bytes) }.filter { !$0.isEmpty }
        self.prefixes = prefixes.map(SecretPattern.init)
        self.findsSchemes = findsSchemes
        var (spellings, coded): (Set<[UInt8]>, Set<[UInt8]>) = ([], [])
        for secret in secrets where secret.count >= Self.shortestSecret {
            let (plain, undone) = (Self.folded(secret), Self.folded(EscapedText(secret.span).bytes))
            spellings.insert(plain)
            if undone.count >= Self.shortestSecret { spellings.insert(undone) }
            spellings.insert(Self.hexadecimal(secret))
            for offset in 0..<3 { coded.insert(Self.folded(Base64.core(of: secret, offset: offset))) }
        }
        patterns = spellings.map(SecretPattern.init)
        codedPatterns = coded.map(SecretPattern.init)
        var texts = Array(spellings.union(coded)) + prefixes.map(Self.folded)
        if findsSchemes { texts += AuthenticationScheme.names }
        glance = SecretGlance(texts, folding: Self.fold)
    }

    /// The bytes without secrets; `nil` if there is none in them.
    ///
    /// - Parameter isCut: whether the end is missing: what may be the beginning of a secret there is hidden as well.
    public func redacted(_ bytes: [UInt8], mark: [UInt8] = SecretRedactor.mark, isCut: Bool = false)
        -> [UInt8]?
    {
        guard mayChange(bytes.span) else { return nil }
        var found = FoundRanges(count: bytes.count)
        search(bytes, origin: nil, isCut: isCut, in: &found)
        if EscapedText.mayHaveEscapes(bytes.span) {
            let undone = EscapedText(bytes.span)
            search(undone.bytes, origin: undone, isCut: isCut, in: &found)
        }
        if !patterns.isEmpty, let undone = EscapedText(quotedPrintable: bytes.span) {
            searchSecrets(undone.bytes, origin: undone, isCut: isCut, in: &found)
        }
        return found.masked(bytes, mark: mark)
    }

    /// The text without secrets.
    public func redacted(_ text: Text) -> Text {
        guard mayChange(text.bytes.span), let bytes = redacted(Array(text.bytes)) else { return text }
        return Text(bytes)
    }

    /// Whether one of the secrets could be in the bytes: a quick look that is often wrong, but only in saying so.
    ///
    /// It does not see what quoted-printable spells.
    public func mayContain(_ bytes: Span<UInt8>) -> Bool { glance.mayFind(in: bytes) }

    private func mayChange(_ bytes: Span<UInt8>) -> Bool {
        bytes.count >= 3
            && (glance.mayFind(in: bytes)
                || !patterns.isEmpty && bytes.index(of: 0x3D, from: 0) < bytes.count)
    }

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
        guard !patterns.isEmpty else { return }
        let folded = Self.folded(bytes)
        if isCut {
            for pattern in patterns + codedPatterns {
                let length = pattern.lengthAtEnd(of: folded.span)
                if length >= Self.shortestSecret {
                    found.add(bytes.count - length..<bytes.count, origin: origin)
                }
            }
        }
        for index in 0..<patterns.count {
            patterns[index].forEachMatch(in: folded.span) { found.add($0, origin: origin) }
        }
        for index in 0..<codedPatterns.count {
            var run = 0..<0
            codedPatterns[index].forEachMatch(in: folded.span) { match in
                if run.upperBound < match.upperBound { run = Self.run(around: match, in: bytes.span) }
                found.add(min(run.lowerBound, match.lowerBound)..<run.upperBound, origin: origin)
            }
        }
    }

    /// The rest of the base 64 around a part of it, whose ends have bits of the secret in them.
    private static func run(around match: Range<Int>, in text: Span<UInt8>) -> Range<Int> {
        func isCoded(_ index: Int) -> Bool {
            AuthenticationScheme.isTokenByte(text[index]) || text[index] == 0x2B
        }
        var (start, end) = (match.lowerBound, match.upperBound)
        // A slash is more often one of a path than a part of it.
        if start > 0, text[start - 1] == 0x2F { start -= 1 }
        while start > 0, isCoded(start - 1) { start -= 1 }
        if end < text.count, text[end] == 0x2F { end += 1 }
        while end < text.count, isCoded(end) { end += 1 }
        while end < text.count, text[end] == 0x3D { end += 1 }
        return start..<end
    }

    // MARK: Spellings

    /// The bytes in which what encodings make different is the same: case, the two alphabets of base 64, and blanks of forms.
    private static func folded(_ bytes: [UInt8]) -> [UInt8] {
        var folded = bytes
        for index in 0..<folded.count { folded[index] = fold(folded[index]) }
        return folded
    }

    @inline(__always)
    private static func fold(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x41...0x5A: byte | 0x20
        case 0x2D, 0x20: 0x2B
        case 0x5F: 0x2F
        default: byte
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}

extension FieldProblem {
    /// The same without secrets.
    func redacted(by redactor: SecretRedactor) -> FieldProblem {
        FieldProblem(field: redactor.redacted(field), code: code, detail: detail.map(redactor.redacted))
    }
}

extension Base64 {
    /// What of the base 64 of a longer text depends on `bytes` alone, where `offset` bytes, and any number of threes, stand before them.
    fileprivate static func core(of bytes: [UInt8], offset: Int) -> [UInt8] {
        let text = encode([UInt8](repeating: 0, count: offset) + bytes)
        return Array(text[(offset * 8 + 5) / 6..<(offset + bytes.count) * 8 / 6])
    }
}
