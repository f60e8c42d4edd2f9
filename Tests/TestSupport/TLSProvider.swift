/// A provider that speaks TLS, sends exactly the given bytes, and ends its connections as the test says.
///
/// Implemented with Python's `ssl`: unlike nginx, it can end TLS without a close_notify.
public final class TLSProvider: Sendable {
    /// How a connection ends after a response.
    public enum Ending: String, Sendable, CaseIterable {
        /// With a close_notify.
        case notify
        /// With only the end of the TCP connection.
        case cut
        /// With a reset.
        case reset
        /// Not at all.
        case stay
    }

    /// A version of TLS.
    public enum Version: String, Sendable, CaseIterable {
        /// TLS 1.2.
        case tls12 = "TLSv1_2"
        /// TLS 1.3.
        case tls13 = "TLSv1_3"
    }

    /// The authority that signed the certificate.
    public let authority: PrivateAuthority
    /// The port on 127.0.0.1.
    public let port: UInt16
    private let process: Subprocess

    private static let script = """
        import os, socket, ssl, struct, sys, threading
        certificate, key, version, clients, ending, response = sys.argv[1:7]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        print("port", listener.getsockname()[1], "", flush=True)

        def read_request(connection):
            data = b""
            while b"\\r\\n\\r\\n" not in data:
                more = connection.recv(65536)
                if not more: return False
                data += more
            head, _, body = data.partition(b"\\r\\n\\r\\n")
            length = 0
            for line in head.split(b"\\r\\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length": length = int(value)
            while len(body) < length:
                more = connection.recv(65536)
                if not more: return False
                body += more
            print("request", flush=True)
            return True

        def serve(raw):
            try:
                connection = context.wrap_socket(raw, server_side=True)
                while read_request(connection):
                    connection.sendall(response.encode("latin-1"))
                    if ending == "stay": continue
                    if ending == "notify":
                        connection.settimeout(5)
                        try: connection.unwrap()
                        except OSError: pass
                    if ending == "reset":
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    os.close(connection.detach())
                    return
                connection.close()
            except OSError:
                raw.close()

        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()
        """

    /// Starts it.
    ///
    /// - Parameters:
    ///   - response: the response to every request.
    ///   - clients: the authority whose certificate a client must show; `nil`: none.
    public init(
        response: String, ending: Ending, version: Version = .tls13, clients: PrivateAuthority? = nil
    ) throws {
        authority = try PrivateAuthority()
        let identity = try authority.issue()
        let paths = [identity.certificatePath, identity.keyPath]
        process = try Subprocess(
            "python3",
            ["-c", Self.script] + paths + [version.rawValue, clients?.root.certificatePath ?? ""]
                + [ending.rawValue, response])
        try process.waitForOutput(containing: "port ", within: .seconds(60))
        var port: UInt16?
        let process = process
        try eventually("the port of a provider") {
            port = process.output.split(separator: " ").dropFirst().first.flatMap { UInt16($0) }
            return port != nil
        }
        self.port = port ?? 0
    }

    /// The origin, with a name for which the certificate is valid.
    public var url: String { "https://localhost:\(port)" }

    /// How many requests it has read.
    public var requestCount: Int { process.output.split(separator: "\n").count { $0 == "request" } }
}
