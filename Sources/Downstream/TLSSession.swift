internal import CGnuTLS
internal import CMicroHTTPD

/// A client's TLS session, which libmicrohttpd owns and ends after the connection.
@safe final class TLSSession {
    /// The result of writing.
    enum Written {
        case bytes(Int)
        /// The socket accepts no more at the moment.
        case later
        case failed
    }

    private let handle: OpaquePointer
    private let identity: ServerIdentity

    /// Configures a session created by libmicrohttpd before its handshake; on failure, the handshake fails.
    init(_ handle: OpaquePointer, identity: ServerIdentity) {
        unsafe self.handle = handle
        self.identity = identity
        guard unsafe identity.use(in: handle), !identity.requiresClientCertificate else { return }
        unsafe SessionTicketKey.shared?.enable(in: handle)
    }

    /// Decrypted bytes of the client, as returned by gnutls_record_recv().
    func receive(_ bytes: UnsafeMutableRawPointer?, _ room: Int) -> Int {
        unsafe cmhd_receive_record(UnsafeMutableRawPointer(handle), bytes, room)
    }

    /// The error that means no data yet.
    static var nothingYet: Int { CGNUTLS_AGAIN }

    /// Sends what fits; after ``Written/later`` the same bytes must be passed again.
    func send(_ bytes: UnsafeRawBufferPointer) -> Written {
        let count = unsafe cmhd_send_record(
            UnsafeMutableRawPointer(handle), bytes.baseAddress, bytes.count)
        if count > 0 { return .bytes(count) }
        return cgnutls_is_interrupted(count) != 0 ? .later : .failed
    }

    /// The error that means that the socket accepts nothing any more.
    static var takesNothing: Int { CGNUTLS_PUSH_ERROR }

    /// Whether a call would have had to wait for the client.
    static func isInterrupted(_ result: Int32) -> Bool { cgnutls_is_interrupted(Int(result)) != 0 }

    /// Tells the client why its handshake failed, if that is because of its certificate.
    func reportFailure(_ result: Int32) {
        if identity.requiresClientCertificate { unsafe cgnutls_report_certificate(handle, result) }
    }

    /// Tells the client, whose handshake is complete, that no more comes; `false` if the socket takes nothing at the moment.
    func sayGoodbye() -> Bool { unsafe cgnutls_is_interrupted(Int(cgnutls_say_goodbye(handle))) == 0 }
}

/// A certificate, its key, and the TLS versions for clients.
///
/// > GnuTLS only reads credentials and priorities once sessions use them, so that all threads may share one.
@safe public final class ServerIdentity: @unchecked Sendable {
    /// Why a certificate and a key cannot be used, with GnuTLS's message and without their contents.
    public struct Mistake: Error, Hashable, Sendable, CustomStringConvertible {
        /// One line for a user.
        public var description: String
    }

    private let credentials: OpaquePointer
    private let priorities: OpaquePointer
    /// Whether a handshake fails without a certificate of the client.
    ///
    /// Such a session has no ticket: a client could resume with it after its certificate has expired, or after another listener, which asks
    /// for none, has issued it.
    let requiresClientCertificate: Bool

    /// A usable identity.
    ///
    /// - Parameters:
    ///   - certificate: PEM: the server's certificate, followed by its chain.
    ///   - key: PEM, without a password; may be the same text.
    ///   - isTLS12Refused: whether only TLS 1.3 is allowed; versions before 1.2 are never used.
    ///   - clientAuthorities: PEM: the authorities of which each client needs a certificate; `nil` if clients need none.
    /// - Throws: ``Mistake``
    public init(
        certificate: String, key: String, isTLS12Refused: Bool = false, clientAuthorities: String? = nil
    ) throws(Mistake) {
        requiresClientCertificate = clientAuthorities != nil
        var credentials: OpaquePointer?
        try unsafe Self.check(gnutls_certificate_allocate_credentials(&credentials))
        guard let credentials = unsafe credentials else { throw Mistake(description: "no memory") }
        do throws(Mistake) {
            try unsafe Self.check(
                cgnutls_set_certificate(
                    credentials, certificate, certificate.utf8.count, key, key.utf8.count))
            if let clientAuthorities { try unsafe Self.trust(clientAuthorities, in: credentials) }
            var priorities: OpaquePointer?
            // What current clients support: forward secrecy and authenticated ciphers.
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

    /// Gives this identity to a session before its handshake; the identity must outlive it.
    func use(in session: OpaquePointer) -> Bool {
        if requiresClientCertificate { unsafe cgnutls_require_client_certificate(session) }
        return unsafe cgnutls_use_certificate(session, credentials) == 0
            && gnutls_priority_set(session, priorities) == 0
    }

    private static func trust(_ authorities: String, in credentials: OpaquePointer) throws(Mistake) {
        let count = unsafe cgnutls_trust(credentials, authorities, authorities.utf8.count)
        try check(count)
        if count == 0 { throw Mistake(description: "it has no certificate") }
    }

    /// Checks that `text` has certificates of authorities, as PEM.
    ///
    /// - Throws: ``Mistake``
    public static func check(clientAuthorities text: String) throws(Mistake) {
        var credentials: OpaquePointer?
        try unsafe check(gnutls_certificate_allocate_credentials(&credentials))
        guard let credentials = unsafe credentials else { throw Mistake(description: "no memory") }
        defer { unsafe gnutls_certificate_free_credentials(credentials) }
        try unsafe trust(text, in: credentials)
    }

    private static func check(_ code: Int32) throws(Mistake) {
        guard code < 0 else { return }
        throw Mistake(description: unsafe String(cString: gnutls_strerror(code)))
    }
}

/// The key of the tickets with which a client resumes an earlier session.
///
/// All daemons of this process share one, so that a client can resume on any of them. GnuTLS derives from it the keys
/// in use, each for some hours.
@safe struct SessionTicketKey: @unchecked Sendable {
    /// Created at its first use, and never changed; `nil` without memory or randomness: then there are no tickets.
    static let shared = SessionTicketKey()

    private let key: gnutls_datum_t

    private init?() {
        var key = unsafe gnutls_datum_t()
        guard unsafe gnutls_session_ticket_key_generate(&key) == 0 else { return nil }
        unsafe self.key = key
    }

    /// > libmicrohttpd enables neither tickets nor a cache: without them, each connection costs a whole handshake.
    func enable(in session: OpaquePointer) {
        var key = unsafe key
        unsafe gnutls_session_ticket_enable_server(session, &key)
    }
}

/// A keyed hash, implemented by the TLS library.
public enum KeyedDigest {
    /// The first eight bytes of HMAC-SHA-256 (RFC 2104).
    public static func value(of bytes: [UInt8], key: [UInt8]) -> UInt64 {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = unsafe cgnutls_hmac_sha256(key, key.count, bytes, bytes.count, &digest)
        precondition(status == 0, "HMAC-SHA-256: \(status)")
        return digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
