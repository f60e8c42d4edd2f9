import Loop
import TestSupport
import Testing
import Upstream

@Suite("the addresses of an upstream's name")
struct AddressTests {
    /// Makes connections to an upstream, one after the other.
    private final class Connector: SocketWatcher, ReadinessHandler, CurlConnectionDelegate {
        private let loop: EventLoop
        private var multi: CurlMulti?
        private var outcome: TransferFault??

        init(_ options: UpstreamOptions) throws {
            loop = try EventLoop()
            multi = CurlMulti(options: options, watcher: self)
        }

        func watch(_ socket: Int32, readable: Bool, writable: Bool) {
            var interest: Readiness = []
            if readable { interest.insert(.readable) }
            if writable { interest.insert(.writable) }
            try? loop.watch(socket, for: interest, handler: self)
        }

        func unwatch(_ socket: Int32, isClosing: Bool) {
            if isClosing { loop.forget(socket) } else { loop.unwatch(socket) }
        }

        func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
            multi?.socket(
                descriptor, isReadable: readiness.contains(.readable),
                isWritable: readiness.contains(.writable), isBroken: readiness.isBroken)
        }

        func connection(_ connection: CurlConnection, didOpen fault: TransferFault?) {
            outcome = .some(fault)
        }

        /// Connects, and closes again; why it failed, or `nil`.
        func connect() throws -> TransferFault? {
            let multi = try #require(multi)
            outcome = .none
            let connection = multi.connect(for: self)
            let deadline = Deadline.after(.patience)
            while outcome == nil {
                try #require(!deadline.hasPassed)
                multi.run(nowMilliseconds: SystemClock.monotonicNanoseconds / 1_000_000)
                multi.reportFinished()
                if outcome == nil { loop.wait(atMost: multi.needsKick ? 0 : 5) }
            }
            connection.close()
            return outcome ?? nil
        }

        /// How many connections were counted.
        var opened: Int? { multi?.openedConnections }

        func close() { multi = nil }
    }

    private func connector(_ host: String, _ port: UInt16, first: String? = nil) throws -> Connector {
        var options = UpstreamOptions(origin: "http://\(host):\(port)", connectTimeoutMilliseconds: 10_000)
        options.firstAddresses = first.map { "\(host):\(port):\($0)" }
        return try Connector(options)
    }

    @Test("after a connection that failed, the name is looked up again")
    func afterFailure() throws {
        let upstream = try ScriptedUpstream()
        // Nobody listens there: as if the provider had moved.
        let connector = try connector("localhost", upstream.port, first: "127.0.0.2")
        defer { connector.close() }
        #expect(try connector.connect() == .connectFailed(errno: 111))
        #expect(connector.opened == 0)
        #expect(try connector.connect() == nil)
        #expect(try connector.connect() == nil)
        #expect(connector.opened == 2)
    }

    @Test("while connections can be made, it is not")
    func keptAddress() throws {
        let upstream = try ScriptedUpstream()
        let connector = try connector("moved.invalid", upstream.port, first: "127.0.0.1")
        defer { connector.close() }
        for _ in 1...3 { #expect(try connector.connect() == nil) }
        upstream.stop()
        #expect(try connector.connect() == .connectFailed(errno: 111))
        #expect(try connector.connect() == .nameNotResolved)
    }

    private static let hasIPv6 = (try? ScriptedUpstream(on: .tcp(host: "::1", port: 0))) != nil

    @Test(
        "a provider that has only one of the name's addresses is reached at once",
        arguments: ["127.0.0.1", "::1"])
    func race(host: String) throws {
        guard host == "127.0.0.1" || Self.hasIPv6 else { return }
        let upstream = try ScriptedUpstream(on: .tcp(host: host, port: 0))
        let both = try connector("both.invalid", upstream.port, first: "[::1],127.0.0.1")
        defer { both.close() }
        // libcurl itself knows both addresses of this name.
        let local = try connector("localhost", upstream.port)
        defer { local.close() }
        let start = ContinuousClock.now
        #expect(try both.connect() == nil)
        #expect(try local.connect() == nil)
        // Of the 10 s that a connection may take; the second address is tried 200 ms after the first at the latest.
        #expect(ContinuousClock.now - start < .seconds(5))
        // A socket that did not connect is no connection.
        #expect(both.opened == 1)
        #expect(local.opened == 1)
    }

    @Test("an address that does not answer holds the other one up for a moment only")
    func silentAddress() throws {
        let upstream = try ScriptedUpstream()
        // The discard prefix (RFC 6666): refused at once, or never answered.
        let connector = try connector("both.invalid", upstream.port, first: "[100::1],127.0.0.1")
        defer { connector.close() }
        let start = ContinuousClock.now
        #expect(try connector.connect() == nil)
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
