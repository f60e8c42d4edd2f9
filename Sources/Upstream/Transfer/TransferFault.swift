/// Why a transfer failed.
public enum TransferFault: Hashable, Sendable {
    // Before anything was sent.
    /// The provider's name does not resolve.
    case nameNotResolved
    /// No address accepted a connection; the `errno` of the last one, or 0.
    case connectFailed(errno: Int32)
    /// Name, connection and handshake took longer than the connect timeout.
    case connectTimedOut
    /// The address is private, and that was not allowed.
    case prohibitedAddress
    /// The proxy between refused to lead on, with this status; 407 asks for a password.
    case proxyRefused(status: Int)
    /// The proxy between closed the connection, or what it said was no answer to CONNECT.
    case proxyFailed
    /// The certificate is not trusted, or not for this host; the library's words for why, or none.
    case tlsUntrusted(String)
    /// The TLS handshake failed; the library's words for why, or none.
    case tlsHandshake(String)
    /// The connection ended during the TLS handshake, without an alert: an end or a reset of TCP.
    case handshakeCut
    /// A certificate, key or CA file could not be used; libcurl's words.
    case tlsFiles(String)

    // Afterwards.
    /// The provider ended TLS with an alert in place of a response; the alert in the library's words.
    case tlsAlert(String)
    /// The connection ended before any answer.
    case closedBeforeAnswer
    /// The answer broke off before its end.
    case incomplete
    /// What came is not HTTP.
    case notHTTP
    /// A line of the answer's head is not HTTP.
    case badHead
    /// The answer's head is larger than ``ResponseHead/byteLimit``, with the interim answers before it, or those are too many.
    case headTooLarge
    /// Several differing lengths, or one that is not a number.
    case badLength
    /// A transfer coding that nobody asked for.
    case badTransferCoding
    /// The chunks of the body are not as RFC 9112 7.1 wants them.
    case badChunk
    /// The provider switched protocols, which Weir never asks for.
    case switchedProtocols
    /// A library was about to send a request a second time that may be sent once only.
    case resendRefused
    /// The provider refused the request before it processed any of it (RFC 9113 8.7): REFUSED_STREAM, or a GOAWAY that excludes it.
    case notProcessed
    /// The provider reset the HTTP/2 stream; its error code (RFC 9113 7).
    case streamReset(code: UInt32)
    /// The client's body ended badly.
    case uploadAborted
    /// Whoever takes the body wanted no more of it.
    case bodyRefused
    /// Anything else that a library says; its words.
    case other(String)
}
