/// One result of a check of the set-up: what was found, and what to do about it.
public struct Finding: Hashable, Sendable {
    /// How good or bad the result is.
    public enum Level: String, CaseIterable, Sendable {
        /// As it should be.
        case ok
        /// Not checked, for the reason given.
        case skipped
        /// Works now, and may fail later or elsewhere.
        case warning
        /// Does not work.
        case wrong
    }

    /// The subject of a check.
    public enum Check: String, CaseIterable, Sendable {
        // Of a provider.
        case names, proxy, connection, tls, clock, credential, limits
        // Of the shared ledger.
        case reachable, version, permissions, latency, replicas
        // Of the process and its files.
        case descriptors, files, certificate, ports, hosts
    }

    /// What was checked: the name of a provider, `ledger` or `process`.
    public var subject: String
    /// Which check it was.
    public var check: Check
    /// The result.
    public var level: Level
    /// What was found, in one line without secrets.
    public var fact: String
    /// What to do; `nil` if nothing needs to be done.
    public var advice: String?

    /// A finding.
    public init(_ level: Level, _ check: Check, of subject: String, _ fact: String, advice: String? = nil) {
        self.level = level
        self.check = check
        self.subject = subject
        self.fact = fact
        self.advice = advice
    }

    /// The subject of findings about the process and its files.
    public static let process = "process"
    /// The subject of findings about the shared ledger.
    public static let ledger = "ledger"
}

/// A certificate as it was read from a file or a handshake; times are in seconds since 1970.
public struct CertificateFacts: Hashable, Sendable {
    /// Its subject.
    public var subject: String
    /// The authority that issued it.
    public var issuer: String
    /// The first second in which it is valid.
    public var begins: Int64
    /// The last one.
    public var ends: Int64

    /// A certificate.
    public init(subject: String, issuer: String, begins: Int64, ends: Int64) {
        self.subject = subject
        self.issuer = issuer
        self.begins = begins
        self.ends = ends
    }

    /// Whole days until the end, rounded down; negative when it is over.
    public func days(at seconds: Int64) -> Int {
        let left = ends - seconds
        return Int(left >= 0 ? left / 86_400 : -((86_399 - left) / 86_400))
    }

    /// How long it is still valid, or since when it is not, in words.
    func validity(at seconds: Int64) -> String {
        if seconds < begins { return "becomes valid in \(Self.span(begins - seconds))" }
        if seconds > ends { return "expired \(Self.span(seconds - ends)) ago" }
        return "expires in \(Self.span(ends - seconds))"
    }

    private static func span(_ seconds: Int64) -> String {
        let (number, unit) = seconds < 2 * 86_400 ? (seconds / 3600, "hour") : (seconds / 86_400, "day")
        return "\(number) \(unit)\(number == 1 ? "" : "s")"
    }
}
