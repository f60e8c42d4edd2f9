internal import Wire

/// An encoding that spells bytes with the characters of an alphabet, some bits with each (RFC 4648).
enum SecretCoding: CaseIterable {
    case base64
    case base64URL
    case base32
    case base32Hexadecimal
    case hexadecimal

    /// How many bits a character has.
    private var bits: Int {
        switch self {
        case .base64, .base64URL: 6
        case .base32, .base32Hexadecimal: 5
        case .hexadecimal: 4
        }
    }

    /// How many bytes can stand before a text, in its group, and make its spelling another one.
    var offsets: Int {
        switch self {
        case .base64, .base64URL: 3
        case .base32, .base32Hexadecimal: 5
        case .hexadecimal: 1
        }
    }

    private var alphabet: [UInt8] {
        switch self {
        case .base64: Self.base64Alphabet
        case .base64URL: Self.base64URLAlphabet
        case .base32: Self.base32Alphabet
        case .base32Hexadecimal: Self.base32HexadecimalAlphabet
        case .hexadecimal: Self.digits
        }
    }

    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    private static let lowercase = Array("abcdefghijklmnopqrstuvwxyz".utf8)
    private static let base64Alphabet = letters + lowercase + Array("0123456789+/".utf8)
    private static let base64URLAlphabet = letters + lowercase + Array("0123456789-_".utf8)
    private static let base32Alphabet = letters + Array("234567".utf8)
    private static let base32HexadecimalAlphabet = Array("0123456789".utf8) + letters.prefix(22)
    private static let digits = Array("0123456789abcdef".utf8)

    /// What of the spelling of a longer text depends on `bytes` alone, where `offset` bytes, and any number of whole groups, stand before
    /// them.
    func core(of bytes: [UInt8], offset: Int = 0) -> [UInt8] {
        let (bits, alphabet) = (bits, alphabet)
        let first = (offset * 8 + bits - 1) / bits
        let last = (offset + bytes.count) * 8 / bits
        guard first < last else { return [] }
        var text: [UInt8] = []
        text.reserveCapacity(last - first)
        for index in first..<last {
            let place = index * bits - offset * 8
            let byte = place >> 3
            let pair = UInt16(bytes[byte]) << 8 | (byte + 1 < bytes.count ? UInt16(bytes[byte + 1]) : 0)
            text.append(alphabet[Int(pair >> UInt16(16 - bits - (place & 7))) & (1 << bits - 1)])
        }
        return text
    }
}

/// The spellings of a secret that are searched for, each as ``SecretFolding`` squeezes it: one encoding, or one within another one.
///
/// What escapes characters one by one (JSON, percent-encoding, HTML, quoted-printable) is undone in the text instead.
enum SecretSpelling {
    /// Of how many bytes of a secret the beginning of each spelling is made.
    static let prefixLength = 16

    /// Calls `body` with each spelling, in an order that is the same for any secret.
    ///
    /// - Parameter isCoded: whether what stands around the spelling may have bits of the secret in it.
    static func forEach(of secret: [UInt8], _ body: (_ spelling: [UInt8], _ isCoded: Bool) -> Void) {
        func add(_ text: [UInt8], isCoded: Bool) { body(SecretFolding.squeezed(text), isCoded) }
        add(secret, isCoded: false)
        add(EscapedText(secret.span).bytes, isCoded: false)
        let hexadecimal = SecretCoding.hexadecimal.core(of: secret)
        add(hexadecimal, isCoded: false)
        var marked: [UInt8] = []
        var decimal: [UInt8] = []
        for (index, byte) in secret.enumerated() {
            marked += [0x30, 0x78, hexadecimal[index * 2], hexadecimal[index * 2 + 1]]
            if byte >= 100 { decimal.append(0x30 + byte / 100) }
            if byte >= 10 { decimal.append(0x30 + byte / 10 % 10) }
            decimal.append(0x30 + byte % 10)
        }
        add(marked, isCoded: false)
        add(decimal, isCoded: false)
        for coding in [SecretCoding.base64, .base32, .base32Hexadecimal] {
            for offset in 0..<coding.offsets { add(coding.core(of: secret, offset: offset), isCoded: true) }
        }
        // One within another one: here the case and the alphabet of the inner one matter.
        var inner: [[UInt8]] = [hexadecimal, hexadecimal.map(uppercased)]
        for coding in [SecretCoding.base64, .base64URL] {
            for offset in 0..<3 { inner.append(coding.core(of: secret, offset: offset)) }
        }
        let base32 = SecretCoding.base32.core(of: secret)
        inner += [base32, base32.map(\.lowercasedASCII)]
        for kept in [ASCIISet(alphanumericsAnd: "-._~"), ASCIISet(alphanumericsAnd: "")] {
            var escaped: [UInt8] = []
            PercentEncoding.encode(secret.span, keeping: kept, into: &escaped)
            inner.append(escaped)
        }
        for text in inner {
            for coding in [SecretCoding.base64, .base32, .hexadecimal] {
                for offset in 0..<coding.offsets { add(coding.core(of: text, offset: offset), isCoded: true) }
            }
        }
    }

    private static func uppercased(_ byte: UInt8) -> UInt8 { byte &- 0x61 < 26 ? byte & 0xDF : byte }
}

/// What encodings and the lines of a text make different is made the same: case, the alphabets of base 64, and what separates.
enum SecretFolding {
    /// What a byte is compared as: those that ``isSeparator(_:)`` are left out where a spelling is searched for.
    @inline(__always)
    static func fold(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x41...0x5A: byte | 0x20
        // Blanks and line ends, also as forms have them; what stands between hexadecimal digits, and between lines of quoted-printable.
        case 0x2D, 0x20, 0x09, 0x0A, 0x0D, 0x3A, 0x2C, 0x3D: 0x2B
        case 0x5F: 0x2F
        default: byte
        }
    }

    /// Whether a folded byte may stand within a spelling without belonging to it.
    @inline(__always)
    static func isSeparator(_ folded: UInt8) -> Bool { folded == 0x2B || folded == 0x2F }

    /// The bytes as they are compared, without separators.
    static func squeezed(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for byte in bytes {
            let folded = fold(byte)
            if !isSeparator(folded) { result.append(folded) }
        }
        return result
    }

    /// The bytes as they are compared.
    static func folded(_ bytes: [UInt8]) -> [UInt8] { bytes.map(fold) }
}
