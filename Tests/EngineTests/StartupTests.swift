import TestSupport
import Testing

@Suite("the start", .blocking)
struct StartupTests {
    @Test("a port in use is one clear line and exit code 69", arguments: [1, 2], [1, 2])
    func portInUse(first: Int, second: Int) throws {
        let upstream = try ScriptedUpstream()
        let weir = try WeirProcess(to: upstream, workers: first)
        let outcome = try Subprocess.run(
            try WeirBinary.path, ["run", "--listen", "127.0.0.1:\(weir.port)", "--workers", "\(second)"])
        #expect(outcome.exit == .code(69))
        let expected = "weir: cannot listen on 127.0.0.1:\(weir.port): Address already in use\n"
        #expect(outcome.errorOutput == expected)
        #expect(outcome.output == "")
        #expect(try weir.client().exchange("GET", "/livez").status == 200)
    }

    @Test("port 0 is a port that the system chose, the same for all workers")
    func anyPort() throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(to: upstream, workers: 4) { proxy in
            #expect(proxy.port != 0)
            for _ in 1...16 { try proxy.exchange("GET", "/p/a") }
            // Another worker may still be counting the last one while this one is asked.
            let answered = "weir_requests_total{provider=\"p\",method=\"get\",status_class=\"2xx\"}"
            try eventually("all to be counted") { try proxy.metric(answered) == 16 }
        }
    }

    @Test(
        "a Unix domain socket serves as well as a port, and takes the place of a dead one", arguments: [1, 2])
    func unixSocket(workers: Int) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let directory = try TemporaryDirectory()
        let path = directory.path("weir.sock")
        let file = try directory.write(
            """
            listen: unix:\(path)
            workers: \(workers)
            providers: { p: { profile: generic, upstream: '\(upstream.url)', credential: k } }

            """, to: "weir.yaml")
        for _ in 1...2 {
            let process = try Subprocess(try WeirBinary.path, ["run", "--config", file])
            try process.waitForOutput(containing: "listening")
            // Its Host is any name: no web page reaches such a socket.
            let client = try RawClient(to: .unix(path: path), observing: expectValidProblem)
            #expect(try client.exchange("GET", "/p/a", fields: [("Host", "any.example")]).status == 200)
            #expect(try client.exchange("GET", "/q").status == 404)
            let second = try Subprocess.run(try WeirBinary.path, ["run", "--config", file])
            #expect(second.exit == .code(69))
            #expect(second.errorOutput == "weir: cannot listen on unix:\(path): Address already in use\n")
            process.send(.kill)
            #expect(try process.waitForExit() == .signal(9))
        }
    }
}
