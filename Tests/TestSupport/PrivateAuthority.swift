/// A certificate authority that nobody but the test trusts, made with the `openssl` command.
public final class PrivateAuthority: Sendable {
    /// A certificate and its key, as paths of PEM files.
    public struct Identity: Sendable {
        /// The certificate.
        public let certificatePath: String
        /// The key.
        public let keyPath: String
    }

    /// The authority's own certificate and key; the certificate's path is what a client's `ca_file` names.
    public let root: Identity

    private let directory: TemporaryDirectory

    /// Makes the authority.
    public init() throws {
        directory = try TemporaryDirectory()
        root = Identity(certificatePath: directory.path("ca.pem"), keyPath: directory.path("ca.key"))
        try Self.openssl(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
                + ["-subj", "/CN=Weir test authority", "-keyout", root.keyPath, "-out", root.certificatePath])
    }

    /// Issues a certificate for host names and numeric addresses, for servers and clients.
    ///
    /// - Parameter isExpired: whether it ended yesterday.
    public func issue(
        _ name: String = "server", hosts: [String] = ["localhost", "127.0.0.1", "::1"],
        isExpired: Bool = false
    ) throws -> Identity {
        let identity = Identity(
            certificatePath: directory.path("\(name).pem"), keyPath: directory.path("\(name).key"))
        let names = hosts.map { host in
            host.contains(":") || host.allSatisfy({ $0.isNumber || $0 == "." }) ? "IP:\(host)" : "DNS:\(host)"
        }
        try directory.write("subjectAltName=\(names.joined(separator: ","))\n", to: "\(name).ext")
        try Self.openssl(
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)"]
                + ["-keyout", identity.keyPath, "-out", directory.path("\(name).csr")])
        try Self.openssl(
            [
                "x509", "-req", "-in", directory.path("\(name).csr"), "-days", isExpired ? "-1" : "30", "-CA",
                root.certificatePath,
            ]
                + ["-CAkey", root.keyPath, "-CAcreateserial", "-extfile", directory.path("\(name).ext")]
                + ["-out", identity.certificatePath])
        return identity
    }

    private static func openssl(_ arguments: [String]) throws {
        let outcome = try Subprocess.run("openssl", arguments)
        guard outcome.exit == .code(0) else { throw PeerError.unexpected("openssl: \(outcome.errorOutput)") }
    }
}
