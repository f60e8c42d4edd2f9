public import Core
internal import Downstream
internal import Locking
internal import Loop

/// Simulates providers on one port: their authentication, their rate limits, and any recorded error.
///
/// lemlist and Lettr are written by hand, with the responses of their APIs: lemlist is at `/lemlist/api` with the key
/// `lemlist_demo`, Lettr at `/lettr/api` with `lttr_sandbox_demo` or `lttr_demo`. All others are imitated as their
/// profiles describe them. Request fields whose names begin with `X-Sandbox-` ask for recorded responses, delays and
/// aborts. `GET /-/sandbox` shows counters. A sandbox has its own thread, which ends with ``stop()``.
public final class Sandbox: Sendable {
    /// The TCP port; chosen by the system if 0 was requested.
    public let port: UInt16

    private let host: String
    private let counts = SandboxCounts()
    private let mailbox: Mailbox<SandboxServer.Message>
    private let thread: LoopThread
    private let hasStopped = Lock(false)

    /// A profile to simulate.
    public struct Provider: Sendable {
        /// The profile, with its recorded cases unless `complete` reads them.
        public var profile: Profile
        /// The tier whose limits hold; `nil` for the profile's own.
        public var tier: String?

        /// Reads the profile with its recorded cases, when the first request to it arrives.
        public var complete: (@Sendable () -> Profile)?

        /// A profile to simulate.
        public init(_ profile: Profile, tier: String? = nil, complete: (@Sendable () -> Profile)? = nil) {
            self.profile = profile
            self.tier = tier
            self.complete = complete
        }
    }

    /// The profiles that are simulated unless others are named.
    public static let usualProfiles = ["lemlist", "lettr"]

    /// The names of the simulated profiles, in order.
    public let profiles: [String]
    /// The path and the key of each, by name.
    private let places: [String: (mount: String, key: String)]

    /// The accepted key, or an example of one, or `nil` if that profile is not simulated.
    public func key(for profile: String) -> String? { places[profile]?.key }

    /// Starts to serve.
    ///
    /// - Parameters:
    ///   - host: a numeric IPv4 or IPv6 address.
    ///   - port: 0 lets the system choose.
    ///   - providers: the profiles to simulate, with different names.
    ///   - generic: the profile whose recorded cases every provider has besides its own.
    ///   - rules: the behaviour that requests get without asking for it.
    /// - Throws: an error whose description is one line for the user, for example that the port is in use.
    public init(
        address host: String, port: UInt16, providers: [Provider], generic: Profile?,
        rules: [SandboxRule] = []
    ) throws {
        self.host = host
        mailbox = try Mailbox()
        let mounted = providers.map { Self.mounted($0, generic) }
        profiles = mounted.map(\.server.name)
        places = Dictionary(
            mounted.map { ($0.server.name, ($0.server.mount, $0.key)) },
            uniquingKeysWith: { first, _ in first })
        // Once the thread runs, the server is confined to it.
        nonisolated(unsafe) let server = try SandboxServer(
            mailbox: mailbox, imitations: mounted.map(\.server), rules: rules, counts: counts)
        let listener = try ListenSocket(host: host, port: port, isShared: false)
        self.port = listener.port
        do {
            try unsafe server.open(listener)
            thread = try LoopThread(name: "weir-sandbox") { unsafe server.run() }
        } catch {
            unsafe server.close()
            throw error
        }
    }

    private static func mounted(
        _ provider: Provider, _ generic: Profile?
    ) -> (server: SandboxServer.Mounted, key: String) {
        let name = provider.profile.name
        // Variables of the URL are part of the host, or stand for themselves.
        let path = provider.profile.upstream?.split(separator: "/", maxSplits: 2).dropFirst(2).first ?? ""
        var base = path.isEmpty || path.contains("{") ? "" : "/\(path)"
        if base.hasSuffix("/") { base.removeLast() }
        let (mount, key) =
            switch name {
            case "lemlist": (LemlistImitation.mount, LemlistImitation.key)
            case "lettr": (LettrImitation.mount, LettrImitation.keys[0])
            default: ("/\(name)\(base)", SampleKey.key(of: provider.profile))
            }
        let server = SandboxServer.Mounted(name: name, mount: mount) { [base] in
            let profile = provider.complete?() ?? provider.profile
            let isGeneric = generic?.name == name
            let cases = CaseBook([profile] + (isGeneric ? [] : [generic].compactMap { $0 }))
            let imitation: any Imitation =
                switch name {
                case "lemlist": LemlistImitation(cases: cases)
                case "lettr": LettrImitation(cases: cases)
                default:
                    ProfileImitation(
                        profile, tier: provider.tier, basePath: base, cases: cases, generic: generic)
                }
            return (cases, imitation)
        }
        return (server, key)
    }

    deinit { stop() }

    /// The base URL of a simulated provider, or `nil` if that profile is not simulated.
    public func upstream(for profile: String) -> String? {
        places[profile].map { "http://\(reachableHost):\(port)\($0.mount)" }
    }

    /// The counters of a profile.
    public func counts(for profile: String) -> ProviderCounts { counts[profile] }

    /// How many requests were rejected because of a rate limit, over all providers.
    public var refusals: Int { profiles.reduce(0) { $0 + counts[$1].refusals } }

    /// Stops serving, and waits for the thread.
    ///
    /// Pending requests are answered at once. Further calls have no effect.
    public func stop() {
        let isFirst = hasStopped.withLock { hasStopped in
            defer { hasStopped = true }
            return !hasStopped
        }
        guard isFirst else { return }
        mailbox.post(.stop)
        thread.join()
    }

    /// The address in the form that a local client uses.
    private var reachableHost: String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "[::1]"
        default: host.contains(":") ? "[\(host)]" : host
        }
    }
}

/// The counters by profile; written by the server's thread, read by any thread.
final class SandboxCounts: Sendable {
    private let counts = Lock<[String: ProviderCounts]>([:])

    /// Counts a request.
    func add(_ profile: String, isRefusal: Bool) {
        counts.withLock { counts in
            counts[profile, default: ProviderCounts()].requests += 1
            if isRefusal { counts[profile, default: ProviderCounts()].refusals += 1 }
        }
    }

    /// The counters of a profile.
    subscript(_ profile: String) -> ProviderCounts {
        counts.withLock { $0[profile] ?? ProviderCounts() }
    }
}

/// The counters of a simulated provider.
public struct ProviderCounts: Sendable, Hashable {
    /// Requests received.
    public var requests = 0
    /// Requests rejected because of the rate limit.
    public var refusals = 0

    /// Zero.
    public init() {}
}
