/// A certificate authority that only the test trusts, created with the `openssl` command.
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

    /// The keys with which a provider's configuration trusts it.
    public var trust: String { "tls: { ca_file: \(root.certificatePath) }" }

    private let directory: TemporaryDirectory

    /// Makes the authority.
    public init() throws {
        directory = try TemporaryDirectory()
        root = Identity(certificatePath: directory.path("ca.pem"), keyPath: directory.path("ca.key"))
        try Self.openssl(
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
                + ["-subj", "/CN=Weir test authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
                + ["-keyout", root.keyPath, "-out", root.certificatePath])
        // `openssl x509` issues no certificate that has expired.
        try directory.write(
            """
            [ca]
            default_ca = authority
            [authority]
            database = \(directory.path("issued"))
            new_certs_dir = \(directory.path)
            rand_serial = yes
            default_md = sha256
            policy = subject
            [subject]
            commonName = supplied
            """, to: "ca.conf")
        try directory.write("", to: "issued")
    }

    /// Issues a certificate for host names and numeric addresses, for servers and clients.
    ///
    /// - Parameter isExpired: whether it has been invalid for years.
    public func issue(
        _ name: String = "server", hosts: [String] = ["localhost", "127.0.0.1", "::1"],
        isExpired: Bool = false
    ) throws -> Identity {
        let identity = Identity(
            certificatePath: directory.path("\(name).pem"), keyPath: directory.path("\(name).key"))
        let names = hosts.map { host in
            host.contains(":") || host.allSatisfy({ $0.isNumber || $0 == "." }) ? "IP:\(host)" : "DNS:\(host)"
        }
        try directory.write(
            """
            subjectAltName=\(names.joined(separator: ","))
            subjectKeyIdentifier=hash
            authorityKeyIdentifier=keyid

            """, to: "\(name).ext")
        try Self.openssl(
            ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)"]
                + ["-keyout", identity.keyPath, "-out", directory.path("\(name).csr")])
        try Self.openssl(
            ["ca", "-batch", "-notext", "-config", directory.path("ca.conf"), "-cert", root.certificatePath]
                + ["-keyfile", root.keyPath, "-in", directory.path("\(name).csr")]
                + (isExpired
                    ? ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"] : ["-days", "30"])
                + ["-extfile", directory.path("\(name).ext"), "-out", identity.certificatePath])
        return identity
    }

    /// The common name of the certificate in the output of `openssl s_client`.
    ///
    /// OpenSSL 3.0 writes `subject=CN = server`, 3.5 `subject=CN=server`.
    public static func subject(in output: String) -> String? {
        let line = output.split(separator: "\n").first { $0.hasPrefix("subject=") }
        return line.flatMap { $0.split(separator: "=").last }.map { String($0.drop { $0 == " " }) }
    }

    private static func openssl(_ arguments: [String]) throws {
        let outcome = try Subprocess.run("openssl", arguments)
        guard outcome.exit == .code(0) else { throw PeerError.unexpected("openssl: \(outcome.errorOutput)") }
    }
}
