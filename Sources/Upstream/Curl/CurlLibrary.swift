internal import CCurl
internal import Glibc

/// The library as a whole.
public enum CurlLibrary {
    private static let initialised: Bool = {
        curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK
    }()

    /// Initialises the library; to be called before any thread is started.
    ///
    /// Further calls have no effect.
    public static func initialise() {
        precondition(initialised, "libcurl could not be initialised")
    }

    /// The version of the loaded library, such as `7.88.1`.
    public static var version: String {
        guard let info = unsafe curl_version_info(CURLVERSION_FIRST), let text = unsafe info.pointee.version
        else { return "unknown" }
        return unsafe String(cString: text)
    }
}

/// A libcurl result code (`CURLcode`), including unknown ones.
struct CurlError: Error, RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number.
    let rawValue: UInt32

    /// The code with this number.
    init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ code: CURLcode) { rawValue = code.rawValue }

    /// The name could not be resolved.
    static let couldNotResolveHost = CurlError(CURLE_COULDNT_RESOLVE_HOST)
    /// The name of the proxy could not be resolved.
    static let couldNotResolveProxy = CurlError(CURLE_COULDNT_RESOLVE_PROXY)
    /// No address of the host accepted a connection.
    static let couldNotConnect = CurlError(CURLE_COULDNT_CONNECT)
    /// The response is not HTTP.
    static let weirdServerReply = CurlError(CURLE_WEIRD_SERVER_REPLY)
    /// HTTP/2 framing was violated.
    static let http2 = CurlError(CURLE_HTTP2)
    /// One HTTP/2 stream failed.
    static let http2Stream = CurlError(CURLE_HTTP2_STREAM)
    /// The response ended before its declared length.
    static let partialFile = CurlError(CURLE_PARTIAL_FILE)
    /// Out of memory; in 7.88 also: a line of the response's head is longer than 100 KiB.
    static let outOfMemory = CurlError(CURLE_OUT_OF_MEMORY)
    /// A time limit of libcurl's expired (only the connect timeout; the engine handles all others).
    static let timedOut = CurlError(CURLE_OPERATION_TIMEDOUT)
    /// The TLS handshake failed.
    static let tlsConnect = CurlError(CURLE_SSL_CONNECT_ERROR)
    /// The certificate is not trusted, or not valid for this host.
    static let tlsVerification = CurlError(CURLE_PEER_FAILED_VERIFICATION)
    /// The connection was closed without a response.
    static let gotNothing = CurlError(CURLE_GOT_NOTHING)
    /// Sending failed.
    static let sendFailed = CurlError(CURLE_SEND_ERROR)
    /// Receiving failed.
    static let receiveFailed = CurlError(CURLE_RECV_ERROR)
    /// The protocol is not allowed.
    static let unsupportedProtocol = CurlError(CURLE_UNSUPPORTED_PROTOCOL)
    /// A coding of the message is invalid.
    static let badContentEncoding = CurlError(CURLE_BAD_CONTENT_ENCODING)
    /// A callback of ours ended the transfer; ``EasyHandle/fault`` says why.
    static let abortedByCallback = CurlError(CURLE_ABORTED_BY_CALLBACK)
    /// A callback of ours accepted fewer bytes than it was given; ``EasyHandle/fault`` says why.
    static let writeFailed = CurlError(CURLE_WRITE_ERROR)
    /// The certificate file, key or CA file could not be used.
    static let tlsFiles: Set<CurlError> = [
        CurlError(CURLE_SSL_CERTPROBLEM), CurlError(CURLE_SSL_CACERT_BADFILE), CurlError(CURLE_SSL_CIPHER),
    ]

    /// libcurl's description.
    var description: String {
        unsafe String(cString: curl_easy_strerror(CURLcode(rawValue)))
    }
}

/// An alert with which a peer ended a TLS connection (RFC 8446 6), as reported by libcurl and OpenSSL.
public struct TLSAlert: Hashable, Sendable {
    /// Its number.
    public let number: Int
    /// OpenSSL's description: `tlsv13 alert certificate required`.
    public let words: String

    /// The number that OpenSSL adds to that of a received alert.
    private static let reasonOffset = 1000
    /// The maximum length of the description that is shown, in bytes.
    private static let wordLimit = 80

    /// Finds the alert in a message such as `OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0`.
    init?(message: String) {
        guard let start = message.firstRange(of: "error:")?.upperBound else { return nil }
        let parts = message[start...].split(separator: ":", omittingEmptySubsequences: false)
        // An error code has 9 bits for the library and 23 for the reason.
        guard parts.count >= 3, let code = UInt32(parts[0], radix: 16), code >> 23 == 20 else { return nil }
        let reason = Int(code & 0x7F_FFFF) - Self.reasonOffset
        guard (0...255).contains(reason) else { return nil }
        number = reason
        let words = parts[parts.count - 1].prefix { $0 != "," }.split(separator: " ")
        self.words = String(words.filter { !$0.contains("/") }.joined(separator: " ").prefix(Self.wordLimit))
    }

    /// Whether it rejects the client in the handshake, so that the server read no application data.
    ///
    /// In TLS 1.3 a client sends its certificate, its Finished and its first request before it learns of a rejection.
    /// The server reads no application data before it has verified those (RFC 8446 4.4.4): these alerts report that
    /// verification failed. All others may concern any record.
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
