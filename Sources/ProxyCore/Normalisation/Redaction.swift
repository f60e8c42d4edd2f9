internal import HTTPWire

/// Hides secrets that a provider repeats in its answers.
struct Redaction: Sendable {
    /// What stands where a secret stood.
    private static let mark = Array("[redacted]".utf8)
    /// Shorter secrets cannot be told from other text.
    private static let shortest = 8

    private let prefixes: [[UInt8]]

    init(prefixes: [Text]) {
        self.prefixes = prefixes.map { Array($0.bytes) }.filter { !$0.isEmpty }
    }

    /// The bytes without the credential, and without tokens that begin as the provider's secrets do.
    func applied(to bytes: [UInt8], credential: [UInt8]?) -> [UInt8] {
        var secrets: [Range<Int>] = []
        if let credential, credential.count >= Self.shortest {
            Self.find(credential, in: bytes, into: &secrets) { $0 }
        }
        for index in 0..<prefixes.count {
            Self.find(prefixes[index], in: bytes, into: &secrets) { end in
                var last = end
                while last < bytes.count, Self.isTokenByte(bytes[last]) { last += 1 }
                return last - end >= Self.shortest ? last : nil
            }
        }
        return secrets.isEmpty ? bytes : Self.masked(bytes, Self.merged(secrets))
    }

    /// Adds where the text stands; `end` tells where the secret ends that begins with it, if it is one.
    private static func find(
        _ text: [UInt8], in bytes: [UInt8], into secrets: inout [Range<Int>], end: (Int) -> Int?
    ) {
        var index = 0
        while true {
            index = next(text, in: bytes, from: index)
            guard index < bytes.count else { return }
            if let length = length(of: text, in: bytes, at: index), let last = end(index + length) {
                let isEscaped = bytes[index] == 0x2F && backslashes(in: bytes, before: index) % 2 == 1
                secrets.append((isEscaped ? index - 1 : index)..<last)
                // Another one may begin before this one ends: by less than the text, in which each slash may have a backslash.
                index = max(index + 1, last - 2 * text.count)
            } else {
                index += 1
            }
        }
    }

    private static func backslashes(in bytes: [UInt8], before end: Int) -> Int {
        var start = end
        while start > 0, bytes[start - 1] == 0x5C { start -= 1 }
        return end - start
    }

    /// Where the first two bytes of the text stand next: they seldom do, and that costs little to know.
    private static func next(_ text: [UInt8], in bytes: [UInt8], from start: Int) -> Int {
        // Before a slash there may be a backslash.
        text.count < 2 || text[1] == 0x2F
            ? bytes.span.index(of: text[0], from: start)
            : bytes.span.index(ofPair: text[0], text[1], from: start)
    }

    /// The ranges in their order; those that overlap are one.
    private static func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
        guard ranges.count > 1 else { return ranges }
        var result: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound < last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    private static func masked(_ bytes: [UInt8], _ secrets: [Range<Int>]) -> [UInt8] {
        var result: [UInt8] = []
        var copied = 0
        for secret in secrets {
            result += bytes[copied..<secret.lowerBound]
            result += mark
            copied = secret.upperBound
        }
        return result + bytes[copied...]
    }

    /// How many bytes the secret takes there; JSON may have a backslash before its slashes.
    private static func length(of secret: [UInt8], in bytes: [UInt8], at start: Int) -> Int? {
        var index = start
        for position in 0..<secret.count {
            let byte = secret[position]
            if byte == 0x2F, index + 1 < bytes.count, bytes[index] == 0x5C { index += 1 }
            guard index < bytes.count, bytes[index] == byte else { return nil }
            index += 1
        }
        return index - start
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: return true
        default: return false
        }
    }
}
