internal import CMicroHTTPD
internal import Glibc
internal import Loop
internal import Wire

/// The beginning and end of clients' connections, as far as the library does not handle them.
extension HTTPDaemon {
    /// The client on `socket`, if it belongs to this daemon.
    func client(on socket: Int32) -> ClientConnection? {
        socket >= 0 && Int(socket) < clients.count ? clients[Int(socket)] : nil
    }

    func begin(_ socket: Int32, _ connection: OpaquePointer, session: OpaquePointer?) {
        guard socket >= 0 else { return }
        while clients.count <= Int(socket) { clients.append(nil) }
        let session = unsafe session.flatMap { session in
            identity.map { unsafe TLSSession(session, identity: $0) }
        }
        let client = unsafe ClientConnection(
            connection, socket: socket, session: session, limits: limits.request, daemon: self)
        clients[Int(socket)] = client
        connections += 1
        watch(client)
    }

    func end(_ socket: Int32) {
        if let client = client(on: socket) {
            client.handle(.closes(run: runs))
        }
        loop.forget(socket)
        if socket >= 0, Int(socket) < clients.count, clients[Int(socket)] != nil {
            clients[Int(socket)] = nil
            connections -= 1
        }
        delegate?.daemon(self, closes: socket)
    }

    /// Has the library end those connections that it has closed.
    ///
    /// > 0.9.75 ends a connection when it looks at it and finds it closed. One that it closes because a callback says so, in the middle of
    /// a body, it does not look at again before something happens on the socket; and nothing does where it was suspended before.
    func endClosed() {
        while !closed.isEmpty {
            let clients = closed
            closed.removeAll(keepingCapacity: true)
            var isAnyLeft = false
            for client in clients where client.machine.isOpen {
                client.haveLookedAt()
                isAnyLeft = true
            }
            if isAnyLeft { runLibrary() }
        }
    }

    /// Ends connections whose clients send no more, once their requests have been answered.
    func endAnswered() {
        ended.removeAll { client in
            guard client.machine.stage == .serving else { return true }
            // What is left to be read may complete a request.
            guard client.machine.isDue, !client.hasUnread else { return false }
            client.handle(.inputExhausted)
            return true
        }
    }

    /// The library has read a head that the scanner has not passed; the connection ends.
    func noteUnscannedHead() {
        delegate?.daemon(self, logs: "a request was read past the scanner, and refused: see CMicroHTTPD")
    }

    /// The library has sent the head of a response without the hook, and therefore without its fields; the connection
    /// ends.
    func noteUnhookedHead(of client: ClientConnection?) {
        delegate?.daemon(self, logs: "an answer was sent without its fields, past the hook: see CMicroHTTPD")
        client?.cutOff()
    }

    /// Answers what is no HTTP, once the requests before it are over: libmicrohttpd writes nothing then.
    func answerRefused() {
        let clients = refused
        refused.removeAll(keepingCapacity: true)
        for client in clients where client.machine.stage == .serving {
            guard client.machine.mayRefuse, let fault = client.machine.scanner.fault else {
                refused.append(client)
                continue
            }
            if let answer = delegate?.daemon(self, refuses: fault, of: client.request) {
                client.leave(answer)
            }
        }
    }

    /// Suspends connections whose handshake waits for the client.
    ///
    /// > 0.9.75 calls gnutls_handshake() again in each run, and asks for runs without a pause, until the handshake is over.
    func suspendHandshakes() {
        for client in handshaking where client.machine.stage == .handshake {
            client.handle(.handshakeWaits(hasNews: client.hasNews))
        }
        handshaking.removeAll(keepingCapacity: true)
    }

    /// Closes connections with a head that never completes: single bytes keep the library from considering them idle.
    func endSlowHeads() {
        let now = Self.milliseconds
        guard now >= headsSeenAt + Self.headPause else { return }
        headsSeenAt = now
        for client in clients {
            if let client, client.machine.isHeadTimed, client.headSince + limits.idleSeconds * 1000 <= now {
                client.handle(.headTimedOut)
            }
        }
    }

    /// Asks all unanswered requests for a response; ``run()`` must follow.
    ///
    /// A request with an incomplete head has none.
    public func requestLastAnswers() {
        for client in clients {
            if let request = client?.request, request.hasHead, !request.isAnswered {
                request.connectionsClose()
            }
        }
    }

    /// Ends the connections that are kept, and whose clients have not received the whole last response; ``run()`` must
    /// follow if there are any.
    ///
    /// Closed like others, they would be reset if their client sends more, and the rest of the response would be lost.
    ///
    /// - Returns: whether there are any.
    public func endKeptConnections() -> Bool {
        loop.confinement.check()
        var isAny = false
        for client in clients {
            if let client, client.machine.stage == .serving, client.endKept() { isAny = true }
        }
        return isAny
    }

    /// Whether clients have been given a final response that they may not have read yet.
    public var hasLeavingClients: Bool { !leaving.isEmpty || openLingering > 0 }

    func attendLeaving() {
        leaving.removeAll { client in
            if client.machine.stage == .leaving { client.attendClosing() }
            return client.machine.stage != .leaving
        }
    }
}

/// Whether a daemon should continue to accept clients.
public enum Acceptance: Hashable, Sendable {
    /// Yes, when its listening socket is readable.
    case goesOn
    /// No, it has the maximum number of clients: continue after one has disconnected.
    case isFull
    /// No, descriptors or memory are exhausted, or nearly: continue after some time. `number` is the `errno`.
    case isExhausted(number: Int32)
}

extension HTTPDaemon {
    /// How many clients are accepted at a time, so that others are served in between.
    private static let burst = 16
    /// The size of an address of any family (`sockaddr_storage`).
    private static let addressSize = 128

    /// Accepts waiting clients; ``run()`` must follow.
    ///
    /// The others stay in the system's backlog.
    public func accept() -> Acceptance {
        guard let handle = unsafe handle, listenDescriptor >= 0 else { return .goesOn }
        loop.confinement.check()
        enterThread()
        if wasExhausted {
            // The lowest free descriptor number shows whether there are enough again, and costs nothing.
            let probe = fcntl(listenDescriptor, F_DUPFD_CLOEXEC, 0)
            guard probe >= 0 else { return .isExhausted(number: errno) }
            close(probe)
            guard probe < limits.descriptors else { return .isExhausted(number: EMFILE) }
        }
        let acceptance = unsafe takeSome(by: handle)
        if case .isExhausted = acceptance { wasExhausted = true } else { wasExhausted = false }
        return acceptance
    }

    private func takeSome(by library: OpaquePointer) -> Acceptance {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.addressSize, alignment: 8) { address in
            for _ in 0..<Self.burst {
                guard connections < limits.connections else { return .isFull }
                var length = UInt32(Self.addressSize)
                let client = unsafe cmhd_accept(listenDescriptor, address.baseAddress, &length)
                if client < 0 {
                    switch errno {
                    case EAGAIN: return .goesOn
                    // The client or its network has gone already; accept(2) has the list.
                    case EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTDOWN, ENONET, EHOSTUNREACH,
                        ENETUNREACH,
                        ENOPROTOOPT, ETIMEDOUT:
                        continue
                    case let number: return .isExhausted(number: number)
                    }
                }
                guard unsafe cmhd_add(library, client, address.baseAddress, length) != 0 else {
                    return .isExhausted(number: errno)
                }
                if client >= limits.descriptors { return .isExhausted(number: EMFILE) }
            }
            return .goesOn
        }
    }
}
