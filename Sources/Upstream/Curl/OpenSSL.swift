internal import CCurl
internal import Glibc

/// What libcurl does not report of its connections' TLS: it is asked of the library below.
///
/// Not linked: it is there if libcurl has loaded it.
enum OpenSSL {
    private typealias GetShutdown = @convention(c) (UnsafeRawPointer) -> Int32

    private static let getShutdown: GetShutdown? = {
        guard let symbol = unsafe dlsym(nil, "SSL_get_shutdown") else { return nil }
        return unsafe unsafeBitCast(symbol, to: GetShutdown.self)
    }()

    /// `SSL_RECEIVED_SHUTDOWN`.
    private static let receivedShutdown: Int32 = 2

    /// Whether the peer has said by a close_notify that its data ends here (RFC 8446 6.1).
    ///
    /// > An end of the TCP connection without one is an error of SSL_read(), which 7.88 reports as the end of the data; 8.14 does not.
    ///
    /// - Parameter easy: an easy handle that has its connection. Of two layers of TLS, the inner one counts.
    static func hasReceivedCloseNotify(on easy: UnsafeMutableRawPointer) -> Bool {
        guard let getShutdown = unsafe getShutdown, let session = unsafe ccurl_openssl_session(easy) else {
            // Other libraries: GnuTLS reports such an end as an error.
            return true
        }
        return unsafe getShutdown(session) & receivedShutdown != 0
    }
}
