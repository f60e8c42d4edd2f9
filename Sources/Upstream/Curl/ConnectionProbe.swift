internal import CCurl
internal import Loop

/// What a connection to an upstream looks like, established as for a request but never used.
public struct ConnectionReport: Sendable {
    /// Why there is none; `nil` if it was established.
    public var fault: TransferFault?
    /// The numeric address that accepted it: the upstream's, or its proxy's.
    public var address: String?
    /// How long it took, with name resolution and handshake.
    public var milliseconds: Int
    /// The version of TLS, such as `TLSv1.3`; `nil` without TLS, or if the library does not tell.
    public var tlsVersion: String?
    /// The certificates that the server sent, its own first, as PEM; also those that are not trusted.
    public var certificates: [String]
}

/// Establishes a connection to an upstream, to look at it.
public enum ConnectionProbe {
    /// The most certificates of a chain that are read.
    private static let longestChain = 16

    /// Connects, reports, and closes.
    ///
    /// Blocks its thread, for twice the connect timeout at most. Nothing is sent on the connection. If the server's certificate is not
    /// trusted, a second connection reads it without trusting it.
    public static func run(_ options: UpstreamOptions) -> ConnectionReport {
        CurlLibrary.initialise()
        var report = connect(options, trustsAll: false)
        if case .tlsUntrusted? = report.fault {
            report.certificates = connect(options, trustsAll: true).certificates
        }
        return report
    }

    private static func connect(_ options: UpstreamOptions, trustsAll: Bool) -> ConnectionReport {
        let hooks = CurlMulti.Hooks(watcher: nil, options: options)
        // libcurl closes the socket, and calls the hooks, when the handle is released.
        return withExtendedLifetime(hooks) {
            let easy = EasyHandle(hooks: hooks, options: options)
            easy.set(CURLOPT_CONNECT_ONLY, 1)
            easy.set(CURLOPT_CERTINFO, 1)
            easy.set(CURLOPT_TIMEOUT_MS, options.connectTimeoutMilliseconds)
            if trustsAll {
                easy.set(CURLOPT_SSL_VERIFYPEER, 0)
                easy.set(CURLOPT_SSL_VERIFYHOST, 0)
            }
            let start = SystemClock.monotonicNanoseconds
            let code = unsafe curl_easy_perform(easy.pointer)
            let time = (SystemClock.monotonicNanoseconds - start) / 1_000_000
            var report = ConnectionReport(milliseconds: Int(time), certificates: certificates(of: easy))
            report.fault = easy.fault(of: code).map { easy.fault(ofConnecting: $0) }
            guard report.fault == nil else { return report }
            report.address = unsafe ccurl_info_text(easy.pointer, CURLINFO_PRIMARY_IP)
                .map { unsafe String(cString: $0) }
            if options.isTLS {
                // > The session is known to the handle once it was used.
                var byte: UInt8 = 0
                var count = 0
                _ = unsafe curl_easy_recv(easy.pointer, &byte, 0, &count)
                report.tlsVersion = unsafe OpenSSL.version(on: easy.pointer)
            }
            return report
        }
    }

    /// The certificates, from lists of `NAME:VALUE` of which `Cert` has one as PEM.
    private static func certificates(of easy: EasyHandle) -> [String] {
        guard let chain = unsafe ccurl_certificates(easy.pointer), let lists = unsafe chain.pointee.certinfo
        else { return [] }
        var found: [String] = []
        let count = unsafe Int(chain.pointee.num_of_certs)
        for index in 0..<min(count, longestChain) {
            var element = unsafe lists[index]
            while let entry = unsafe element {
                let text = unsafe String(cString: entry.pointee.data)
                if text.hasPrefix("Cert:") { found.append(String(text.dropFirst("Cert:".count))) }
                unsafe element = entry.pointee.next
            }
        }
        return found
    }
}
