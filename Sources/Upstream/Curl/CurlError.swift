internal import CCurl
internal import Glibc

/// A code of libcurl (`CURLcode`): unknown ones survive.
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
    /// The answer is not HTTP.
    static let weirdServerReply = CurlError(CURLE_WEIRD_SERVER_REPLY)
    /// HTTP/2 framing was violated.
    static let http2 = CurlError(CURLE_HTTP2)
    /// One HTTP/2 stream failed.
    static let http2Stream = CurlError(CURLE_HTTP2_STREAM)
    /// The answer ended before its announced length.
    static let partialFile = CurlError(CURLE_PARTIAL_FILE)
    /// Memory is used up; or, in 7.88, a line of the answer's head is longer than 100 KiB.
    static let outOfMemory = CurlError(CURLE_OUT_OF_MEMORY)
    /// A time limit of libcurl's passed (the connect timeout: all others are the engine's).
    static let timedOut = CurlError(CURLE_OPERATION_TIMEDOUT)
    /// The TLS handshake failed.
    static let tlsConnect = CurlError(CURLE_SSL_CONNECT_ERROR)
    /// The certificate is not trusted, or not for this host.
    static let tlsVerification = CurlError(CURLE_PEER_FAILED_VERIFICATION)
    /// The connection was closed without any answer.
    static let gotNothing = CurlError(CURLE_GOT_NOTHING)
    /// Sending failed.
    static let sendFailed = CurlError(CURLE_SEND_ERROR)
    /// Receiving failed.
    static let receiveFailed = CurlError(CURLE_RECV_ERROR)
    /// The protocol is not one that was allowed.
    static let unsupportedProtocol = CurlError(CURLE_UNSUPPORTED_PROTOCOL)
    /// A coding of the message could not be read.
    static let badContentEncoding = CurlError(CURLE_BAD_CONTENT_ENCODING)
    /// A callback of ours ended the transfer; ``EasyHandle/fault`` says why.
    static let abortedByCallback = CurlError(CURLE_ABORTED_BY_CALLBACK)
    /// A callback of ours took fewer bytes than it was given; ``EasyHandle/fault`` says why.
    static let writeFailed = CurlError(CURLE_WRITE_ERROR)
    /// The certificate file, key or CA file could not be used.
    static let tlsFiles: Set<CurlError> = [
        CurlError(CURLE_SSL_CERTPROBLEM), CurlError(CURLE_SSL_CACERT_BADFILE), CurlError(CURLE_SSL_CIPHER),
    ]

    /// libcurl's own words.
    var description: String {
        unsafe String(cString: curl_easy_strerror(CURLcode(rawValue)))
    }
}
