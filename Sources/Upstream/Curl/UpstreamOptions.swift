internal import CCurl
internal import CFrames
internal import Glibc

/// The options of all transfers to one upstream.
public struct UpstreamOptions: Sendable {
    /// Scheme, host and port, such as `https://api.lemlist.com`; the path is set per request.
    public var origin: String
    /// Whether the origin is https.
    public var isTLS: Bool { origin.hasPrefix("https:") }
    /// Whether TLS is used with the first peer, the provider or a proxy: then the socket must be accessed through the
    /// library.
    var usesTLS: Bool { isTLS || usesProxyTLS }

    /// Whether TLS is used with a proxy.
    var usesProxyTLS: Bool { proxy?.hasPrefix("https:") == true }
    /// The time limit for name resolution, connection and TLS handshake, in milliseconds.
    public var connectTimeoutMilliseconds: Int
    /// Whether an address may be connected to; called before each connection.
    public var allowsAddress: @Sendable (ResolvedAddress) -> Bool
    /// A file of trusted CA certificates (PEM) to use instead of the system's.
    public var caFile: String?
    /// Files of a client certificate and its key (PEM).
    public var clientCertificate: (certificate: String, key: String)?
    /// The oldest TLS version to use: 1.2 or, if this is set, 1.3.
    public var requiresTLS13 = false
    /// Whether libcurl's transfers offer HTTP/2 in the TLS handshake.
    public var offersHTTP2 = false
    /// The proxy through which all connections are tunnelled, with its user and password; ``mayConnect`` does not
    /// apply to its address.
    public var proxy: String?
    /// The longest idle time of a reusable connection, in seconds.
    public var connectionAgeSeconds = 50

    /// How long resolved addresses of a name are used, in seconds.
    public static let addressAgeSeconds = 30
    /// The head start of IPv6 over IPv4, in milliseconds (RFC 8305 8).
    public static let headStartMilliseconds = 200
    /// How many unread bytes of an HTTP/2 response a provider may send, at most.
    public static let windowBytes = Int(CFRAMES_WINDOW)
    /// Addresses to use instead of the first lookup, in the syntax of `CURLOPT_RESOLVE`: `name:port:address,address`.
    package var firstAddresses: String?

    /// Options for an origin, with the system's CA certificates.
    public init(
        origin: String, connectTimeoutMilliseconds: Int,
        allowsAddress: @escaping @Sendable (ResolvedAddress) -> Bool = { _ in true }
    ) {
        self.origin = origin
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.allowsAddress = allowsAddress
    }

    func apply(to easy: EasyHandle) {
        easy.set(CURLOPT_PATH_AS_IS, 1)
        easy.set(CURLOPT_PROTOCOLS_STR, "http,https")
        easy.set(CURLOPT_FOLLOWLOCATION, 0)
        applyProxy(to: easy)
        easy.set(CURLOPT_NOSIGNAL, 1)
        // > A transfer that ends during a name lookup blocks until getaddrinfo returns, but for QUICK_EXIT.
        easy.set(CURLOPT_QUICK_EXIT, 1)
        easy.set(CURLOPT_CONNECTTIMEOUT_MS, connectTimeoutMilliseconds)
        // Allocated per transfer: below the size at which the allocator consolidates its free lists on each free.
        easy.set(CURLOPT_BUFFERSIZE, 32 << 10)
        easy.set(CURLOPT_TCP_KEEPALIVE, 1)
        easy.set(CURLOPT_DNS_CACHE_TIMEOUT, Self.addressAgeSeconds)
        easy.set(CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, Self.headStartMilliseconds)
        easy.set(CURLOPT_MAXAGE_CONN, connectionAgeSeconds)
        easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        if isTLS { applyTLS(to: easy) }
    }

    private func applyProxy(to easy: EasyHandle) {
        guard let proxy else {
            // > Environment proxies are on by default.
            easy.set(CURLOPT_PROXY, "")
            easy.set(CURLOPT_NOPROXY, "*")
            return
        }
        easy.set(CURLOPT_PROXY, proxy)
        easy.set(CURLOPT_NOPROXY, "")
        easy.set(CURLOPT_HTTPPROXYTUNNEL, 1)
        easy.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        unsafe easy.set(CURLOPT_PROXY_CAPATH, nil as UnsafeRawPointer?)
    }

    private func applyTLS(to easy: EasyHandle) {
        easy.set(
            CURLOPT_SSLVERSION, Int(requiresTLS13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2))
        // > The CA cache is off whenever a CA path is set, and Debian compiles one in: 15 ms of CPU a connection.
        unsafe easy.set(CURLOPT_CAPATH, nil as UnsafeRawPointer?)
        if let caFile { easy.set(CURLOPT_CAINFO, caFile) }
        if let clientCertificate {
            easy.set(CURLOPT_SSLCERT, clientCertificate.certificate)
            easy.set(CURLOPT_SSLKEY, clientCertificate.key)
        }
    }
}

/// A resolved address, before a connection to it is opened.
public enum ResolvedAddress: Hashable, Sendable {
    /// The 32 bits of an IPv4 address, the first octet most significant.
    case v4(UInt32)
    /// The 128 bits of an IPv6 address.
    case v6(high: UInt64, low: UInt64)

    /// The address to which libcurl is about to connect; `nil` for another family.
    init?(_ address: inout curl_sockaddr) {
        // The address follows the family and the port, in IPv6 also the flow label. `sockaddr_in6` is longer than the
        // declared field; libcurl allocates enough memory.
        let family = address.family
        let octets: [UInt8] = unsafe withUnsafePointer(to: &address.addr) { pointer in
            let start = unsafe UnsafeRawPointer(pointer)
            switch family {
            case AF_INET: return unsafe [UInt8](UnsafeRawBufferPointer(start: start + 4, count: 4))
            case AF_INET6: return unsafe [UInt8](UnsafeRawBufferPointer(start: start + 8, count: 16))
            default: return []
            }
        }
        func number(_ range: Range<Int>) -> UInt64 { octets[range].reduce(0) { $0 << 8 | UInt64($1) } }
        switch octets.count {
        case 4: self = .v4(UInt32(number(0..<4)))
        case 16: self = .v6(high: number(0..<8), low: number(8..<16))
        default: return nil
        }
    }
}
