/// An alert with which a peer has ended a TLS connection (RFC 8446 6), as libcurl and OpenSSL report it.
public struct TLSAlert: Hashable, Sendable {
    /// Its number.
    public let number: Int
    /// OpenSSL's words for it: `tlsv13 alert certificate required`.
    public let words: String

    /// What OpenSSL adds to the number of an alert that was received.
    private static let reasonOffset = 1000
    /// Most bytes of the words that are shown.
    private static let wordLimit = 80

    /// Finds the alert in a message such as `OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0`.
    init?(message: String) {
        guard let start = message.firstRange(of: "error:")?.upperBound else { return nil }
        let parts = message[start...].split(separator: ":", omittingEmptySubsequences: false)
        // Library and reason are 9 and 23 bits of an error's code.
        guard parts.count >= 3, let code = UInt32(parts[0], radix: 16), code >> 23 == 20 else { return nil }
        let reason = Int(code & 0x7F_FFFF) - Self.reasonOffset
        guard (0...255).contains(reason) else { return nil }
        number = reason
        let words = parts[parts.count - 1].prefix { $0 != "," }.split(separator: " ")
        self.words = String(words.filter { !$0.contains("/") }.joined(separator: " ").prefix(Self.wordLimit))
    }

    /// Whether it refuses the client in the handshake, so that nothing of what followed was read.
    ///
    /// In TLS 1.3 a client has sent its certificate, its Finished and its first request before it hears of a refusal. The server reads
    /// no application data before it has verified what came before (RFC 8446 4.4.4): these alerts say that it could not. All others may
    /// concern any record.
    public var refusesHandshake: Bool {
        switch number {
        // handshake_failure, bad_, unsupported_certificate, certificate_revoked, _expired, _unknown, unknown_ca, access_denied,
        // decrypt_error.
        case 40, 42, 43, 44, 45, 46, 48, 49, 51: true
        // protocol_version, insufficient_security, missing_extension, unsupported_extension, unrecognized_name,
        // bad_certificate_status_response, unknown_psk_identity, certificate_required, no_application_protocol.
        case 70, 71, 109, 110, 112, 113, 115, 116, 120: true
        default: false
        }
    }
}
