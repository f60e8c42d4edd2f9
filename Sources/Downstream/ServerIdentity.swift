internal import CGnuTLS

/// A certificate and its key, and the versions of TLS in which clients are shown it.
///
/// > GnuTLS only reads credentials and priorities once sessions use them, so that all threads may share one.
@safe public final class ServerIdentity: @unchecked Sendable {
    /// Why a certificate and a key cannot be used, in GnuTLS's words; nothing of either is in them.
    public struct Mistake: Error, Hashable, Sendable, CustomStringConvertible {
        /// One line for a user.
        public var description: String
    }

    private let credentials: OpaquePointer
    private let priorities: OpaquePointer

    /// An identity that can be used.
    ///
    /// - Parameters:
    ///   - certificate: PEM: the server's certificate, then those that lead to its authority.
    ///   - key: PEM, without a password; may be the same text.
    ///   - isTLS12Refused: whether TLS 1.3 is the only version; older ones than 1.2 are never spoken.
    /// - Throws: ``Mistake``
    public init(certificate: String, key: String, isTLS12Refused: Bool = false) throws(Mistake) {
        var credentials: OpaquePointer?
        try unsafe Self.check(gnutls_certificate_allocate_credentials(&credentials))
        guard let credentials = unsafe credentials else { throw Mistake(description: "no memory") }
        do throws(Mistake) {
            try unsafe Self.check(
                cgnutls_set_certificate(
                    credentials, certificate, certificate.utf8.count, key, key.utf8.count))
            var priorities: OpaquePointer?
            // What today's clients speak: forward secrecy, and ciphers that authenticate.
            let versions = isTLS12Refused ? "+VERS-TLS1.3" : "+VERS-TLS1.3:+VERS-TLS1.2"
            let ciphers = "+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM"
            try unsafe Self.check(
                gnutls_priority_init(
                    &priorities,
                    "NORMAL:-RSA:-DHE-RSA:-CIPHER-ALL:\(ciphers):-VERS-ALL:\(versions)", nil))
            guard let priorities = unsafe priorities else { throw Mistake(description: "no memory") }
            unsafe self.priorities = priorities
        } catch {
            unsafe gnutls_certificate_free_credentials(credentials)
            throw error
        }
        unsafe self.credentials = credentials
    }

    deinit {
        unsafe gnutls_priority_deinit(priorities)
        unsafe gnutls_certificate_free_credentials(credentials)
    }

    /// Gives a session that has not begun its handshake this identity, which must outlive it.
    func use(in session: OpaquePointer) -> Bool {
        unsafe cgnutls_use_certificate(session, credentials) == 0
            && gnutls_priority_set(session, priorities) == 0
    }

    private static func check(_ code: Int32) throws(Mistake) {
        guard code < 0 else { return }
        throw Mistake(description: unsafe String(cString: gnutls_strerror(code)))
    }
}
