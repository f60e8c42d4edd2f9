import TestSupport
import Testing

@Suite("private addresses", .blocking)
struct TLSPrivateAddressTests {
    /// This machine's name, if it has one that leads to itself.
    private static let ownName: String? = {
        guard let name = try? Subprocess.run("hostname").output.split(separator: "\n").first,
            name != "localhost",
            let found = try? Subprocess.run("getent", ["ahosts", String(name)]).output, !found.isEmpty
        else { return nil }
        let isLoopback = found.split(separator: "\n").allSatisfy {
            $0.hasPrefix("127.") || $0.hasPrefix("::1")
        }
        return isLoopback ? String(name) : nil
    }()

    @Test("a name that leads to one is refused unless that is allowed", .enabled(if: ownName != nil))
    func names() throws {
        let name = try #require(Self.ownName)
        let upstream = try ScriptedUpstream(on: .tcp(host: "0.0.0.0", port: 0), answering: .ok())
        let url = "http://\(name):\(upstream.port)"
        try withProxy("providers: { p: { profile: generic, upstream: '\(url)' } }") { proxy in
            let response = try proxy.exchange("GET", "/p/a")
            #expect(response.status == 502)
            #expect(response.code == "provider_unreachable")
            #expect(response.problem["effect"] == "none")
            #expect(response.fields["Proxy-Status"]?.contains("destination_ip_prohibited") == true)
            #expect(upstream.connectionCount == 0)
        }
        let allowed = "{ profile: generic, upstream: '\(url)', allow_private: true }"
        try withProxy("providers: { p: \(allowed) }", upstreams: [upstream]) { proxy in
            let response = try proxy.exchange("GET", "/p/a")
            #expect(response.status == 200)
        }
    }

    @Test(
        "an address, or localhost, says by itself that a private one is meant",
        arguments: ["127.0.0.1", "localhost"])
    func meant(host: String) throws {
        let upstream = try ScriptedUpstream(answering: .ok())
        let provider = "providers: { p: { profile: generic, upstream: 'http://\(host):\(upstream.port)' } }"
        try withProxy(provider, upstreams: [upstream]) { proxy in
            let response = try proxy.exchange("GET", "/p/a")
            #expect(response.status == 200)
        }
    }
}
