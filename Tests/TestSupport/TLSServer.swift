internal import CGnuTLS
internal import Glibc

/// The certificate of servers that speak TLS in the test's process.
@safe final class TLSServer: @unchecked Sendable {
    fileprivate let credentials: gnutls_certificate_credentials_t

    init(_ identity: PrivateAuthority.Identity) throws {
        var made: gnutls_certificate_credentials_t?
        unsafe gnutls_certificate_allocate_credentials(&made)
        guard let made = unsafe made else { throw PeerError.unexpected("GnuTLS: out of memory") }
        unsafe credentials = made
        let code = unsafe gnutls_certificate_set_x509_key_file(
            made, identity.certificatePath, identity.keyPath, GNUTLS_X509_FMT_PEM)
        guard code >= 0 else { throw PeerError.unexpected("GnuTLS: certificate: \(code)") }
    }

    deinit { unsafe gnutls_certificate_free_credentials(credentials) }
}

/// The server's side of one TLS connection.
///
/// Confined to one thread.
@safe final class TLSConnection {
    private let socket: Socket
    private let server: TLSServer
    private let session: gnutls_session_t

    /// Prepares a connection that was accepted; the first of `protocols` that the client offers is chosen.
    init(_ socket: Socket, of server: TLSServer, protocols: [String]) throws {
        self.socket = socket
        self.server = server
        var made: gnutls_session_t?
        unsafe gnutls_init(&made, UInt32(GNUTLS_SERVER) | UInt32(GNUTLS_NO_SIGNAL.rawValue))
        guard let made = unsafe made else { throw PeerError.unexpected("GnuTLS: out of memory") }
        unsafe session = made
        unsafe gnutls_set_default_priority(made)
        unsafe cgnutls_use_certificate(made, server.credentials)
        for name in protocols {
            var bytes = Array(name.utf8)
            unsafe bytes.withUnsafeMutableBufferPointer { text in
                var datum = unsafe gnutls_datum_t(data: text.baseAddress, size: UInt32(text.count))
                unsafe gnutls_alpn_set_protocols(
                    made, &datum, 1, UInt32(GNUTLS_ALPN_SERVER_PRECEDENCE.rawValue))
            }
        }
        try socket.withDescriptor { unsafe gnutls_transport_set_int2(made, $0, $0) }
    }

    deinit { unsafe gnutls_deinit(session) }

    func handshake(by deadline: Deadline) throws {
        _ = try run(by: deadline, what: "a TLS handshake") { unsafe Int(gnutls_handshake(session)) }
    }

    /// The negotiated protocol (RFC 7301).
    var protocolName: String? {
        var name = unsafe gnutls_datum_t()
        guard unsafe gnutls_alpn_get_selected_protocol(session, &name) == 0 else { return nil }
        return unsafe String(
            decoding: UnsafeBufferPointer(start: name.data, count: Int(name.size)), as: UTF8.self)
    }

    /// Receives at most `limit` bytes; empty at the end, with or without a close_notify.
    func receive(atMost limit: Int, by deadline: Deadline, what: String) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = try run(by: deadline, what: what) {
            unsafe bytes.withUnsafeMutableBytes {
                unsafe gnutls_record_recv(session, $0.baseAddress, $0.count)
            }
        }
        return Array(bytes.prefix(count))
    }

    /// Sends all bytes in as few records as possible.
    func send(_ bytes: [UInt8], by deadline: Deadline) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = try run(by: deadline, what: "room to send \(rest.count) more bytes") {
                unsafe rest.withUnsafeBytes { unsafe gnutls_record_send(session, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(sent)
        }
    }

    /// Ends the connection properly.
    func close() {
        _ = unsafe cgnutls_say_goodbye(session)
        socket.close()
    }

    /// Ends the connection with a TCP reset.
    func reset() { socket.reset() }

    /// Ends the connection without a close_notify.
    func truncate() { socket.close() }

    private func run(by deadline: Deadline, what: String, _ step: () -> Int) throws -> Int {
        while true {
            let result = try socket.withDescriptor { _ in step() }
            if result >= 0 { return result }
            if result == Int(GNUTLS_E_PREMATURE_TERMINATION) { return 0 }
            guard result == Int(GNUTLS_E_AGAIN) || result == Int(GNUTLS_E_INTERRUPTED) else {
                throw PeerError.reset(during: "\(what) (GnuTLS \(result))")
            }
            let isWriting = unsafe gnutls_record_get_direction(session) == 1
            try socket.wait(for: isWriting ? POLLOUT : POLLIN, by: deadline, what: what)
        }
    }
}
