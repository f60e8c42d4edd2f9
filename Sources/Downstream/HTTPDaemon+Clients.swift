internal import CMicroHTTPD
internal import Glibc
internal import Loop
internal import Wire

/// The clients' connections: how they begin and end, where the library does not see to it.
extension HTTPDaemon {
    /// The client on `socket`, if it is one of this daemon's.
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
            client.isOpen = false
            if !isStopping, client.hasJustBeenAnswered { linger(behind: client) }
        }
        loop.forget(socket)
        if socket >= 0, Int(socket) < clients.count, clients[Int(socket)] != nil {
            clients[Int(socket)]?.endHead()
            clients[Int(socket)] = nil
            connections -= 1
        }
        delegate?.daemon(self, closes: socket)
    }

    /// The library has closed the connection of `client`, and given its memory back.
    func noteClosed(_ client: ClientConnection) {
        client.hasMemory = false
        closed.append(client)
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
            for client in clients where client.isOpen {
                client.haveLookedAt()
                isAnyLeft = true
            }
            if isAnyLeft { runLibrary() }
        }
    }

    /// `client` will send no more: when its requests have been answered, its connection ends.
    ///
    /// > Where the end of a connection comes with its last bytes, 0.9.75 misses it; not with TLS, where it reads until there is
    /// nothing.
    func noteEnded(_ client: ClientConnection) {
        if !client.isEncrypted { ended.append(client) }
    }

    func endAnswered() {
        ended.removeAll { client in
            guard client.isOpen else { return true }
            if client.isLeaving { return true }
            // What is left to be read may complete a request.
            guard client.isDue, !client.hasUnread else { return false }
            client.cutOff()
            return true
        }
    }

    /// `client` has sent what is no HTTP.
    func noteRefused(_ client: ClientConnection) { refused.append(client) }

    /// The library has read a head that the scanner has not passed; the connection ends.
    func noteUnscannedHead() {
        delegate?.daemon(self, logs: "a request was read past the scanner, and refused: see CMicroHTTPD")
    }

    /// The library has sent the head of an answer past the hook, without its fields; the connection ends.
    func noteUnhookedHead(of client: ClientConnection?) {
        delegate?.daemon(self, logs: "an answer was sent without its fields, past the hook: see CMicroHTTPD")
        client?.cutOff()
    }

    /// `client` has been given its last answer.
    func noteLeaving(_ client: ClientConnection) {
        leaving.append(client)
        // This may be outside of a run, whose end would tell when to look at it.
        delegate?.daemonIsReady(self)
    }

    /// Answers what is no HTTP, once the requests before it are over: libmicrohttpd writes nothing then.
    func answerRefused() {
        let clients = refused
        refused.removeAll(keepingCapacity: true)
        for client in clients where client.isOpen && !client.isLeaving {
            guard let fault = client.scanner.fault, client.isDue else {
                refused.append(client)
                continue
            }
            if let answer = delegate?.daemon(self, refuses: fault, of: client.request) {
                client.leave(answer)
            }
        }
    }

    /// Lets those connections sleep whose handshake waits for the client.
    ///
    /// > 0.9.75 calls gnutls_handshake() again in each run, and asks for runs without a pause, until the handshake is over.
    func suspendHandshakes() {
        for client in handshaking { client.suspendHandshake() }
        handshaking.removeAll(keepingCapacity: true)
    }

    /// Closes connections whose head does not come to its end: one byte now and then keeps the library from finding them idle.
    func endSlowHeads() {
        let now = Self.milliseconds
        guard now >= headsSeenAt + Self.headPause else { return }
        headsSeenAt = now
        for client in clients {
            if let client, client.headSince > 0, client.headSince + limits.idleSeconds * 1000 <= now {
                client.endWithoutAnswer()
            }
        }
    }

    /// Asks all requests without an answer for one; ``run()`` must follow.
    ///
    /// A request whose head is not complete has none to give.
    public func requestLastAnswers() {
        for client in clients {
            if let request = client?.request, request.hasHead, !request.isAnswered {
                request.connectionsClose()
            }
        }
    }

    /// Whether clients have been given a last answer that they may not have read.
    public var hasLeavingClients: Bool { !leaving.isEmpty || openLingering > 0 }

    func attendLeaving() {
        let now = Self.milliseconds
        leaving.removeAll { client in
            guard client.isOpen else { return true }
            client.attendFarewell()
            if let end = client.farewell?.input.endsAt, end <= now { client.endFarewell() }
            return client.isGone
        }
    }
}

/// Whether a daemon should go on taking clients.
public enum Acceptance: Hashable, Sendable {
    /// It should, when its listening socket is readable.
    case goesOn
    /// It has as many as it may: not before one of them has gone.
    case isFull
    /// The system has no descriptor or memory left, or hardly any: not before some time has passed. `number` is its `errno`.
    case isExhausted(number: Int32)
}

extension HTTPDaemon {
    /// How many clients are taken at a time: those that are here are served between.
    private static let burst = 16
    /// What an address of any family needs (`sockaddr_storage`), in bytes.
    private static let addressSize = 128

    /// Takes clients that wait to connect; ``run()`` must follow.
    ///
    /// Those that are not taken keep waiting, in the system's backlog.
    public func accept() -> Acceptance {
        guard let handle = unsafe handle, listenDescriptor >= 0 else { return .goesOn }
        enterThread()
        if wasExhausted {
            // The lowest free number is given: it tells whether there is room again, and costs nobody a place.
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
                    // The client has gone already, or its network has; accept(2) has the list.
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
