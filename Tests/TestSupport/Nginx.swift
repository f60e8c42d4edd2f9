internal import Glibc

/// A real nginx as an upstream with TLS and HTTP/2.
///
/// `GET /echo…` returns JSON with the protocol, the method and the request target as nginx saw them; any other path
/// accepts a body of any size and returns `{"ok":true}`. `server` adds further nginx directives.
public final class Nginx: Sendable {
    /// The authority that signed the server's certificate.
    public let authority: PrivateAuthority
    /// The port on 127.0.0.1.
    public let port: UInt16

    private let directory: TemporaryDirectory
    private let process: Subprocess

    /// Starts nginx and waits until it listens.
    ///
    /// - Parameters:
    ///   - hosts: the names in the server's certificate.
    ///   - isExpired: whether the server's certificate has expired.
    ///   - http2: whether it offers HTTP/2 beside HTTP/1.1.
    ///   - server: more directives for the `server` block.
    public init(
        hosts: [String] = ["localhost", "127.0.0.1", "::1"], isExpired: Bool = false, http2: Bool = true,
        server: String = ""
    ) throws {
        directory = try TemporaryDirectory()
        authority = try PrivateAuthority()
        let identity = try authority.issue(hosts: hosts, isExpired: isExpired)
        var attempts = 0
        while true {
            attempts += 1
            let port = try FreePort.next()
            let text = Self.configuration(port: port, identity: identity, http2: http2, server: server)
            let file = try directory.write(text, to: "nginx.conf")
            let process = try Subprocess(
                "nginx", ["-p", directory.path, "-c", file, "-g", "daemon off;"],
                environment: ["PATH": "/usr/sbin:/usr/local/sbin:/usr/bin:/bin"])
            do {
                try eventually("nginx to listen", every: .milliseconds(10)) {
                    guard process.isRunning else {
                        throw PeerError.unexpected("nginx: \(process.errorOutput)")
                    }
                    return (try? RawClient(port: port)) != nil
                }
                (self.port, self.process) = (port, process)
                return
            } catch PeerError.unexpected(let reason) where attempts == 5 || !reason.contains("in use") {
                throw PeerError.unexpected(reason)
            } catch PeerError.unexpected {
                continue
            }
        }
    }

    deinit { stop() }

    /// `https://localhost:PORT`, without a slash at the end.
    public var url: String { "https://localhost:\(port)" }

    /// What nginx logged: one line `"METHOD TARGET PROTOCOL" STATUS CONNECTION` per request.
    public var accessLog: String { (try? directory.read("access.log")) ?? "" }

    /// Stops nginx at once.
    public func stop() {
        process.send(.terminate)
        _ = try? process.waitForExit()
    }

    private static func configuration(
        port: UInt16, identity: PrivateAuthority.Identity, http2: Bool, server: String
    ) -> String {
        """
        \(getuid() == 0 ? "user root;" : "")
        worker_processes 1;
        pid nginx.pid;
        error_log stderr;
        events { worker_connections 512; }
        http {
            log_format short '"$request" $status $connection';
            access_log access.log short;
            client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            server {
                listen 127.0.0.1:\(port) ssl\(http2 ? " http2" : "");
                ssl_certificate \(identity.certificatePath);
                ssl_certificate_key \(identity.keyPath);
                client_max_body_size 0;
                default_type application/json;
                location /echo {
                    return 200 '{"protocol":"$server_protocol","method":"$request_method","target":"$request_uri"}';
                }
                location / { return 200 '{"ok":true}'; }
                \(server)
            }
        }

        """
    }
}
