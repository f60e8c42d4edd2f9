public import Core
internal import Downstream
internal import Locking
internal import Loop

/// Simulates lemlist and Lettr on one port: their responses, their authentication, their rate limits, and any
/// recorded error.
///
/// Lemlist is at `/lemlist/api` with the key `lemlist_demo`, Lettr at `/lettr/api` with `lttr_sandbox_demo` or
/// `lttr_demo`. A request with the field `X-Sandbox-Case` gets the recorded response of that id. `GET /-/sandbox`
/// shows counters. A sandbox has its own thread, which ends with ``stop()``.
public final class Sandbox: Sendable {
    /// The TCP port; chosen by the system if 0 was requested.
    public let port: UInt16

    private let host: String
    private let counts = SandboxCounts()
    private let mailbox: Mailbox<SandboxServer.Message>
    private let thread: LoopThread
    private let hasStopped = Lock(false)

    /// The simulated profiles.
    public static let profiles = ["lemlist", "lettr"]

    /// The accepted key, or `nil` if that profile is not simulated.
    public static func key(for profile: String) -> String? {
        switch profile {
        case "lemlist": LemlistImitation.key
        case "lettr": LettrImitation.keys.first
        default: nil
        }
    }

    /// Starts to serve.
    ///
    /// - Parameters:
    ///   - host: a numeric IPv4 or IPv6 address.
    ///   - port: 0 lets the system choose.
    ///   - profiles: the profiles with recorded cases; those of `generic` apply to both providers.
    /// - Throws: an error whose description is one line for the user, for example that the port is in use.
    public init(address host: String, port: UInt16, profiles: [Profile]) throws {
        self.host = host
        mailbox = try Mailbox()
        // Once the thread runs, the server is confined to it.
        nonisolated(unsafe) let server = try SandboxServer(
            mailbox: mailbox, profiles: profiles, counts: counts)
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

    deinit { stop() }

    /// The base URL of a simulated provider, or `nil` if that profile is not simulated.
    public func upstream(for profile: String) -> String? {
        guard Self.profiles.contains(profile) else { return nil }
        return "http://\(reachableHost):\(port)/\(profile)/api"
    }

    /// The counters of a profile.
    public func counts(for profile: String) -> ProviderCounts { counts[profile] }

    /// How many requests were rejected because of a rate limit, over all providers.
    public var refusals: Int { Self.profiles.reduce(0) { $0 + counts[$1].refusals } }

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
