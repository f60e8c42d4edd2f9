import TestSupport
import Testing

/// A network in which there is nothing but a name server that never answers.
enum SilentNameServer {
    private static let script = """
        import fcntl, os, socket, struct, sys
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # SIOCSIFFLAGS, IFF_UP
        fcntl.ioctl(server, 0x8914, struct.pack("16sh14x", b"lo", 1))
        server.bind(("127.0.0.1", 53))
        parent = os.getpid()
        if os.fork() == 0:
            server.settimeout(0.1)
            while os.getppid() == parent:
                try:
                    server.recv(512)
                    os.write(1, b"asked\\n")
                except TimeoutError:
                    pass
            os._exit(0)
        os.execv(sys.argv[1], sys.argv[1:])
        """

    /// The arguments of unshare(1) that run a program there.
    static func arguments(_ program: [String], settings: String) -> [String] {
        let shell = "mount --bind \"$0\" /etc/resolv.conf && exec python3 -c \"$1\" \"${@:2}\""
        return ["--user", "--map-root-user", "--mount", "--net", "bash", "-c", shell, settings, script]
            + program
    }

    static let canBeRun: Bool = {
        guard let directory = try? TemporaryDirectory(),
            let settings = try? directory.write("nameserver 127.0.0.1\n", to: "resolv.conf")
        else { return false }
        return (try? Subprocess.run("unshare", arguments(["/bin/true"], settings: settings)).exit) == .code(0)
    }()
}

@Suite("names that nobody resolves", .blocking, .enabled(if: SilentNameServer.canBeRun, "needs namespaces"))
struct LookupTests {
    @Test(
        "start and shutdown do not wait for the lookup of a ledger's name, and a hanging lookup is logged",
        arguments: [1, 2])
    func ledger(workers: Int) throws {
        let directory = try TemporaryDirectory()
        let settings = try directory.write(
            "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n", to: "resolv.conf")
        let file = try directory.write(
            """
            listen: 127.0.0.1:0
            workers: \(workers)
            replicas: 2
            ledger: redis://redis.example
            limits: { drain: 1s }
            providers: { p: { profile: generic, upstream: 'https://api.example', limits: [{ requests: 10, per: 1s }] } }
            """, to: "weir.yaml")
        let process = try Subprocess(
            "unshare",
            SilentNameServer.arguments(
                [try WeirBinary.path, "run", "--config", file], settings: settings))
        try process.waitForOutput(containing: #""message":"listening""#)
        try process.waitForOutput(containing: "asked")
        try process.waitForOutput(containing: "its name was not resolved in time")
        process.send(.terminate)
        #expect(try process.waitForExit(within: .seconds(10)) == .code(0))
    }
}
