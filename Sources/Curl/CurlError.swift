internal import CCurl
internal import Glibc

/// A code of libcurl (`CURLcode`): unknown ones survive.
public struct CurlError: Error, RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number.
    public let rawValue: UInt32

    /// The code with this number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ code: CURLcode) { rawValue = code.rawValue }

    /// The name could not be resolved.
    public static let couldNotResolveHost = CurlError(CURLE_COULDNT_RESOLVE_HOST)
    /// No address of the host accepted a connection.
    public static let couldNotConnect = CurlError(CURLE_COULDNT_CONNECT)
    /// The answer is not HTTP.
    public static let weirdServerReply = CurlError(CURLE_WEIRD_SERVER_REPLY)
    /// HTTP/2 framing was violated.
    public static let http2 = CurlError(CURLE_HTTP2)
    /// One HTTP/2 stream failed.
    public static let http2Stream = CurlError(CURLE_HTTP2_STREAM)
    /// The answer ended before its announced length.
    public static let partialFile = CurlError(CURLE_PARTIAL_FILE)
    /// Memory is used up; or, in 7.88, a line of the answer's head is longer than 100 KiB.
    public static let outOfMemory = CurlError(CURLE_OUT_OF_MEMORY)
    /// A time limit of libcurl's passed (the connect timeout: all others are the engine's).
    public static let timedOut = CurlError(CURLE_OPERATION_TIMEDOUT)
    /// The TLS handshake failed.
    public static let tlsConnect = CurlError(CURLE_SSL_CONNECT_ERROR)
    /// The certificate is not trusted, or not for this host.
    public static let tlsVerification = CurlError(CURLE_PEER_FAILED_VERIFICATION)
    /// The connection was closed without any answer.
    public static let gotNothing = CurlError(CURLE_GOT_NOTHING)
    /// Sending failed.
    public static let sendFailed = CurlError(CURLE_SEND_ERROR)
    /// Receiving failed.
    public static let receiveFailed = CurlError(CURLE_RECV_ERROR)
    /// The protocol is not one that was allowed.
    public static let unsupportedProtocol = CurlError(CURLE_UNSUPPORTED_PROTOCOL)
    /// A coding of the message could not be read.
    public static let badContentEncoding = CurlError(CURLE_BAD_CONTENT_ENCODING)
    /// A callback of ours ended the transfer; ``CurlTransfer/fault`` says why.
    public static let abortedByCallback = CurlError(CURLE_ABORTED_BY_CALLBACK)
    /// A callback of ours took fewer bytes than it was given; ``CurlTransfer/fault`` says why.
    public static let writeFailed = CurlError(CURLE_WRITE_ERROR)
    /// The certificate file, key or CA file could not be used.
    public static let tlsFiles: Set<CurlError> = [
        CurlError(CURLE_SSL_CERTPROBLEM), CurlError(CURLE_SSL_CACERT_BADFILE), CurlError(CURLE_SSL_CIPHER),
    ]

    /// libcurl's own words.
    public var description: String {
        unsafe String(cString: curl_easy_strerror(CURLcode(rawValue)))
    }
}
