import Configuration
import Core
import Testing

@Suite("listen with TLS")
struct ListenTLSTests {
    private static let files = ["tls.pem": "CERT", "tls.key": "KEY", "both.pem": "CERT and KEY"]

    /// Reads a file whose certificates are good if they begin with CERT, and their keys if they have KEY in them.
    private func read(
        _ text: String, flags: [ConfigurationOverrides.Setting: String] = [:]
    ) throws(ConfigurationMistakes) -> ProxyConfiguration {
        try ConfigurationReader.read(
            text: text, file: "weir.yaml",
            surroundings: Surroundings(
                variable: { _ in nil }, file: { Self.files[$0] },
                identityMistake: { certificate, key in
                    certificate.hasPrefix("CERT") && key.contains("KEY") ? nil : "they do not match"
                }),
            profiles: knownProfiles, overrides: ConfigurationOverrides(flags: flags))
    }

    private func mistakes(_ text: String) -> [String] {
        do throws(ConfigurationMistakes) {
            _ = try read(text)
            return []
        } catch {
            return error.all.map { "\($0.line):\($0.column): \($0.key): \($0.reason)" }
        }
    }

    @Test("an address alone means plain HTTP; a mapping has an address, and optionally TLS")
    func forms() throws {
        #expect(try read("listen: 127.0.0.1:1").listenTLS == nil)
        let plain = try read("listen: { address: 127.0.0.1:1 }")
        #expect(plain.listen.description == "127.0.0.1:1" && plain.listenTLS == nil)
        let files = "certificate: tls.pem, key: tls.key"
        let text = """
            listen: { address: '[::1]:1', tls: { \(files), min_version: '1.3' } }
            providers:
              p: { upstream: 'http://127.0.0.1:9', listen: { address: 127.0.0.1:2, tls: { certificate: both.pem } } }
            """
        let configuration = try read(text)
        #expect(configuration.listen.description == "[::1]:1")
        #expect(
            configuration.listenTLS
                == ListenerTLS(certificate: Secret("CERT"), key: Secret("KEY"), minimumVersion: .tls13))
        let provider = try #require(configuration.providers.first)
        #expect(provider.listen?.description == "127.0.0.1:2" && provider.mount == nil)
        #expect(provider.listenTLS?.key.value == "CERT and KEY")
        #expect(provider.listenTLS?.minimumVersion == .tls12)
        #expect(!"\(configuration)".contains("KEY"))
    }

    @Test("a flag changes the address and keeps TLS")
    func override() throws {
        let text = "listen: { address: 127.0.0.1:1, tls: { certificate: both.pem } }"
        let configuration = try read(text, flags: [.listen: "127.0.0.1:7"])
        #expect(configuration.listen.description == "127.0.0.1:7" && configuration.listenTLS != nil)
    }

    @Test("TLS mistakes have positions, and none of them leaves a port without TLS")
    func places() {
        #expect(
            mistakes("listen: { tls: { certificate: both.pem } }")
                == ["1:9: listen: needs `address`, such as 127.0.0.1:8443"])
        #expect(
            mistakes("listen: { address: 127.0.0.1:1, tls: }")
                == ["1:38: listen.tls: needs `certificate`, a PEM file"])
        #expect(
            mistakes("listen: { address: 127.0.0.1:1, tls: on }").first?.hasPrefix(
                "1:38: listen.tls: must be a mapping") == true)
        #expect(
            mistakes("listen: { address: 127.0.0.1:1, tls: { certificate: no.pem, key: no.key } }") == [
                "1:53: listen.tls.certificate: 'no.pem' must be a readable file",
                "1:66: listen.tls.key: 'no.key' must be a readable file",
            ])
        #expect(
            mistakes("listen: { address: 127.0.0.1:1, tls: { certificate: tls.pem } }")
                == ["1:53: listen.tls.certificate: 'tls.pem' cannot be used: they do not match"])
        #expect(
            mistakes("listen: { address: 127.0.0.1:1, tls: { certificate: tls.key, key: tls.pem } }") == [
                "1:53: listen.tls.certificate: 'tls.key' with the key 'tls.pem' cannot be used: they do not match"
            ])
        let version = "certificate: both.pem, min_version: 1.1"
        #expect(
            mistakes("listen: { address: 127.0.0.1:1, tls: { \(version) } }")
                == ["1:76: listen.tls.min_version: '1.1' is not one of: 1.2, 1.3"])
        #expect(mistakes("admin: { listen: { address: 127.0.0.1:1 } }").count == 1)
        #expect(
            mistakes("listen: { address: 127.0.0.1:1, port: 2 }")
                == ["1:33: listen.port: unknown key; allowed: address, mode, tls"])
    }

    @Test("a reload adopts another certificate; switching TLS on or off needs a restart")
    func reload() throws {
        func listen(_ tls: String) -> String { "listen: { address: 127.0.0.1:1\(tls) }" }
        let started = try read(listen(", tls: { certificate: both.pem }"))
        var renewed = try read(listen(", tls: { certificate: tls.pem, key: tls.key }"))
        #expect(renewed.keepWhatNeedsRestart(started: started, running: started).isEmpty)
        #expect(renewed.listenTLS?.key.value == "KEY")
        var plain = try read(listen(""))
        #expect(plain.keepWhatNeedsRestart(started: started, running: renewed) == ["listen.tls"])
        #expect(plain.listenTLS == renewed.listenTLS)
    }
}
