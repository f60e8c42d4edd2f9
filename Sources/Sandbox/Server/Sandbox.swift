public import Core
internal import Downstream
internal import Locking
internal import Loop

/// Imitations of lemlist and Lettr on one port: their answers, their authentication, their rate limits, and
/// any recorded error.
///
/// Lemlist is at `/lemlist/api` with the key `lemlist_demo`, Lettr at `/lettr/api` with `lttr_sandbox_demo`
/// or `lttr_demo`. A request
/// with the field `X-Sandbox-Case` gets the recorded answer of that id. `GET /-/sandbox` tells what was
/// counted.
/// A sandbox has a thread of its own, which ends with ``stop()``.
public final class Sandbox: Sendable {
    /// The TCP port; the one that the system chose if 0 was asked for.
    public let port: UInt16

    private let host: String
    private let counts = SandboxCounts()
    private let mailbox: Mailbox<SandboxServer.Message>
    private let thread: LoopThread
    private let hasStopped = Lock(false)

    /// The profiles that are imitated.
    public static let profiles = ["lemlist", "lettr"]

    /// The key that an imitation accepts, or `nil` if that profile is not imitated.
    public static func key(for profile: String) -> String? {
        switch profile {
        case "lemlist": LemlistImitation.key
        case "lettr": LettrImitation.keys.first
        default: nil
        }
    }

    /// Starts serving.
    ///
    /// - Parameters:
    ///   - host: a numeric IPv4 or IPv6 address.
    ///   - port: 0 lets the system choose.
    ///   - profiles: whose recorded cases can be asked for; those of `generic` at both imitations.
    /// - Throws: an error whose description is one line for a user, such as that the port is in use.
    public init(address host: String, port: UInt16, profiles: [Profile]) throws {
        self.host = host
        mailbox = try Mailbox()
        // Once the thread runs, the server belongs to it alone.
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

    /// The base URL of an imitation, or `nil` if that profile is not imitated.
    public func upstream(for profile: String) -> String? {
        guard Self.profiles.contains(profile) else { return nil }
        return "http://\(reachableHost):\(port)/\(profile)/api"
    }

    /// What was counted for a profile so far.
    public func counts(for profile: String) -> ProviderCounts { counts[profile] }

    /// How many requests came too early for a rate limit, of all imitations together.
    public var refusals: Int { Self.profiles.reduce(0) { $0 + counts[$1].refusals } }

    /// Ends serving, and waits for the thread.
    ///
    /// What has been asked is still answered, at once. Harmless the second time.
    public func stop() {
        let isFirst = hasStopped.withLock { hasStopped in
            defer { hasStopped = true }
            return !hasStopped
        }
        guard isFirst else { return }
        mailbox.post(.stop)
        thread.join()
    }

    /// The address as a client on this machine writes it.
    private var reachableHost: String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "[::1]"
        default: host.contains(":") ? "[\(host)]" : host
        }
    }
}

/// The counts of all imitations, by profile; written by the server's thread, read by any.
final class SandboxCounts: Sendable {
    private let counts = Lock<[String: ProviderCounts]>([:])

    /// Counts a request.
    func add(_ profile: String, isRefusal: Bool) {
        counts.withLock { counts in
            counts[profile, default: ProviderCounts()].requests += 1
            if isRefusal { counts[profile, default: ProviderCounts()].refusals += 1 }
        }
    }

    /// What was counted for a profile.
    subscript(_ profile: String) -> ProviderCounts {
        counts.withLock { $0[profile] ?? ProviderCounts() }
    }
}

/// What an imitation has counted.
public struct ProviderCounts: Sendable, Hashable {
    /// Requests that came.
    public var requests = 0
    /// Those of them that came too early for the rate limit, and were refused for it.
    public var refusals = 0

    /// Nothing.
    public init() {}
}
