import TestSupport
import Testing

@Suite("weir with TLS at `listen`", .blocking)
struct ListenTLSTests {
    private static func text(_ certificate: String, key: String) -> String {
        """
        listen: { address: 127.0.0.1:1, tls: { certificate: \(certificate), key: \(key) } }
        admin: { listen: 127.0.0.1:0 }
        providers: { p: { profile: generic, upstream: 'http://127.0.0.1:9' } }

        """
    }

    /// A folder with `weir.yaml`, which names a certificate and a key beside it.
    private struct Setting {
        let folder: TemporaryDirectory
        let authority: PrivateAuthority

        init() throws {
            folder = try TemporaryDirectory()
            authority = try PrivateAuthority()
            try install("server")
            try folder.write(ListenTLSTests.text("tls.pem", key: "tls.key"), to: "weir.yaml")
        }

        /// Puts a new certificate of this name into place, and its key.
        func install(_ name: String) throws {
            let identity = try authority.issue(name)
            for (from, to) in [(identity.certificatePath, "tls.pem"), (identity.keyPath, "tls.key")] {
                #expect(try Subprocess.run("cp", [from, folder.path(to)]).exit == .code(0))
            }
        }

        /// The subject of the certificate that is shown.
        func subject(_ port: UInt16) throws -> String? {
            let outcome = try Subprocess.run("openssl", ["s_client", "-connect", "127.0.0.1:\(port)"])
            return PrivateAuthority.subject(in: outcome.output)
        }
    }

    @Test("curl is served over TLS; a renewed certificate is adopted, and files that do not match are not")
    func renewal() throws {
        let setting = try Setting()
        let weir = try RunningWeir([
            "--config", setting.folder.path("weir.yaml"), "--listen", "127.0.0.1:0",
        ])
        let curl = try Subprocess.run(
            "curl",
            ["-sS", "--cacert", setting.authority.root.certificatePath, "-w", "%{http_code}"]
                + ["https://127.0.0.1:\(weir.port)/nowhere"])
        #expect(curl.output.contains("route_not_found") && curl.output.hasSuffix("404"))
        #expect(try setting.subject(weir.port) == "server")

        try setting.install("renewed")
        try eventually("the renewed certificate", within: .seconds(60), every: .milliseconds(100)) {
            try setting.subject(weir.port) == "renewed"
        }
        try setting.folder.write("nonsense", to: "tls.pem")
        try weir.process.waitForOutput(
            containing:
                "weir.yaml:1:53: listen.tls.certificate: 'tls.pem' with the key 'tls.key' cannot be used",
            within: .seconds(60))
        #expect(try setting.subject(weir.port) == "renewed")
        #expect(try weir.stop() == .code(0))
        #expect(!weir.process.errorOutput.contains("PRIVATE KEY"))
    }

    @Test("weir check reports unusable certificate files, and shows that TLS is used")
    func check() throws {
        let setting = try Setting()
        let good = try CommandLine.run("check", setting.folder.path("weir.yaml"))
        #expect(good.code == 0 && good.output.contains("listen on 127.0.0.1:1 (TLS), the admin paths on"))
        let other = try setting.authority.issue("other")
        let file = try setting.folder.write(Self.text("tls.pem", key: other.keyPath), to: "other.yaml")
        let bad = try CommandLine.run("check", file)
        #expect(bad.code == 1)
        #expect(bad.errorOutput.contains("other.yaml:1:53: listen.tls.certificate: 'tls.pem' with the key"))
        #expect(bad.errorOutput.contains("cannot be used: ") && bad.errorOutput.contains("do not match"))
    }

    @Test("weir healthcheck probes the admin address, and reports that it is missing")
    func healthcheck() throws {
        let setting = try Setting()
        let admin = try ScriptedUpstream(answering: .ok())
        let file = setting.folder.path("weir.yaml")
        let environment = ["WEIR_ADMIN_LISTEN": "\(admin.endpoint)"]
        #expect(try CommandLine.run("healthcheck", "--config", file, environment: environment).code == 0)
        let alone = try setting.folder.write(
            "listen: { address: 127.0.0.1:1, tls: { certificate: tls.pem, key: tls.key } }\n",
            to: "alone.yaml")
        let outcome = try CommandLine.run("healthcheck", "--config", alone)
        #expect(outcome.code == 1 && outcome.errorOutput.contains("which uses TLS; set admin.listen"))
    }
}
