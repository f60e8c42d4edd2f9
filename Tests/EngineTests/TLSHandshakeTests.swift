import Engine
import TestSupport
import Testing

@Suite("handshakes at a port that speaks TLS", .blocking)
struct TLSHandshakeTests {
    private func withPort(minimum: String = "1.2", _ body: (TLSFixture, UInt16) throws -> Void) throws {
        let tls = try TLSFixture()
        let upstream = try ScriptedUpstream(answering: .ok())
        try tls.withProxy(to: upstream, minimum: minimum) { _, port, _ throws in try body(tls, port) }
    }

    @Test("HTTP/1.1 is agreed on, whatever else a client offers")
    func protocols() throws {
        try withPort { tls, port throws in
            let outcome = try tls.handshake(port, "-alpn", "h2,http/1.1")
            #expect(outcome.output.contains("ALPN protocol: http/1.1"))
            #expect(outcome.output.contains("Verify return code: 0"))
        }
    }

    @Test(
        "a client takes up its session, so that the handshake is short, in both versions", arguments: [1, 2])
    func resumption(workers: Int) throws {
        let tls = try TLSFixture()
        let upstream = try ScriptedUpstream(answering: .ok())
        let folder = try TemporaryDirectory()
        try tls.withProxy(to: upstream, workers: workers) { _, port, _ throws in
            let request = "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            for version in ["-tls1_2", "-tls1_3"] {
                let session = folder.path("session")
                let first = try tls.handshake(port, version, "-ign_eof", "-sess_out", session, input: request)
                #expect(first.output.contains("\nNew, TLS") && first.output.contains("HTTP/1.1 200"))
                for _ in 0..<4 {
                    let again = try tls.handshake(
                        port, version, "-ign_eof", "-sess_in", session, input: request)
                    #expect(again.output.contains("\nReused, TLS") && again.output.contains("HTTP/1.1 200"))
                }
            }
        }
    }

    @Test("TLS 1.2 is spoken unless 1.3 is the minimum, 1.1 never; no cipher without forward secrecy")
    func versions() throws {
        // The seclevel lets this client try what it would not by itself.
        let old = "DEFAULT@SECLEVEL=0"
        try withPort { tls, port throws in
            #expect(try tls.handshake(port, "-tls1_3").exit == .code(0))
            #expect(try tls.handshake(port, "-tls1_2").exit == .code(0))
            #expect(try tls.handshake(port, "-tls1_1", "-cipher", old).exit == .code(1))
            #expect(try tls.handshake(port, "-tls1_2", "-cipher", "AES128-SHA").exit == .code(1))
            #expect(try tls.handshake(port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA").exit == .code(1))
        }
        try withPort(minimum: "1.3") { tls, port throws in
            #expect(try tls.handshake(port, "-tls1_3").exit == .code(0))
            #expect(try tls.handshake(port, "-tls1_2").exit == .code(1))
        }
    }

    @Test("a client that speaks no TLS there is closed, gets no answer, and harms nobody")
    func plain() throws {
        let tls = try TLSFixture()
        let upstream = try ScriptedUpstream(answering: .ok())
        try tls.withProxy(to: upstream) { proxy, port, relay throws in
            let encrypted = try proxy.client(on: relay.port)
            #expect(try encrypted.exchange("GET", "/a").status == 200)
            for text in ["GET / HTTP/1.1\r\nHost: h\r\n\r\n", "\u{16}\u{3}\u{1}\u{7F}garbage", "\r\n\r\n"] {
                let client = try proxy.client(on: port)
                try client.send(text)
                try? client.shutdownWrite()
                let bytes = (try? client.readBytes(atMost: 1000)) ?? []
                #expect(!bytes.starts(with: Array("HTTP".utf8)))
            }
            let silent = try proxy.client(on: port)
            #expect(try encrypted.exchange("GET", "/b").status == 200)
            silent.close()
            encrypted.close()
            #expect(upstream.requestCount == 2)
        }
    }

    @Test("another certificate is shown from the next handshake on; connections that stand go on")
    func renewal() throws {
        let tls = try TLSFixture()
        let upstream = try ScriptedUpstream(answering: .ok())
        let other = try tls.authority.issue("renewed")
        try tls.withProxy(to: upstream, workers: 2) { proxy, port, relay throws in
            #expect(try tls.subject(port) == "server")
            let client = try proxy.client(on: relay.port)
            #expect(try client.exchange("GET", "/a").status == 200)
            let change = try proxy.reload(
                yaml: reloadable(tls.provider(upstream, identity: other, minimum: "1.3"), workers: 2))
            #expect(change.needsRestart == [] && change.changed == ["p"])
            try eventually("both workers to show the new certificate") {
                try (0..<6).allSatisfy { _ in
                    try tls.subject(port) == "renewed"
                }
            }
            #expect(try tls.handshake(port, "-tls1_2").exit == .code(1))
            #expect(try client.exchange("GET", "/b").status == 200)
            client.close()
        }
    }

    @Test("whether TLS is spoken changes with a restart only")
    func onAndOff() throws {
        let tls = try TLSFixture()
        let upstream = try ScriptedUpstream(answering: .ok())
        try tls.withProxy(to: upstream) { proxy, port, _ throws in
            let plain = "p: { profile: generic, upstream: '\(upstream.url)', listen: 127.0.0.1:0 }"
            #expect(try proxy.reload(yaml: reloadable(plain)).needsRestart == ["providers.p.listen.tls"])
            #expect(try tls.subject(port) == "server")
        }
    }
}
