internal import CMicroHTTPD
internal import Glibc
public import Loop

/// Which clients are ready: the loop watches each socket once, and libmicrohttpd asks here instead of using its own
/// epoll.
///
/// > 0.9.75 adds a client's socket to its epoll for all that may happen, edge-triggered; takes it out when the connection is suspended;
/// resumed, it tries to read and to write in any case, and adds the socket again when neither goes on. What happens in between is kept
/// here until then, so a suspension needs no system call.
extension HTTPDaemon: ReadinessHandler {
    /// An event of a client's socket.
    public func descriptor(_ descriptor: Int32, isReady readiness: Readiness) {
        guard let client = client(on: descriptor) else { return }
        let isEnd = client.note(readiness)
        if client.isLeaving {
            client.farewell?.isDue = true
            delegate?.daemonIsReady(self)
            return
        }
        client.resumeHandshake()
        list(client)
        delegate?.daemonIsReady(self)
        guard isEnd else { return }
        noteEnded(client)
        guard client.request == nil else {
            delegate?.daemon(self, clientEnds: descriptor, isBroken: readiness.isBroken)
            return
        }
        if readiness.isBroken { endedBefore.append((client, true)) }
    }

    /// A request has begun whose client ended its sending side before it was read.
    func noteBegun(afterEndOf client: ClientConnection) { endedBefore.append((client, false)) }

    /// Reports clients that ended their side before their request was read.
    func tellEndsBefore() {
        for (client, isBroken) in endedBefore where client.isOpen && client.request?.isAnswered == false {
            delegate?.daemon(self, clientEnds: client.socket, isBroken: isBroken)
        }
        endedBefore.removeAll(keepingCapacity: true)
    }

    /// Watches the socket of a newly connected client.
    func watch(_ client: ClientConnection) {
        do {
            try loop.watch(client.socket, for: .anyChange, handler: self)
            client.isWatched = true
        } catch {
            // The kernel's limit on watches is reached. The library gets the error, and closes the connection.
            delegate?.daemon(self, logs: "a client's socket cannot be watched: \(error)")
        }
    }

    func list(_ client: ClientConnection) {
        guard client.isMember, client.hasNews, !client.isListed else { return }
        client.isListed = true
        ready.append(client)
    }

    /// The library wants to watch `socket` under a tag, or no longer.
    ///
    /// - Returns: 0, or the `errno` of a failure.
    func change(_ socket: Int32, isMember: Bool, tag: UInt64) -> Int32 {
        guard let client = client(on: socket) else { return isMember ? EBADF : 0 }
        guard client.isWatched || !isMember else { return ENOSPC }
        (client.isMember, client.tag) = (isMember, tag)
        list(client)
        return 0
    }

    /// The next client with an event for the library: its tag and events.
    func nextReady() -> (tag: UInt64, events: UInt32)? {
        if ready.isEmpty { return nil }
        while nextInReady < ready.count {
            let client = ready[nextInReady]
            nextInReady += 1
            client.isListed = false
            if client.isOpen, client.isMember, client.hasNews { return (client.tag, client.takeNews()) }
        }
        ready.removeAll(keepingCapacity: true)
        nextInReady = 0
        return nil
    }

    /// The library's epoll, which only the library uses.
    var epollDescriptor: Int32 { unsafe handle.map { unsafe cmhd_epoll_fd($0) } ?? -1 }

    /// Makes sure that the library's calls on this thread lead here.
    func enterThread() { cmhd_own_epoll(epollDescriptor) }
}

/// The state of a client's socket, which is watched for changes: each is reported once.
struct SocketReadiness {
    /// The events in which the library is interested; it does not know half-closed sockets.
    private static let ofInterest = Readiness.readable.union(.writable).union(.urgent).union(.broken)

    /// The events that the library has not seen.
    private var news: Readiness = []
    /// Which ends have been reported.
    private var ends: Readiness = []
    /// Whether there may be bytes or an end to read: not after a short read, until the next event.
    private(set) var mayBeReadable = true

    /// Records an event.
    ///
    /// - Returns: whether an end is reported for the first time.
    mutating func note(_ change: Readiness) -> Bool {
        news.formUnion(change.intersection(Self.ofInterest))
        mayBeReadable = true
        let new = change.intersection(.ended).subtracting(ends)
        ends.formUnion(new)
        return !new.isEmpty
    }

    /// Reports to the library that it can read, without an event.
    mutating func announceReadable() { news.formUnion(.readable) }

    /// Whether an end has been reported.
    var hasEnd: Bool { !ends.isEmpty }

    /// Whether there is an event that the library has not seen.
    var hasNews: Bool { !news.isEmpty }

    /// Returns the events that the library has not seen, and clears them.
    mutating func takeNews() -> UInt32 {
        defer { news = [] }
        return news.rawValue
    }

    /// The system returned less than was requested, or nothing: more data will cause an event.
    mutating func hasBeenDrained() {
        // The end may have arrived with the last bytes, and is reported once.
        if ends.isEmpty { mayBeReadable = false }
    }
}
