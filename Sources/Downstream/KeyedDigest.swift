internal import CGnuTLS

/// A keyed hash: the library that speaks TLS has it.
public enum KeyedDigest {
    /// The first eight bytes of HMAC-SHA-256 (RFC 2104).
    public static func value(of bytes: [UInt8], key: [UInt8]) -> UInt64 {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = unsafe cgnutls_hmac_sha256(key, key.count, bytes, bytes.count, &digest)
        precondition(status == 0, "HMAC-SHA-256: \(status)")
        return digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
