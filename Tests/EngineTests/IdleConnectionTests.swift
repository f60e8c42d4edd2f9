import Synchronization
import TestSupport
import Testing

@Suite("a connection that is idle", .blocking)
struct IdleConnectionTests {
    static let count = 400

    @Test("it costs less than 8 KiB, and answers as before")
    func memory() throws {
        let upstream = try ScriptedUpstream { exchange in try exchange.respond(.ok()) }
        let weir = try WeirProcess(to: upstream)
        func exchange(_ client: RawClient) throws {
            #expect(try client.exchange("POST", "/p/x?y", body: "{}").status == 200)
        }
        for _ in 0..<5 { try exchange(RawClient(port: weir.port)) }
        let before = try weir.residentBytes
        let clients = try (0..<Self.count).map { _ in try RawClient(port: weir.port) }
        for client in clients { try exchange(client) }
        if !Sanitizer.isOn {
            try eventually("the memory to be given back") {
                try weir.residentBytes - before < Self.count * 8 << 10
            }
        }
        // A head that comes in two parts, the first of which the connection keeps while it waits.
        for client in clients { try client.send("POST /p/x HTTP/1.1\r\nHost: h\r\nConte") }
        pauseThread(for: .milliseconds(2500))
        for client in clients { try client.send("nt-Length: 2\r\n\r\n{}") }
        for client in clients { #expect(try client.readResponse().status == 200) }
        for client in clients { try exchange(client) }
    }

    @Test("a request that waits for its turn on it costs little more, and is sent as it came")
    func waiting() throws {
        let mayEnd = Atomic(false)
        let upstream = try ScriptedUpstream { exchange in
            if exchange.request.target == "/hold" {
                try eventually("the end", within: .seconds(120)) { mayEnd.load(ordering: .relaxed) }
            }
            try exchange.respond(.ok())
        }
        let weir = try WeirProcess(
            to: upstream, provider: "max_wait: 5m, timeouts: { response: 3m }, limits: [{ concurrent: 1 }]")
        for _ in 0..<5 { #expect(try weir.client().exchange("GET", "/p/first").status == 200) }
        let before = try weir.residentBytes
        let first = try weir.client()
        try first.request("GET", "/p/hold")
        try eventually("the only slot to be taken") { upstream.requests.last?.target == "/hold" }
        // A request that is refused at once takes most of the memory that there is for a head, just before one that waits.
        let refused = [("Prefer", "wait=0"), ("X-Large", String(repeating: "l", count: 6000))]
        let clients = try (0..<Self.count).map { _ in try weir.client() }
        for (number, client) in clients.enumerated() {
            #expect(try client.exchange("GET", "/p/refused", fields: refused).status == 429)
            try client.request(
                "POST", "/p/\(number)?q", fields: [("X-Number", "n\(number)")], body: "b\(number)")
        }
        if !Sanitizer.isOn {
            // A debug build keeps 15 KiB, and would keep 21.
            pauseThread(for: .seconds(1))
            try eventually("the memory to be given back", within: .seconds(20)) {
                try weir.residentBytes - before < Self.count * 18 << 10
            }
        }
        mayEnd.store(true, ordering: .relaxed)
        #expect(try first.readResponse(within: .seconds(30)).status == 200)
        for client in clients { #expect(try client.readResponse(within: .seconds(30)).status == 200) }
        let sent = upstream.requests.filter { $0.method == "POST" }
        #expect(Set(sent.map(\.target)) == Set((0..<Self.count).map { "/\($0)?q" }))
        for request in sent {
            let number = request.target.dropFirst().dropLast(2)
            #expect(request.fields.values(of: "X-Number") == ["n\(number)"])
            #expect(request.text == "b\(number)")
        }
    }
}
