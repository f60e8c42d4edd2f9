/// What Weir shows clients that connect over TLS.
public struct ListenerTLS: Hashable, Sendable {
    /// The certificate, then those that lead to its authority, as PEM; its file may have the key as well.
    public var certificate: Secret
    /// The key of the certificate, as PEM.
    public var key: Secret
    /// The oldest version of TLS that is spoken.
    public var minimumVersion: TLSConfiguration.Version

    /// TLS with this certificate.
    public init(
        certificate: Secret, key: Secret, minimumVersion: TLSConfiguration.Version = .tls12
    ) {
        self.certificate = certificate
        self.key = key
        self.minimumVersion = minimumVersion
    }
}
