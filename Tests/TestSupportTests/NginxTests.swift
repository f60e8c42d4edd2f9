import TestSupport
import Testing

@Suite(.blocking) struct NginxTests {
    private func curl(_ nginx: Nginx, _ target: String, _ arguments: [String]) throws -> Subprocess.Outcome {
        try Subprocess.run(
            "curl", ["-sS", "--cacert", nginx.authority.root.certificatePath, nginx.url + target] + arguments)
    }

    @Test("a real nginx speaks HTTP/2 and HTTP/1.1 over TLS to who trusts its authority")
    func protocols() throws {
        let nginx = try Nginx()
        let second = try curl(nginx, "/echo?a=%20", ["--http2"])
        #expect(second.output == #"{"protocol":"HTTP/2.0","method":"GET","target":"/echo?a=%20"}"#)
        let first = try curl(nginx, "/echo", ["--http1.1"])
        #expect(first.output == #"{"protocol":"HTTP/1.1","method":"GET","target":"/echo"}"#)
        try eventually("both log lines") { nginx.accessLog.split(separator: "\n").count == 2 }
    }

    @Test("nobody else trusts its authority, nor a name that is not in its certificate")
    func distrust() throws {
        let nginx = try Nginx(hosts: ["other.example"], http2: false)
        #expect(try Subprocess.run("curl", ["-sS", nginx.url]).exit == .code(60))
        #expect(try curl(nginx, "/", []).exit == .code(60))
    }

    @Test("its own directives can be given, and a client can be asked for a certificate")
    func clientCertificates() throws {
        let clients = try PrivateAuthority()
        let client = try clients.issue("client")
        let nginx = try Nginx(
            server: "ssl_client_certificate \(clients.root.certificatePath); ssl_verify_client on;")
        #expect(try curl(nginx, "/echo", []).output.contains("No required SSL certificate"))
        let identity = ["--cert", client.certificatePath, "--key", client.keyPath]
        #expect(try curl(nginx, "/", identity).output == #"{"ok":true}"#)
    }
}
