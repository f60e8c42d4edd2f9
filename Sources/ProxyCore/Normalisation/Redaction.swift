internal import HTTPWire

/// Hides secrets that a provider repeats in its answers.
struct Redaction: Sendable {
    /// What stands where a secret stood.
    private static let mark = Array("[redacted]".utf8)
    /// Shorter secrets cannot be told from other text.
    private static let shortest = 8

    private let prefixes: [[UInt8]]
    /// Whether a prefix begins with this byte; 256 entries.
    private let mayBegin: [Bool]

    init(prefixes: [Text]) {
        self.prefixes = prefixes.map { Array($0.bytes) }.filter { !$0.isEmpty }
        var mayBegin = Array(repeating: false, count: 256)
        for prefix in self.prefixes { mayBegin[Int(prefix[0])] = true }
        self.mayBegin = mayBegin
    }

    /// The bytes without the credential, and without tokens that begin as the provider's secrets do.
    func applied(to bytes: [UInt8], credential: [UInt8]?) -> [UInt8] {
        let credential = credential.flatMap { $0.count >= Self.shortest ? $0 : nil } ?? []
        guard !credential.isEmpty || !prefixes.isEmpty else { return bytes }
        guard mayHold(credential, in: bytes) || prefixes.contains(where: { mayHold($0, in: bytes) }) else {
            return bytes
        }
        let first = credential.first
        var secrets: [Range<Int>] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == first || mayBegin[Int(byte)],
                let length = secretLength(in: bytes, at: index, credential)
            else {
                index += 1
                continue
            }
            secrets.append(index..<index + length)
            index += length
        }
        return secrets.isEmpty ? bytes : Self.masked(bytes, secrets)
    }

    /// Whether the first two bytes of a secret are somewhere in the bytes: they seldom are, and that costs
    /// little to know.
    private func mayHold(_ secret: [UInt8], in bytes: [UInt8]) -> Bool {
        guard secret.count >= 2 else { return !secret.isEmpty }
        // Before a slash there may be a backslash.
        return secret[1] == 0x2F || bytes.span.containsPair(secret[0], secret[1])
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

    private func secretLength(in bytes: [UInt8], at start: Int, _ credential: [UInt8]) -> Int? {
        if let length = Self.length(of: credential, in: bytes, at: start) { return length }
        for prefix in prefixes {
            guard let length = Self.length(of: prefix, in: bytes, at: start) else { continue }
            var end = start + length
            while end < bytes.count, Self.isTokenByte(bytes[end]) { end += 1 }
            if end - start - length >= Self.shortest { return end - start }
        }
        return nil
    }

    /// How many bytes the secret takes there; JSON may have a backslash before its slashes.
    private static func length(of secret: [UInt8], in bytes: [UInt8], at start: Int) -> Int? {
        guard !secret.isEmpty else { return nil }
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
