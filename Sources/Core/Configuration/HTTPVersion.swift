/// Which version of HTTP is spoken with a provider.
public enum HTTPVersion: String, CaseIterable, Sendable {
    /// HTTP/1.1: one connection for each request that is under way.
    ///
    /// The default: it goes without the cost of libcurl's framing, no stream can hold up another, and an early answer to a long upload is
    /// seen at once.
    case http1 = "1.1"
    /// HTTP/2 where the provider offers it in the TLS handshake, else HTTP/1.1: fewer connections and handshakes.
    case auto
}
