import TestSupport
import Testing
import Upstream

@Suite("how a stream of HTTP/2 ends", .blocking)
struct HTTP2EndTests {
    /// What the provider does in place of the rest of its response.
    enum End: String, CaseIterable {
        case noError, protocolError, internalError, refused, cancel, enhanceYourCalm, http11Required
        case goAwayBelow, goAwayBelowWithError, goAwayWithError
        case closed, reset, truncated, violation

        /// Sends `frames`, and the end in the same TLS record where it is one of HTTP/2.
        func send(on connection: HTTP2Connection, stream: UInt32, after frames: [HTTP2Frame] = []) throws {
            switch self {
            case .noError: try connection.send(frames + [.reset(stream, code: 0)])
            case .protocolError: try connection.send(frames + [.reset(stream, code: 1)])
            case .internalError: try connection.send(frames + [.reset(stream, code: 2)])
            case .refused: try connection.send(frames + [.reset(stream, code: 7)])
            case .cancel: try connection.send(frames + [.reset(stream, code: 8)])
            case .enhanceYourCalm: try connection.send(frames + [.reset(stream, code: 11)])
            case .http11Required: try connection.send(frames + [.reset(stream, code: 13)])
            case .goAwayBelow: try connection.send(frames + [.goAway(lastStream: stream - 2, code: 0)])
            case .goAwayBelowWithError:
                try connection.send(frames + [.goAway(lastStream: stream - 2, code: 2)])
            case .goAwayWithError:
                try connection.send(frames + [.goAway(lastStream: stream, code: 2)])
                connection.close()
            case .violation: try connection.send(frames + [.forbidden()])
            case .closed:
                try connection.send(frames)
                connection.close()
            case .reset:
                try connection.send(frames)
                connection.reset()
            case .truncated:
                try connection.send(frames)
                connection.truncate()
            }
        }

        /// RFC 9113 8.7.
        var isNotProcessed: Bool {
            switch self {
            case .refused, .goAwayBelow, .goAwayBelowWithError: true
            default: false
            }
        }
    }

    private func provider(_ peer: HTTP2Peer, _ rest: String = "limits: []") -> String {
        let tls = peer.authority.trust
        return "providers: { p: { profile: generic, upstream: '\(peer.url)', \(tls), http: auto, \(rest) } }"
    }

    private func send(_ method: String, _ client: RawClient) throws {
        try client.request(method, "/p/x", body: method == "POST" ? "{}" : "")
    }

    /// A stream that is not the first one of its connection, so that GOAWAY can name one below it.
    private func request(
        _ method: String, _ proxy: ProxyFixture, _ connection: HTTP2Connection
    ) throws -> (RawClient, HTTP2Connection.Request) {
        let client = try proxy.client()
        try send(method, client)
        let request = try connection.expectRequest()
        try connection.expectEnd(of: request)
        return (client, request)
    }

    /// Opens the connection with an exchange of its own.
    private func open(_ proxy: ProxyFixture, _ peer: HTTP2Peer) throws -> HTTP2Connection {
        let client = try proxy.client()
        try send("GET", client)
        let connection = try peer.accept()
        let request = try connection.expectRequest()
        try connection.send(.head(request.stream, status: 204, ends: true))
        #expect(try client.readResponse().status == 204)
        return connection
    }

    @Test(
        "a stream that ends before its response is lost: repeated safely only if the provider says that it was not processed",
        arguments: End.allCases, ["GET", "POST", "DELETE", "PATCH"])
    func beforeHead(end: End, method: String) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request(method, proxy, connection)
            try end.send(on: connection, stream: request.stream)
            let response = try client.readResponse()
            #expect(response.status == 502)
            #expect(response.code == (end == .violation ? "provider_bad_response" : "connection_lost"))
            #expect(response.problem["effect"] == (end.isNotProcessed ? "none" : "unknown"))
            #expect(response.problem["attempts"] == "1")
            let isSafe = end.isNotProcessed || method == "GET" || method == "DELETE"
            #expect(response.problem["retryable"] == (isSafe && end != .violation ? "true" : "false"))
        }
    }

    @Test(
        "a stream that ends within its response is a broken response", arguments: End.allCases, [true, false])
    func withinBody(end: End, hasLength: Bool) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("GET", proxy, connection)
            try connection.send(
                .head(request.stream, status: 200, fields: hasLength ? [("content-length", "10")] : []),
                .data(request.stream, "12345"))
            let head = try client.readHead()
            #expect(head.status == 200)
            try end.send(on: connection, stream: request.stream)
            let rest = try client.readToEnd()
            #expect(rest.contains("12345") && !rest.contains("0\r\n\r\n"))
        }
    }

    @Test(
        "a stream whose response breaks off in one piece with its head is never a complete response",
        arguments: End.allCases, [true, false])
    func withHead(end: End, hasLength: Bool) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("POST", proxy, connection)
            try end.send(
                on: connection, stream: request.stream,
                after: [
                    .head(request.stream, status: 200, fields: hasLength ? [("content-length", "10")] : []),
                    .data(request.stream, "12345"),
                ])
            let head = try client.readHead()
            let rest = try client.readToEnd(orProblem: head.status == 502)
            if head.status == 502 {
                #expect(rest.contains(#""effect":"unknown""#))
            } else {
                #expect(head.status == 200)
                #expect(!rest.contains("0\r\n\r\n"))
            }
        }
    }

    @Test(
        "a response that is complete before its stream or connection ends is complete",
        arguments: End.allCases, [true, false])
    func afterEnd(end: End, isOnePiece: Bool) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("POST", proxy, connection)
            let frames: [HTTP2Frame] = [
                .head(request.stream, status: 200), .data(request.stream, "12345"),
                .data(request.stream, "67890", ends: true),
            ]
            if isOnePiece {
                try end.send(on: connection, stream: request.stream, after: frames)
            } else {
                try connection.send(frames)
                try end.send(on: connection, stream: request.stream)
            }
            let response = try client.readResponse()
            #expect(response.status == 200)
            #expect(response.isComplete)
            #expect(response.text == "1234567890")
        }
    }

    @Test(
        "a complete response to an upload that is not over is the response, whatever reset follows it",
        arguments: [0, 2, 5, 8], [200, 413])
    func earlyResponse(code: UInt32, status: Int) throws {
        let peer = try HTTP2Peer()
        for (hasLength, isOnePiece) in [(true, true), (true, false), (false, true), (false, false)] {
            try withProxy(provider(peer)) { proxy in
                let client = try proxy.client()
                try client.request("POST", "/p/x", body: String(repeating: "b", count: 5000))
                let connection = try peer.accept(window: 100)
                let request = try connection.expectRequest()
                try connection.expectBody(of: request)
                let frames: [HTTP2Frame] = [
                    .head(request.stream, status: status, fields: hasLength ? [("content-length", "9")] : []),
                    .data(request.stream, "too large", ends: true),
                ]
                if isOnePiece {
                    try connection.send(frames + [.reset(request.stream, code: code)])
                } else {
                    try connection.send(frames)
                    try connection.send(.reset(request.stream, code: code))
                }
                let response = try client.readResponse()
                #expect(response.status == status)
                #expect(response.isComplete)
                if status == 200 {
                    #expect(response.text == "too large")
                } else {
                    #expect(response.code == "payload_too_large")
                    #expect(response.problem["detail"] == "too large")
                }
            }
        }
    }

    /// A response without END_STREAM of which all has come, by what its head says.
    enum Whole: CaseIterable {
        case length, noLength, padded, head, noContent, notModified, error

        var method: String {
            self == .head ? "HEAD" : self == .notModified || self == .noContent ? "GET" : "POST"
        }

        func frames(_ stream: UInt32) -> [HTTP2Frame] {
            switch self {
            case .length:
                [
                    .head(stream, status: 200, fields: [("content-length", "10")]), .data(stream, "12345"),
                    .data(stream, "67890"),
                ]
            case .noLength: [.head(stream, status: 200, fields: [("content-length", "0")])]
            case .padded:
                [
                    .head(stream, status: 103),
                    .head(stream, status: 201, fields: [("content-length", "0000000010")]),
                    .data(stream, "1234567890"), .data(stream, ""),
                ]
            case .head: [.head(stream, status: 200, fields: [("content-length", "10")])]
            case .noContent: [.head(stream, status: 204)]
            case .notModified: [.head(stream, status: 304, fields: [("content-length", "10")])]
            case .error:
                [
                    .head(stream, status: 409, fields: [("content-length", "16")]),
                    .data(stream, "The name is used"),
                ]
            }
        }

        var status: Int {
            switch self {
            case .length, .noLength, .head: 200
            case .padded: 201
            case .noContent: 204
            case .notModified: 304
            case .error: 409
            }
        }
    }

    @Test(
        "a response that is complete by its length stands, whatever resets its stream",
        arguments: Whole.allCases, [0, 1, 2, 7, 8])
    func wholeByLength(whole: Whole, code: UInt32) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            for isOnePiece in [true, false] {
                let (client, request) = try request(whole.method, proxy, connection)
                if isOnePiece {
                    try connection.send(whole.frames(request.stream) + [.reset(request.stream, code: code)])
                } else {
                    try connection.send(whole.frames(request.stream))
                    try connection.send(.reset(request.stream, code: code))
                }
                var response = try client.readResponse(toHead: whole == .head)
                while response.status < 200 { response = try client.readResponse() }
                #expect(response.status == whole.status)
                #expect(response.isComplete)
                switch whole {
                case .length, .padded: #expect(response.text == "1234567890")
                case .error: #expect(response.problem["detail"] == "The name is used")
                default: #expect(response.text.isEmpty)
                }
            }
        }
    }

    @Test(
        "a response of which less has come than its length says is broken, however its stream is reset",
        arguments: ["10", "4", "99999999999", "x", "", "-5"], [0, 8])
    func notWholeByLength(length: String, code: UInt32) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("POST", proxy, connection)
            try connection.send(
                .head(request.stream, status: 200, fields: [("content-length", length)]),
                .data(request.stream, "12345"), .reset(request.stream, code: code))
            let head = try client.readHead()
            let rest = try client.readToEnd(orProblem: head.status == 502)
            if head.status == 502 {
                #expect(rest.contains(#""effect":"unknown""#))
            } else {
                #expect(!rest.contains("0\r\n\r\n"))
            }
        }
    }

    @Test(
        "an early response that is complete by its length is the response, whatever reset follows it",
        arguments: [0, 2, 8], [200, 413])
    func earlyByLength(code: UInt32, status: Int) throws {
        let peer = try HTTP2Peer()
        for isOnePiece in [true, false] {
            try withProxy(provider(peer)) { proxy in
                let client = try proxy.client()
                try client.request("POST", "/p/x", body: String(repeating: "b", count: 5000))
                let connection = try peer.accept(window: 100)
                let request = try connection.expectRequest()
                try connection.expectBody(of: request)
                let frames: [HTTP2Frame] = [
                    .head(request.stream, status: status, fields: [("content-length", "9")]),
                    .data(request.stream, "too large"),
                ]
                if isOnePiece {
                    try connection.send(frames + [.reset(request.stream, code: code)])
                } else {
                    try connection.send(frames)
                    try connection.send(.reset(request.stream, code: code))
                }
                let response = try client.readResponse()
                #expect(response.status == status)
                #expect(response.isComplete)
                #expect(response.text.contains("too large"))
            }
        }
    }

    @Test(
        "an early response to a long upload arrives while the client still sends", arguments: [200, 413])
    func earlyResponseToLongUpload(status: Int) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let client = try proxy.client()
            try client.send(
                "POST /p/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
            let connection = try peer.accept()
            let request = try connection.expectRequest()
            try connection.expectBody(of: request)
            try connection.send(
                .head(request.stream, status: status), .data(request.stream, "enough", ends: true),
                .reset(request.stream, code: 0))
            let response = try client.readResponse()
            #expect(response.status == status)
            #expect(response.isComplete)
        }
    }

    @Test(
        "a request that was not processed may have been counted: it keeps its slot", arguments: [false, true])
    func slot(isGoAway: Bool) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, "limits: [{ requests: 2, per: 1h }], max_wait: 0s")) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("POST", proxy, connection)
            try (isGoAway ? End.goAwayBelow : .refused).send(on: connection, stream: request.stream)
            #expect(try client.readResponse().problem["effect"] == "none")
            #expect(try proxy.exchange("GET", "/p/x").code == "throttled")
        }
    }

    @Test(
        "a request that was not processed is sent again on another connection, if retries are configured",
        arguments: [End.refused, .goAwayBelow, .goAwayBelowWithError], ["GET", "POST"])
    func retry(end: End, method: String) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, "limits: [], retries: { max: 1, base: 1ms }")) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request(method, proxy, connection)
            try end.send(on: connection, stream: request.stream)
            let second = try peer.accept()
            let again = try second.expectRequest()
            try second.expectEnd(of: again)
            try second.send(.head(again.stream, status: 200), .data(again.stream, "ok", ends: true))
            let response = try client.readResponse()
            #expect(response.status == 200)
            #expect(response.text == "ok")
        }
    }

    @Test(
        "a request whose effect is unknown is not sent again",
        arguments: End.allCases.filter { !$0.isNotProcessed })
    func noRetry(end: End) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, "limits: [], retries: { max: 1, base: 1ms }")) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("POST", proxy, connection)
            try end.send(on: connection, stream: request.stream)
            #expect(try client.readResponse().problem["attempts"] == "1")
        }
    }

    @Test("a reset stream leaves the others of its connection alone")
    func others() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let (first, firstRequest) = try request("GET", proxy, connection)
            let (second, secondRequest) = try request("POST", proxy, connection)
            let (third, thirdRequest) = try request("GET", proxy, connection)
            try connection.send(
                .reset(secondRequest.stream, code: 2), .goAway(lastStream: secondRequest.stream, code: 0),
                .head(firstRequest.stream, status: 200), .data(firstRequest.stream, "first", ends: true))
            #expect(try second.readResponse().problem["effect"] == "unknown")
            #expect(try third.readResponse().problem["effect"] == "none")
            #expect(try first.readResponse().text == "first")
            #expect(thirdRequest.stream > secondRequest.stream)
        }
    }

    @Test("an interim response shows that a request was processed, even if its stream is refused later")
    func refusedAfterInterim() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("POST", proxy, connection)
            try connection.send(.head(request.stream, status: 102))
            #expect(try client.readHead().status == 102)
            try connection.send(.reset(request.stream, code: 7))
            let response = try client.readResponse()
            #expect(response.code == "connection_lost")
            #expect(response.problem["effect"] == "unknown")
        }
    }

    @Test("the detail names the code with which a stream was reset")
    func detail() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("POST", proxy, connection)
            try connection.send(.reset(request.stream, code: 11))
            #expect(
                try client.readResponse().problem["detail"]
                    == "The provider reset the stream before it answered: ENHANCE_YOUR_CALM.")
        }
    }

    @Test("a provider that requires HTTP/1.1 for a request gets the next ones by it")
    func http11Required() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, "limits: [], timeouts: { connect: 20s }")) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("POST", proxy, connection)
            try connection.send(.reset(request.stream, code: 13))
            #expect(try client.readResponse().code == "connection_lost")
            try send("GET", client)
            #expect(try peer.acceptHandshake(protocols: ["h2", "http/1.1"]) == "http/1.1")
            #expect(try client.readResponse().status == 502)
        }
    }

    @Test("PING is answered while a response is awaited")
    func ping() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let (client, request) = try request("GET", proxy, connection)
            try connection.send(.ping())
            try connection.expectPong()
            try connection.send(.head(request.stream, status: 204, ends: true))
            #expect(try client.readResponse().status == 204)
        }
    }

    /// Waits until an idle connection has been read, and checks that the next request uses it.
    private func expectReuse(_ method: String, of connection: HTTP2Connection, _ proxy: ProxyFixture) throws {
        let (client, request) = try request(method, proxy, connection)
        try connection.send(.head(request.stream, status: 204, ends: true))
        #expect(try client.readResponse().status == 204)
    }

    /// Whether libcurl answers PING at once on an idle connection.
    ///
    /// > 8.14 sends the answer with the next request.
    private static let answersIdlePing = CurlLibrary.version.hasPrefix("7.")

    @Test("PING is answered on an idle connection, which is used again", arguments: [1, 3])
    func idlePing(count: Int) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            for method in ["GET", "POST"] {
                for frames in [[HTTP2Frame]](repeating: [.ping()], count: count) + [[.ping(), .ping()]] {
                    try connection.send(frames)
                    if Self.answersIdlePing {
                        for _ in frames { try connection.expectPong() }
                    } else {
                        try proxy.settle()
                    }
                }
                try expectReuse(method, of: connection, proxy)
                if !Self.answersIdlePing { for _ in 1...count + 2 { try connection.expectPong() } }
            }
            #expect(try proxy.metric(#"weir_upstream_connections_opened_total{provider="p"}"#) == 1)
        }
    }

    @Test("SETTINGS and WINDOW_UPDATE on an idle connection do not end it")
    func idleFrames() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            try connection.send(.settings(streams: 50, window: 1000), .windowUpdate(0, by: 100))
            try proxy.settle()
            try expectReuse("POST", of: connection, proxy)
        }
    }

    @Test("several idle connections that receive PING stay usable")
    func severalIdle() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let clients = try (0..<3).map { _ in try proxy.client() }
            var connections: [HTTP2Connection] = []
            var requests: [HTTP2Connection.Request] = []
            for client in clients {
                try send("GET", client)
                // It has room for one request.
                let connection = try peer.accept(streams: 1)
                requests.append(try connection.expectRequest())
                connections.append(connection)
            }
            for (index, connection) in connections.enumerated() {
                try connection.send(.head(requests[index].stream, status: 204, ends: true))
                #expect(try clients[index].readResponse().status == 204)
            }
            for connection in connections {
                try connection.send(.ping())
                try proxy.settle()
            }
            // libcurl reads the connections up to the first one that it can use; that one stays.
            try expectReuse("POST", of: connections[0], proxy)
        }
    }

    @Test("a provider that does not stop sending on an idle connection keeps Weir from nothing else")
    func idleFlood() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let pings = [HTTP2Frame](repeating: .ping(), count: 900)
            var isOpen = true
            for _ in 1...100 where isOpen {
                do { try connection.send(pings, within: .seconds(1)) } catch { isOpen = false }
                #expect(try proxy.exchange("GET", "/livez").status == 200)
            }
            connection.close()
            try proxy.settle()
            let client = try proxy.client()
            try send("POST", client)
            let next = try peer.accept()
            let request = try next.expectRequest()
            try next.expectEnd(of: request)
            try next.send(.head(request.stream, status: 204, ends: true))
            #expect(try client.readResponse().status == 204)
        }
    }

    /// What a provider sends on an idle connection that it gives up.
    enum IdleEnd: CaseIterable {
        case goAway, goAwayWithError, goAwayAndEnd, pingAndEnd, end, forbidden

        func send(on connection: HTTP2Connection) throws {
            switch self {
            case .goAway: try connection.send(.goAway(lastStream: 1, code: 0))
            case .goAwayWithError: try connection.send(.goAway(lastStream: 0, code: 11))
            case .goAwayAndEnd:
                try connection.send(.goAway(lastStream: 1, code: 0))
                connection.close()
            case .pingAndEnd:
                try connection.send(.ping())
                connection.close()
            case .end: connection.close()
            case .forbidden: try connection.send(.forbidden())
            }
        }
    }

    @Test(
        "a request is not sent on an idle connection that its provider has given up, but once on another one",
        arguments: IdleEnd.allCases, ["GET", "POST"])
    func idleEnd(end: IdleEnd, method: String) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            try end.send(on: connection)
            try proxy.settle()
            let client = try proxy.client()
            try send(method, client)
            let next = try peer.accept()
            let request = try next.expectRequest()
            try next.expectEnd(of: request)
            try next.send(.head(request.stream, status: 204, ends: true))
            let response = try client.readResponse()
            #expect(response.status == 204)
        }
    }

    @Test("the connection of a provider that sends GOAWAY while it is idle is closed at once")
    func idleGoAway() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            try connection.send(.goAway(lastStream: 1, code: 0))
            try connection.expectClosed()
        }
    }

    @Test("HEAD, 204 and 304 need no end of the stream behind their head", arguments: ["HEAD", "204", "304"])
    func noBody(kind: String) throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer)) { proxy in
            let connection = try open(proxy, peer)
            let client = try proxy.client()
            try client.send("\(kind == "HEAD" ? "HEAD" : "GET") /p/x HTTP/1.1\r\nHost: h\r\n\r\n")
            let request = try connection.expectRequest()
            try connection.send(.head(request.stream, status: Int(kind) ?? 200))
            let response = try client.readResponse(toHead: kind == "HEAD")
            #expect(response.status == Int(kind) ?? 200)
            #expect(response.isComplete)
        }
    }

    @Test("connections to a provider that does not answer are made, and time out, at the same time")
    func silentProvider() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, "limits: [], timeouts: { connect: 1s }")) { proxy in
            let clients = try (0..<6).map { _ in try proxy.client() }
            let start = ContinuousClock.now
            for client in clients { try send("POST", client) }
            let connections = try (0..<6).map { _ in try peer.acceptSilently() }
            for client in clients {
                let response = try client.readResponse()
                #expect(response.code == "provider_timeout")
                #expect(response.problem["effect"] == "none")
                #expect(response.problem["retryable"] == "true")
            }
            // One after the other, it would be 6 s.
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(connections.count == 6)
        }
    }

    @Test("requests that wait for connections share the first one that is open")
    func sharing() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, "limits: [], timeouts: { connect: 20s }")) { proxy in
            let clients = try (0..<6).map { _ in try proxy.client() }
            for client in clients { try send("GET", client) }
            let silent = try (0..<5).map { _ in try peer.acceptSilently() }
            let connection = try peer.accept()
            for _ in clients {
                let request = try connection.expectRequest()
                try connection.send(.head(request.stream, status: 204, ends: true))
            }
            for client in clients { #expect(try client.readResponse().status == 204) }
            #expect(silent.count == 5)
            #expect(try proxy.metric(#"weir_upstream_connections_opened_total{provider="p"}"#) == 1)
        }
    }

    @Test("no request is sent on a connection that is still being made, if the open ones are full")
    func fullConnection() throws {
        let peer = try HTTP2Peer()
        try withProxy(provider(peer, "limits: [], timeouts: { connect: 20s }")) { proxy in
            let clients = try (0..<4).map { _ in try proxy.client() }
            try send("GET", clients[0])
            let first = try peer.accept(streams: 1)
            let request = try first.expectRequest()
            try first.send(.ping())
            try first.expectPong()
            for client in clients.dropFirst() { try send("GET", client) }
            // Each of the others makes a connection of its own; the first one that is open takes them all.
            let silent = try (0..<2).map { _ in try peer.acceptSilently() }
            let second = try peer.accept()
            for _ in 1..<4 {
                let request = try second.expectRequest()
                try second.send(.head(request.stream, status: 204, ends: true))
            }
            for client in clients.dropFirst() { #expect(try client.readResponse().status == 204) }
            try first.send(.head(request.stream, status: 204, ends: true))
            #expect(try clients[0].readResponse().status == 204)
            #expect(silent.count == 2)
        }
    }
}

extension RawClient {
    /// All that comes before the connection ends, or, of a problem, before its last brace.
    fileprivate func readToEnd(orProblem isProblem: Bool = false) throws -> String {
        var text = ""
        while !isProblem || !text.hasSuffix("}") {
            do {
                let bytes = try readBytes(atMost: 65_536)
                if bytes.isEmpty { break }
                text += String(decoding: bytes, as: UTF8.self)
            } catch PeerError.reset {
                break
            }
        }
        return text
    }
}
