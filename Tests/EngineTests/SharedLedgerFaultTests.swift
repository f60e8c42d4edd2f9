import TestSupport
import Testing

@Suite("a ledger in Redis that fails", .blocking)
struct SharedLedgerFaultTests {
    private func expectAllAnswered(_ clients: [RawClient], _ fleet: Fleet) throws {
        for client in clients { #expect(try client.readResponse(within: .seconds(90)).status == 200) }
        #expect(fleet.provider.refusals == 0)
    }

    @Test(
        "a crash of Redis: each keeps to its share, and comes back when Redis does, which has forgotten all")
    func crash() throws {
        try Fleet.run(of: 2, requests: 10, per: .milliseconds(500)) { fleet in
            try fleet.waitUntilShared()
            let first = try fleet.send(10)
            pauseThread(for: .milliseconds(700))
            try fleet.redis.kill()
            try eventually("the fallback to be seen", within: .seconds(30)) {
                try fleet.members.allSatisfy { try $0.metric("weir_ledger_up") == 0 }
            }
            try expectAllAnswered(first, fleet)
            // By the share: five in each half second, when what others had before is over.
            try expectAllAnswered(try fleet.send(6), fleet)
            for member in fleet.members {
                #expect(try member.metric("weir_ledger_fallbacks_total") >= 1)
                #expect(member.log.text.contains("uses its own share"))
            }
            let second = try fleet.send(10)
            let redis = try fleet.redis.startAgain()
            try fleet.waitUntilShared(redis)
            try expectAllAnswered(second, fleet)
            try expectAllAnswered(try fleet.send(10), fleet)
            for member in fleet.members { #expect(member.log.text.contains("available again")) }
        }
    }

    @Test("a Redis that stops in the middle: nothing hangs, nothing is exceeded when it goes on")
    func pause() throws {
        try Fleet.run(of: 2, requests: 10, per: .milliseconds(500)) { fleet in
            try fleet.waitUntilShared()
            let clients = try fleet.send(20)
            pauseThread(for: .milliseconds(300))
            fleet.redis.send(.stop)
            defer { fleet.redis.send(.resume) }
            try eventually("the fallback to be seen", within: .seconds(30)) {
                try fleet.members.allSatisfy { try $0.metric("weir_ledger_up") == 0 }
            }
            pauseThread(for: .seconds(7))
            fleet.redis.send(.resume)
            try fleet.waitUntilShared()
            try expectAllAnswered(clients, fleet)
            try expectAllAnswered(try fleet.send(10), fleet)
        }
    }

    @Test("a Redis that takes its time")
    func slow() throws {
        try Fleet.run(of: 2, requests: 10, per: .milliseconds(500)) { fleet in
            try fleet.waitUntilShared()
            let clients = try fleet.send(15)
            for _ in 0..<4 {
                try fleet.redis.command("CLIENT", "PAUSE", "200")
                pauseThread(for: .milliseconds(250))
            }
            try expectAllAnswered(clients, fleet)
        }
    }

    @Test(
        "an instance that loses its connections alone uses no more than its share, the others no more than the rest"
    )
    func cutOff() throws {
        try Fleet.run(of: 2, requests: 10, per: .milliseconds(500)) { fleet in
            try fleet.waitUntilShared()
            let clients = try fleet.send(30)
            for _ in 0..<10 {
                let list = try fleet.redis.command("CLIENT", "LIST", "TYPE", "pubsub")
                guard let id = list.split(separator: "\n").first?.split(separator: " ").first?.dropFirst(3)
                else {
                    continue
                }
                try fleet.redis.command("CLIENT", "KILL", "ID", String(id))
                pauseThread(for: .milliseconds(150))
            }
            try expectAllAnswered(clients, fleet)
        }
    }

    @Test("all that Redis knew is deleted: nothing is exceeded")
    func flush() throws {
        try Fleet.run(of: 2, requests: 10, per: .milliseconds(500)) { fleet in
            try fleet.waitUntilShared()
            let clients = try fleet.send(20)
            pauseThread(for: .milliseconds(300))
            try fleet.redis.command("FLUSHALL")
            try expectAllAnswered(clients, fleet)
        }
    }

    @Test(
        "an instance that is killed gives back what it held, after its lease, and may be started again; nothing is exceeded"
    )
    func killed() throws {
        try Fleet.run(of: 1, requests: 10, per: .milliseconds(500), replicas: 2) { fleet in
            try fleet.waitUntilShared()
            let limits = "limits: [{ requests: 10, per: 500ms, by: credential }]"
            func start() throws -> WeirProcess {
                try WeirProcess(
                    to: fleet.provider.upstream,
                    provider: "max_wait: 60s, timeouts: { connect: 1s, response: 3s }, \(limits)",
                    profile: "lemlist",
                    settings: "replicas: 2\nledger: '\(fleet.redis.url())'")
            }
            let other = try start()
            try eventually("both to have a seat", within: .seconds(30), every: .milliseconds(20)) {
                try fleet.redis.command("ZCARD", "weir:{p.p}:seats") == "2"
            }
            let victims = try (0..<20).map { _ in
                let client = try RawClient(port: other.port)
                try client.request("GET", "/p/things", fields: [("Authorization", "Basic OnNlY3JldC1rZXk=")])
                return client
            }
            let clients = try fleet.send(40)
            pauseThread(for: .milliseconds(600))
            other.process.send(.kill)
            try expectAllAnswered(clients, fleet)
            for victim in victims { victim.close() }
            try eventually(
                "nothing of the dead one to be left", within: .seconds(60), every: .milliseconds(100)
            ) {
                _ = try fleet.send(1).map { try $0.readResponse(within: .seconds(60)) }
                let held = try fleet.redis.command("KEYS", "*:held")
                return try held.isEmpty || fleet.redis.command("HLEN", held) == "0"
            }
            let again = try start()
            try eventually("both to have a seat again", within: .seconds(30), every: .milliseconds(20)) {
                try fleet.redis.command("ZCARD", "weir:{p.p}:seats") == "2"
            }
            let others = try (0..<20).map { _ in
                let client = try RawClient(port: again.port)
                try client.request("GET", "/p/things", fields: [("Authorization", "Basic OnNlY3JldC1rZXk=")])
                return client
            }
            try expectAllAnswered(try fleet.send(20) + others, fleet)
            #expect(fleet.provider.refusals == 0)
        }
    }

    @Test(
        "a password that is wrong, or asked for, is told, and is in no log", arguments: ["", ":wrong-secret"])
    func password(credentials: String) throws {
        let redis = try RedisServer(["--requirepass", "right-secret"])
        let upstream = try ScriptedUpstream(answering: .ok())
        let limits = "limits: [{ requests: 10, per: 500ms, by: provider }]"
        try withProxy(
            to: upstream, provider: limits,
            settings: "replicas: 2\nledger: '\(redis.url(credentials: credentials))'"
        ) { proxy in
            try eventually("the log to tell", within: .seconds(30)) {
                proxy.log.text.contains("uses its own share")
            }
            #expect(!proxy.log.text.contains("wrong-secret"))
            // Its share, when what a predecessor may have sent is over.
            #expect(try proxy.exchange("GET", "/p/a", within: .seconds(60)).status == 200)
            #expect(try proxy.metric("weir_ledger_up") == 0)
            let page = try proxy.exchange("GET", "/-/limits").text
            #expect(page.contains(#""ledger":"fallback""#))
            #expect(try proxy.exchange("GET", "/readyz").status == 200)
        }
    }

    @Test("a server that repeats the password in its refusal does not put it into the log")
    func repeatedPassword() throws {
        let redis = try RedisServer(["--rename-command", "AUTH", ""])
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(
            to: upstream, provider: "limits: [{ requests: 10, per: 500ms, by: provider }]",
            settings: "replicas: 2\nledger: '\(redis.url(credentials: ":wrong-secret"))'"
        ) { proxy in
            try eventually("the log to report the loss", within: .seconds(30)) {
                proxy.log.text.contains("uses its own share")
            }
            #expect(!proxy.log.text.contains("wrong-secret"))
        }
    }

    @Test("a name leads to the server, on the one of its addresses that is served")
    func hostName() throws {
        let port = try FreePort.next()
        let redis = try RedisServer(
            ["--port", "\(port)", "--bind", "127.0.0.1", "--requirepass", "right-secret"])
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(
            to: upstream, provider: "limits: [{ requests: 10, per: 500ms, by: provider }]",
            settings: "replicas: 1\nledger: 'redis://:right-secret@localhost:\(port)/2'"
        ) { proxy in
            try eventually("the ledger to be in use", within: .seconds(60)) {
                try proxy.metric("weir_ledger_up") == 1
            }
            #expect(try proxy.exchange("GET", "/p/a").status == 200)
            #expect(
                try redis.command("-n", "2", "KEYS", "*", password: "right-secret").contains("weir:{p.p}"))
        }
    }

    @Test("a user and a password are given")
    func user() throws {
        let redis = try RedisServer(["--requirepass", "right-secret"])
        try redis.command(
            "ACL", "SETUSER", "weir", "on", ">pass:w@rd", "~weir:*", "&weir:*", "+@all",
            password: "right-secret")
        let upstream = try ScriptedUpstream(answering: .ok())
        try withProxy(
            to: upstream, provider: "limits: [{ requests: 10, per: 500ms, by: provider }]",
            settings: "replicas: 1\nledger: '\(redis.url(credentials: "weir:pass%3Aw%40rd"))?db=3'"
        ) { proxy in
            try eventually("the ledger to be in use", within: .seconds(30)) {
                try proxy.metric("weir_ledger_up") == 1
            }
            #expect(try proxy.exchange("GET", "/p/a").status == 200)
            #expect(try proxy.exchange("GET", "/-/limits").text.contains(#""ledger":"shared""#))
        }
    }
}
