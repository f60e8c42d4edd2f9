internal import CCurl
internal import Glibc

/// What libcurl does not provide about a TLS connection: it is requested from the library below it.
///
/// Not linked: it is available if libcurl has loaded it.
enum OpenSSL {
    private typealias Ask = @convention(c) (UnsafeRawPointer) -> Int32
    private typealias GetText = @convention(c) (UnsafeRawPointer) -> UnsafePointer<CChar>?
    private typealias SetNumber = @convention(c) (UnsafeRawPointer, Int32) -> Void
    private typealias SetSize = @convention(c) (UnsafeRawPointer, Int) -> Void

    private static let getShutdown = unsafe function("SSL_get_shutdown", as: Ask.self)
    private static let getVersion = unsafe function("SSL_get_version", as: GetText.self)
    private static let hasPending = unsafe function("SSL_has_pending", as: Ask.self)
    private static let setReadAhead = unsafe function("SSL_set_read_ahead", as: SetNumber.self)
    private static let setReadBuffer = unsafe function("SSL_set_default_read_buffer_len", as: SetSize.self)

    /// `SSL_RECEIVED_SHUTDOWN`.
    private static let receivedShutdown: Int32 = 2
    /// How many bytes one call may read ahead: as many as a large body's reader takes.
    private static let readAheadBytes = 64 << 10

    /// Whether the peer has ended its data with a close_notify (RFC 8446 6.1).
    ///
    /// > An end of the TCP connection without one is an error of SSL_read(), which 7.88 reports as the end of the data; 8.14 does not.
    ///
    /// - Parameter easy: an easy handle with a connection. With two layers of TLS, the inner one counts.
    static func hasReceivedCloseNotify(on easy: UnsafeMutableRawPointer) -> Bool {
        guard let getShutdown = unsafe getShutdown, let session = unsafe ccurl_openssl_session(easy) else {
            // Other libraries: GnuTLS reports such an end as an error.
            return true
        }
        return unsafe getShutdown(session) & receivedShutdown != 0
    }

    /// The version of TLS, such as `TLSv1.3`; `nil` with another library.
    static func version(on easy: UnsafeMutableRawPointer) -> String? {
        guard let getVersion = unsafe getVersion, let session = unsafe ccurl_openssl_session(easy),
            let text = unsafe getVersion(session)
        else { return nil }
        return unsafe String(cString: text)
    }

    /// Makes a connection read all that has arrived with one call: SSL_set_read_ahead(3).
    ///
    /// Otherwise OpenSSL reads the five bytes of each record's header and then its body, with separate calls.
    ///
    /// - Parameter easy: an easy handle with a connection that has carried no application data yet.
    /// - Returns: the session to pass to ``mayHoldBytes(_:)``, valid as long as the connection is open; `nil` if that cannot be asked.
    static func readAhead(on easy: UnsafeMutableRawPointer) -> UnsafeRawPointer? {
        guard let session = unsafe ccurl_openssl_session(easy) else { return nil }
        if let setReadBuffer = unsafe setReadBuffer { unsafe setReadBuffer(session, readAheadBytes) }
        if let setReadAhead = unsafe setReadAhead { unsafe setReadAhead(session, 1) }
        return unsafe hasPending == nil || libcurlHoldsBytes ? nil : session
    }

    /// Whether a session may hold bytes that were read from its socket and not yet returned: SSL_has_pending(3).
    static func mayHoldBytes(_ session: UnsafeRawPointer) -> Bool {
        unsafe hasPending?(session) != 0
    }

    /// Whether libcurl has a buffer of its own below TLS, as 8.1 to 8.7 had.
    private static let libcurlHoldsBytes: Bool = {
        guard let info = unsafe curl_version_info(CURLVERSION_FIRST) else { return true }
        return unsafe (0x08_0100..<0x08_0800).contains(info.pointee.version_num)
    }()

    private static func function<Signature>(_ name: String, as: Signature.Type) -> Signature? {
        guard let symbol = unsafe dlsym(nil, name) else { return nil }
        return unsafe unsafeBitCast(symbol, to: Signature.self)
    }
}
