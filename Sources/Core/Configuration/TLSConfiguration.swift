/// How a provider is recognised over TLS, and what Weir shows it; all paths are of PEM files.
public struct TLSConfiguration: Hashable, Sendable {
    /// The certification authorities to trust instead of the system's.
    public var caFile: String?
    /// Weir's own certificate, for a provider that asks for one.
    public var clientCertificate: String?
    /// The key of ``clientCertificate``; `nil` if it is in the same file.
    public var clientKey: String?

    /// The oldest version of TLS that is spoken.
    public var minimumVersion = Version.tls12

    /// A version of TLS; older ones are never spoken.
    public enum Version: String, CaseIterable, Sendable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// A hash of what the files contained when they were read: a renewed certificate is another configuration.
    public var contents = 0

    /// TLS with these files; none means the system's authorities and no certificate of our own.
    public init(caFile: String? = nil, clientCertificate: String? = nil, clientKey: String? = nil) {
        self.caFile = caFile
        self.clientCertificate = clientCertificate
        self.clientKey = clientKey
    }
}
