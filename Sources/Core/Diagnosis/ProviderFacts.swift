public import Wire

/// What was found out about the way to a provider, and about its response to a probe.
public struct ProviderFacts: Sendable {
    /// The addresses of the host to which Weir connects: the provider's, or its proxy's.
    public struct Lookup: Hashable, Sendable {
        /// The host.
        public var host: String
        /// Its addresses.
        public var addresses: [IPAddress]
        /// Why there are none, in the system's words.
        public var failure: String?

        /// A lookup.
        public init(host: String, addresses: [IPAddress], failure: String? = nil) {
            self.host = host
            self.addresses = addresses
            self.failure = failure
        }
    }

    /// Why a connection failed.
    public enum ConnectionFault: Hashable, Sendable {
        /// The name has no address.
        case nameNotResolved
        /// The connection was refused, or there is no way; in the system's words.
        case failed(String)
        /// It took longer than the connect timeout.
        case timedOut
        /// All addresses are private, which is not allowed.
        case privateAddress
        /// The proxy rejects the tunnel with this status, or does not answer (0).
        case proxy(status: Int)
        /// The certificate is not trusted; in the library's words.
        case untrusted(String)
        /// The TLS handshake failed; in the library's words.
        case handshake(String)
        /// A file of `tls` cannot be used; in the library's words.
        case files(String)
    }

    /// A connection, with its TLS handshake.
    public struct Connection: Hashable, Sendable {
        /// Why it failed; `nil` if it was established.
        public var fault: ConnectionFault?
        /// The address that accepted it.
        public var address: String?
        /// How long it took, with its handshake.
        public var milliseconds: Int
        /// The version of TLS, such as `TLSv1.3`; `nil` without TLS.
        public var tlsVersion: String?
        /// The certificates that were sent, the server's own first; also those that are not trusted.
        public var chain: [CertificateFacts]

        /// A connection.
        public init(
            fault: ConnectionFault? = nil, address: String? = nil, milliseconds: Int = 0,
            tlsVersion: String? = nil, chain: [CertificateFacts] = []
        ) {
            self.fault = fault
            self.address = address
            self.milliseconds = milliseconds
            self.tlsVersion = tlsVersion
            self.chain = chain
        }
    }

    /// The response to the profile's probe, which was sent through Weir.
    public struct Answer: Sendable {
        /// The status.
        public var status: Int
        /// The code of the problem; `nil` for a success.
        public var code: ProblemCode?
        /// What the problem says.
        public var detail: String?
        /// The name of the team or the account.
        public var account: String?
        /// The response's `Date`, in seconds since 1970.
        public var date: Int64?
        /// Our clock when the request was sent, in seconds since 1970.
        public var sentAt: Double
        /// Our clock when the response had arrived.
        public var receivedAt: Double
        /// The sizes of windows that the response reports.
        public var limits: [Int]

        /// A response.
        public init(
            status: Int, code: ProblemCode? = nil, detail: String? = nil, account: String? = nil,
            date: Int64? = nil, sentAt: Double = 0, receivedAt: Double = 0, limits: [Int] = []
        ) {
            self.status = status
            self.code = code
            self.detail = detail
            self.account = account
            self.date = date
            self.sentAt = sentAt
            self.receivedAt = receivedAt
            self.limits = limits
        }
    }

    /// Why no probe was sent, or what came of it.
    public enum Probe: Sendable {
        /// The network was not to be used.
        case offline
        /// Weir holds no credential: the app sends it.
        case noCredential
        /// The profile names no probe.
        case noProbe
        /// The way to the provider is broken.
        case noConnection
        /// Weir could not be asked; in words.
        case failed(String)
        /// The response.
        case answered(Answer)
    }

    /// The lookup; `nil` if the host is an address, or nothing was looked up.
    public var lookup: Lookup?
    /// The connection; `nil` if none was tried.
    public var connection: Connection?
    /// The probe.
    public var probe = Probe.offline
    /// The time, in seconds since 1970.
    public var now: Int64

    /// Nothing is known but the time.
    public init(now: Int64) { self.now = now }
}

/// The sizes of the windows that a response reports.
public enum ReportedLimits {
    /// The values of the fields that a profile names, without repetitions.
    public static func read(_ fields: FieldBlock, names: RateFields) -> [Int] {
        var names = names
        // Weir adds these fields itself.
        (names.state, names.policy) = ([], [])
        let report = RateHeaders(names: names).report(fields, at: { 0 })
        var found: [Int] = []
        for index in 0..<report.count {
            guard let limit = report[index].limit, limit > 0, !found.contains(limit) else { continue }
            found.append(limit)
        }
        return found
    }
}
