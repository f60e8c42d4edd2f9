import TestSupport
import Testing

@Suite("weir doctor on this machine", .blocking)
struct DoctorMachineTests {
    private static let secret = "sk-live-4f9a8b7c6d5e"

    /// The lines of the table, with runs of blanks as one.
    private func lines(_ file: String, _ arguments: String..., code: Int32) throws -> [String] {
        let outcome = try CommandLine.run(["doctor", "--config", file] + arguments)
        #expect(outcome.code == code, "\(outcome.output)\(outcome.errorOutput)")
        #expect(!outcome.output.contains(Self.secret))
        return outcome.output.split(separator: "\n").map {
            $0.split(separator: " ").joined(separator: " ")
        }
    }

    private func configuration(_ folder: TemporaryDirectory, listen: String, more: String = "") throws
        -> String
    {
        try folder.write(
            "listen: \(listen)\n\(more)\nproviders: { p: { profile: generic, upstream: 'http://127.0.0.1:9', limits: [{ requests: 10, per: 1s }] } }",
            to: "weir.yaml")
    }

    @Test("a port is free, used by a running Weir, or taken by another program")
    func ports() throws {
        let folder = try TemporaryDirectory()
        let port = try FreePort.next()
        let free = try configuration(folder, listen: "127.0.0.1:\(port)")
        #expect(
            try lines(free, "--offline", code: 0).contains("ok process ports 127.0.0.1:\(port) is free"))
        let weir = try RunningWeir()
        let used = try configuration(folder, listen: weir.address)
        #expect(
            try lines(used, "--offline", code: 0)
                .contains("ok process ports a running Weir listens on \(weir.address)"))
        let other = try ScriptedUpstream(answering: .ok())
        let taken = try configuration(folder, listen: "\(other.endpoint)")
        #expect(
            try lines(taken, "--offline", code: 1)
                .contains("wrong process ports another program listens on \(other.endpoint)"))
        let path = "unix:\(folder.path("nowhere/weir.sock"))"
        #expect(
            try lines(configuration(folder, listen: path), "--offline", code: 1)
                .contains("wrong process ports \(path) cannot be used: No such file or directory"))
    }

    @Test("a file with a key that others can read is a warning, unless they cannot enter its folder")
    func files() throws {
        let folder = try TemporaryDirectory()
        let key = try folder.write(Self.secret + "\n", to: "key")
        let file = try folder.write(
            """
            listen: 127.0.0.1:0
            providers: { p: { profile: generic, upstream: 'http://127.0.0.1:9', credential: '${file:key}' } }
            """, to: "weir.yaml")
        #expect(
            try lines(file, "--offline", code: 0).contains {
                $0.hasPrefix("ok process files 2 files are readable")
            })
        #expect(try Subprocess.run("chmod", ["755", folder.path]).exit == .code(0))
        let warnings = try lines(file, "--offline", code: 0).filter { $0.hasPrefix("warning process files") }
        #expect(
            warnings == [
                "warning process files \(key) holds a secret, and all users of this machine can access it (mode 0644)"
            ])
        #expect(try Subprocess.run("chmod", ["640", key]).exit == .code(0))
        #expect(
            try lines(file, "--offline", code: 0).allSatisfy { !$0.hasPrefix("warning process files") })
    }

    @Test("the shared ledger is examined, with its version and members")
    func ledger() throws {
        let redis = try RedisServer()
        let folder = try TemporaryDirectory()
        let more = "replicas: 2\nledger: '\(redis.url())'"
        let file = try configuration(folder, listen: "127.0.0.1:0", more: more)
        let weir = try RunningWeir(["--config", file])
        try eventually("the running instance to be a member", within: .seconds(60), every: .milliseconds(50))
        {
            try redis.command("ZCARD", "weir:{p.p}:seats") == "1"
        }
        // The provider of the file is not there.
        let found = try lines(file, code: 1).filter { $0.contains(" ledger ") }
        #expect(found.count == 5)
        #expect(found.contains { $0.hasPrefix("ok ledger version Redis ") })
        #expect(found.contains("ok ledger permissions the user may do what the ledger needs"))
        #expect(found.contains("ok ledger replicas p.p: 1 of 2 instances use the ledger now"))
        #expect(try redis.command("TTL", "weir:{doctor}:s") != "-1")
        #expect(try weir.stop() == .code(0))
    }

    @Test("a probe does not join the shared ledger, and needs no token for Weir")
    func probeBesideLedger() throws {
        let redis = try RedisServer()
        let upstream = try ScriptedUpstream(answering: .ok(#"{"name":"Acme"}"#))
        let folder = try TemporaryDirectory()
        try folder.write(
            """
            name: mine
            credential: { found_in: bearer, sent_as: bearer }
            probe: { request: GET /me, account: /name }
            """, to: "mine.yaml")
        let file = try folder.write(
            """
            listen: 127.0.0.1:0
            replicas: 1
            ledger: '\(redis.url())'
            access: { token: token-of-sixteen-bytes }
            providers:
              p: { profile: ./mine.yaml, upstream: '\(upstream.url)', credential: \(Self.secret), limits: [{ requests: 10, per: 1s }] }
            """, to: "weir.yaml")
        let weir = try RunningWeir(["--config", file])
        try eventually("the running instance to be a member", within: .seconds(60), every: .milliseconds(50))
        {
            try redis.command("ZCARD", "weir:{p.p}:seats") == "1"
        }
        for _ in 1...2 {
            let found = try lines(file, code: 0)
            #expect(found.contains { $0.hasPrefix("ok p credential") && $0.contains("Acme") }, "\(found)")
            #expect(found.contains("ok ledger replicas p.p: 1 of 1 instances use the ledger now"), "\(found)")
            #expect(try redis.command("ZCARD", "weir:{p.p}:seats") == "1")
        }
        #expect(try weir.stop() == .code(0))
    }

    @Test("a ledger that refuses commands or the password, or is not there, is wrong")
    func badLedger() throws {
        let redis = try RedisServer()
        let folder = try TemporaryDirectory()
        try redis.command(
            "ACL", "SETUSER", "weir", "on", ">hunter2222", "~weir:*", "&weir:*", "+@read", "+@write", "+eval",
            "+evalsha", "+time", "+select", "+ping", "+publish", "-hset")
        func found(_ url: String) throws -> [String] {
            let more = "replicas: 2\nledger: '\(url)'"
            let lines = try lines(configuration(folder, listen: "127.0.0.1:0", more: more), code: 1)
            #expect(lines.allSatisfy { !$0.contains("hunter2222") && !$0.contains("wrong-one") })
            return lines.filter { $0.contains(" ledger ") }
        }
        let limited = try found(redis.url(credentials: "weir:hunter2222"))
        #expect(limited.contains { $0.hasPrefix("skipped ledger version") })
        let refused = try #require(limited.first { $0.hasPrefix("wrong ledger permissions") })
        for command in ["HSET", "SCRIPT LOAD", "SUBSCRIBE"] {
            #expect(refused.contains(command), "\(refused)")
        }
        #expect(!refused.contains("ZADD"))
        let stranger = try found(redis.url(credentials: "weir:wrong-one"))
        #expect(stranger.count == 1 && stranger[0].hasPrefix("wrong ledger reachable"))
        let nowhere = try found("redis+unix:///nonexistent.sock")
        #expect(nowhere.count == 1 && nowhere[0].hasPrefix("wrong ledger reachable"))
        let garbage = try ScriptedUpstream(answering: .raw("HTTP/1.0 400 Bad Request\r\n\r\n"))
        let strange = try found("redis://\(garbage.endpoint)")
        #expect(strange.count == 1 && strange[0].hasPrefix("wrong ledger reachable"))
    }

    @Test("weir run warns of placeholders and of expired certificates, but not of keys for the sandbox")
    func warnings() throws {
        let folder = try TemporaryDirectory()
        let authority = try PrivateAuthority()
        let identity = try authority.issue(isExpired: true)
        let file = try folder.write(
            """
            listen: { address: 127.0.0.1:0, tls: { certificate: \(identity.certificatePath), key: \(identity.keyPath) } }
            admin: { listen: 127.0.0.1:0 }
            providers:
              lemlist: { credential: YOUR_API_KEY }
              p: { profile: generic, upstream: 'http://127.0.0.1:9', credential: \(Self.secret) }
            """, to: "weir.yaml")
        let weir = try RunningWeir(["--config", file])
        let log = weir.process.errorOutput
        let warnings = log.split(separator: "\n").filter { $0.contains("the set-up needs attention") }
        #expect(warnings.count == 2)
        #expect(warnings.contains { $0.contains("listen.tls: server, expired") && $0.contains("renew it") })
        #expect(warnings.contains { $0.contains("placeholder") && $0.contains("lemlist") })
        #expect(!log.contains("YOUR_API_KEY") && !log.contains(Self.secret))
        #expect(try weir.stop() == .code(0))

        let plain = try folder.write("providers: { lemlist: { credential: YOUR_API_KEY } }", to: "plain.yaml")
        let sandboxed = try RunningWeir(["--config", plain, "--sandbox", "--listen", "127.0.0.1:0"])
        #expect(!sandboxed.process.errorOutput.contains("needs attention"))
        #expect(try sandboxed.stop() == .code(0))
    }
}
