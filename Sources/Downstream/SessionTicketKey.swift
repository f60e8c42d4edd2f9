internal import CGnuTLS

/// The key of the tickets with which a client takes up an earlier session.
///
/// There is one for all daemons of this process, so that it does not matter which of them a client meets. GnuTLS derives
/// from it the keys that it uses, each for some hours.
@safe struct SessionTicketKey: @unchecked Sendable {
    /// Made at its first use, and never changed; `nil` without memory or randomness: then there are no tickets.
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
