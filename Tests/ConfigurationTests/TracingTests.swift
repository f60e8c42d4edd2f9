import Configuration
import Core
import Testing

@Suite("where traces are exported to")
struct TracingTests {
    @Test("an endpoint is enough; headers are secret, and a path is kept")
    func values() throws {
        #expect(try read("").tracing == nil && read("tracing:").tracing == nil)
        let plain = try #require(try read("tracing: { endpoint: 'http://127.0.0.1:4318' }").tracing)
        #expect(plain.target == "/v1/traces" && plain.sample == .tenPercent && plain.fields.isEmpty)
        let text = """
            tracing:
              endpoint: https://collector.example/otlp/
              sample: 0.5%
              headers: { Authorization: "Bearer ${KEY}", X-Scope: a b }
              ca_file: ca.pem
            """
        let full = try #require(
            try read(text, variables: ["KEY": "of-the-collector"], files: ["ca.pem": ""]).tracing)
        #expect(full.target == "/otlp/v1/traces" && full.sample.millionths == 5000 && full.caFile == "ca.pem")
        #expect(full.fields.map(\.name) == ["Authorization", "X-Scope"])
        #expect(full.fields.map(\.value.value) == ["Bearer of-the-collector", "a b"])
        #expect(!"\(full)".contains("of-the-collector"))
        let whole = try read("tracing: { endpoint: 'http://a/x/v1/traces' }").tracing
        #expect(whole?.target == "/x/v1/traces")
    }

    @Test("mistakes have their place and say what is allowed, and show no key")
    func places() {
        let text = """
            tracing:
              endpoint: http://user:secret-1@127.0.0.1:4318
              sample: 200%
              headers: { Host: a, X-Key: "secret-2\\n" }
            """
        let found = mistakes(text)
        #expect(
            found == """
                weir.yaml:2:13: tracing.endpoint: must have no user and password; credentials belong in `headers`
                weir.yaml:3:11: tracing.sample: '200%' must be a share from 0% to 100%, such as 10% or 0.5%
                weir.yaml:4:20: tracing.headers.Host: the name belongs to the connection or to the message, which Weir \
                writes itself
                weir.yaml:4:30: tracing.headers.X-Key: must be 1 to 4096 printable ASCII characters without blanks at its \
                ends (the value is not shown)
                """)
        #expect(
            mistakes("tracing: { sample: 1% }")
                == "weir.yaml:1:10: tracing: needs `endpoint`, such as http://127.0.0.1:4318")
        #expect(mistakes("tracing: { endpoint: 'grpc://a:4317' }").contains("base URL of OTLP over HTTP"))
    }

    @Test("another share goes the same way; another key or endpoint does not")
    func export() throws {
        func tracing(_ text: String) throws -> TracingConfiguration {
            try #require(try read("tracing: { \(text) }").tracing)
        }
        let one = try tracing("endpoint: 'http://a', headers: { A: b }")
        let sampled = try tracing("endpoint: 'http://a', headers: { A: b }, sample: 1%")
        let (keyed, moved) = (
            try tracing("endpoint: 'http://a', headers: { A: c }"),
            try tracing("endpoint: 'http://b', headers: { A: b }")
        )
        #expect(one.exports(like: sampled) && !one.exports(like: keyed) && !one.exports(like: moved))
    }
}
