import TestSupport
import Testing

@Suite("a credential in a file", .blocking)
struct CredentialFileTests {
    /// A folder with the file `key`, and the provider's setting.
    private struct Setting {
        let folder: TemporaryDirectory
        var provider: String { "credential: '${file:\(folder.path("key"))}', quarantine: on" }

        init(_ key: String) throws {
            folder = try TemporaryDirectory()
            try folder.write(key, to: "key")
        }

        /// Replaces the file, as programs that rotate keys do.
        func replace(_ key: String) throws {
            try folder.write(key, to: "next")
            #expect(try Subprocess.run("mv", [folder.path("next"), folder.path("key")]).exit == .code(0))
        }
    }

    /// Accepts `Bearer good-…` alone.
    private static func strictUpstream() throws -> ScriptedUpstream {
        try ScriptedUpstream { exchange in
            let isGood = exchange.request.fields["Authorization"]?.hasPrefix("Bearer good-") == true
            try exchange.respond(isGood ? .ok() : .status(401))
        }
    }

    @Test("a changed file is used for the next request, on each worker", arguments: [1, 2])
    func nextRequest(workers: Int) throws {
        let setting = try Setting("good-first-key\n")
        let upstream = try Self.strictUpstream()
        try withProxy(to: upstream, provider: setting.provider, workers: workers) { proxy throws in
            let kept = try (1...4).map { _ in try proxy.client() }
            for client in kept { #expect(try client.exchange("GET", "/p/x").status == 200) }
            for round in 1...3 {
                try setting.replace("good-key-\(round)")
                for client in kept { #expect(try client.exchange("GET", "/p/x").status == 200) }
                let keys = upstream.requests.suffix(4).map { $0.fields["Authorization"] }
                #expect(keys.allSatisfy { $0 == "Bearer good-key-\(round)" }, "\(keys)")
            }
            // In place, with the same length and perhaps within one tick of the file system's clock.
            try setting.folder.write("good-key-4", to: "key")
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
            #expect(upstream.requests.last?.fields["Authorization"] == "Bearer good-key-4")
        }
    }

    @Test("a changed credential leaves quarantine at once, and begins a state of its own")
    func quarantine() throws {
        let setting = try Setting("wrong-key-1234")
        let upstream = try Self.strictUpstream()
        try withProxy(to: upstream, provider: setting.provider) { proxy throws in
            for _ in 1...3 { #expect(try proxy.exchange("GET", "/p/x").code == "unauthenticated") }
            #expect(try proxy.exchange("GET", "/p/x").code == "credentials_quarantined")
            #expect(try proxy.exchange("GET", "/-/credentials").text.contains(#""state":"quarantined""#))
            try setting.replace("good-key-1234")
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
            #expect(try proxy.exchange("GET", "/-/credentials").text.contains(#""state":"accepted""#))
            #expect(try proxy.metric(#"weir_credentials_quarantined{provider="p"}"#) == 0)
            #expect(upstream.requestCount == 4)
            #expect(!proxy.log.text.contains("good-key") && proxy.log.text.contains("credential changed"))
        }
    }

    @Test(
        "a file that is gone, empty or holds no key keeps the former one",
        arguments: ["", "two words", "\u{7}"])
    func invalid(content: String) throws {
        let setting = try Setting("good-key-1234")
        let upstream = try Self.strictUpstream()
        try withProxy(to: upstream, provider: setting.provider) { proxy throws in
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
            try setting.replace(content)
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
            #expect(try Subprocess.run("rm", [setting.folder.path("key")]).exit == .code(0))
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
            try setting.folder.write("good-key-5678", to: "key")
            #expect(try proxy.exchange("GET", "/p/x").status == 200)
            #expect(upstream.requests.last?.fields["Authorization"] == "Bearer good-key-5678")
        }
    }

    @Test("a request that waits keeps the credential with which it began; what was sent still counts")
    func waiting() throws {
        let setting = try Setting("good-key-1234")
        let upstream = try ScriptedUpstream()
        let limits = "limits: [{ requests: 1, per: 1s, by: provider }], max_wait: 60s"
        try withProxy(to: upstream, provider: "\(setting.provider), \(limits)") { proxy throws in
            let (first, second, third) = try (proxy.client(), proxy.client(), proxy.client())
            try first.request("GET", "/p/1")
            let sent = try upstream.expectRequest()
            try second.request("GET", "/p/2")
            try eventually("a request to wait") { try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 1 }
            try setting.replace("good-key-5678")
            try third.request("GET", "/p/3")
            try eventually("both to wait") { try proxy.metric(#"weir_queue_depth{provider="p"}"#) == 2 }
            try sent.respond(.ok())
            for (target, key) in [("/2", "1234"), ("/3", "5678")] {
                let exchange = try upstream.expectRequest(within: .seconds(20))
                #expect(exchange.request.target == target)
                #expect(exchange.request.fields["Authorization"] == "Bearer good-key-\(key)")
                try exchange.respond(.ok())
            }
            for client in [first, second, third] { #expect(try client.readResponse().status == 200) }
        }
    }
}
