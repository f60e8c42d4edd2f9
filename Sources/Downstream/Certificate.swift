internal import CGnuTLS

/// What an X.509 certificate says of itself; nothing of it is verified.
public struct Certificate: Hashable, Sendable {
    /// The common name of its subject; empty if it has none.
    public var subject: String
    /// The common name of its issuer; empty if it has none.
    public var issuer: String
    /// The first second in which it is valid, in seconds since 1970.
    public var begins: Int64
    /// The last one.
    public var ends: Int64

    /// How many certificates of a text are read.
    private static let limit: UInt32 = 16

    /// The certificates in a PEM text, in its order; none for another text.
    public static func all(in pem: String) -> [Certificate] {
        var found: [Certificate] = []
        for index in 0..<limit {
            var certificate = cgnutls_certificate()
            guard unsafe cgnutls_read_certificate(pem, pem.utf8.count, index, &certificate) == 0 else {
                break
            }
            found.append(
                Certificate(
                    subject: text(of: &certificate.subject), issuer: text(of: &certificate.issuer),
                    begins: Int64(certificate.begins), ends: Int64(certificate.ends)))
        }
        return found
    }

    /// The text up to the NUL in a C array, printable characters only.
    private static func text<Characters>(of characters: inout Characters) -> String {
        let bytes = unsafe withUnsafeBytes(of: &characters) { unsafe Array($0.prefix { $0 != 0 }) }
        return String(
            String.UnicodeScalarView(
                String(decoding: bytes, as: UTF8.self).unicodeScalars.filter {
                    $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value)
                }))
    }
}
