/// The keys of a section of the file.
///
/// Each is handled in an exhaustive `switch`, so that no key is accepted and ignored.
protocol SectionKey: RawRepresentable, CaseIterable, Hashable where RawValue == String {}

extension ConfigurationReader {
    enum TopKey: String, SectionKey {
        case listen, hosts, admin, access, workers, replicas, ledger, log, tracing, reload
        case typeBase = "type_base"
        case providers, limits
    }

    enum ListenKey: String, SectionKey { case address, mode, tls }

    /// The mapping of a `listen` without TLS, instead of an address.
    enum PlainListenKey: String, SectionKey { case address, mode }

    enum ListenTLSKey: String, SectionKey {
        case certificate, key
        case minimumVersion = "min_version"
        case clientAuthorities = "client_ca"
    }

    enum AdminKey: String, SectionKey { case listen, token }

    /// The mapping of a `ledger`, instead of an address.
    enum LedgerKey: String, SectionKey { case url, user, password, tls }

    enum AccessKey: String, SectionKey { case token }

    enum LogKey: String, SectionKey { case access, level }

    enum TracingKey: String, SectionKey {
        case endpoint, sample, headers
        case caFile = "ca_file"
    }

    enum ReloadKey: String, SectionKey { case onChange = "on_change" }

    enum ProviderKey: String, SectionKey {
        case profile, mount, listen, upstream, variables, hosts, credential, errors, status
        case upstreamBody = "upstream_body"
        case tier, limits, learn, guarantee, pacing, group
        case maximumWait = "max_wait"
        case timeouts, quarantine, retries
        case circuitBreaker = "circuit_breaker"
        case tls, http, proxy
        case rewriteLocations = "rewrite_locations"
        case forwardTrace = "forward_trace"
        case allowPrivate = "allow_private"
    }

    enum LimitKey: String, SectionKey {
        case name, requests, per, align, concurrent, by, routes, operations, cost, learn, note
    }

    enum TimeoutKey: String, SectionKey {
        case connect, response, idle
        case errorBody = "error_body"
        case total
    }

    enum RetryKey: String, SectionKey { case max, on, base, cap, budget }

    enum CircuitKey: String, SectionKey {
        case failureRatio = "failure_ratio"
        case window, minimum
        case openFor = "open_for"
    }

    enum TLSKey: String, SectionKey {
        case caFile = "ca_file"
        case clientCertificate = "client_certificate"
        case clientKey = "client_key"
        case minimumVersion = "min_version"
    }

    enum SizeKey: String, SectionKey {
        case requestBody = "request_body"
        case requestHead = "request_head"
        case responseHead = "response_head"
        case uri
        case headerCount = "header_count"
        case errorBody = "error_body"
        case connections, queue, keys
        case clientIdle = "client_idle"
        case clientStall = "client_stall"
        case drain
    }

    /// The paths of all keys; `*` stands for a provider's name, `[]` for a list's element.
    static let keyPaths: [String] =
        paths(of: TopKey.self, in: "")
        + paths(of: ListenKey.self, in: "listen.") + paths(of: ListenTLSKey.self, in: "listen.tls.")
        + paths(of: AdminKey.self, in: "admin.")
        + paths(of: LedgerKey.self, in: "ledger.") + paths(of: TLSKey.self, in: "ledger.tls.")
        + paths(of: AccessKey.self, in: "access.")
        + paths(of: LogKey.self, in: "log.")
        + paths(of: TracingKey.self, in: "tracing.")
        + paths(of: ReloadKey.self, in: "reload.")
        + paths(of: ProviderKey.self, in: "providers.*.")
        + paths(of: ListenKey.self, in: "providers.*.listen.")
        + paths(of: ListenTLSKey.self, in: "providers.*.listen.tls.")
        + paths(of: LimitKey.self, in: "providers.*.limits[].")
        + paths(of: TimeoutKey.self, in: "providers.*.timeouts.")
        + paths(of: RetryKey.self, in: "providers.*.retries.")
        + paths(of: CircuitKey.self, in: "providers.*.circuit_breaker.")
        + paths(of: TLSKey.self, in: "providers.*.tls.")
        + paths(of: SizeKey.self, in: "limits.")

    private static func paths<Key: SectionKey>(of: Key.Type, in section: String) -> [String] {
        Key.allCases.map { section + $0.rawValue }
    }
}
