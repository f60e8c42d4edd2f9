internal import CMicroHTTPD
internal import Glibc
public import Loop

/// Which clients are ready: the loop watches each socket once, and libmicrohttpd asks here instead of an epoll of its own.
///
/// > 0.9.75 adds a client's socket to its epoll for all that may happen, edge-triggered; takes it out when the connection is suspended;
/// resumed, it tries to read and to write in any case, and adds the socket again when neither goes on. What happens in between is kept
/// here until then, so a suspension needs no system call.
extension HTTPDaemon: ReadinessHandler {
    /// Something has happened on a client's socket.
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

    /// Tells of those who ended their side before their request was read.
    func tellEndsBefore() {
        for (client, isBroken) in endedBefore where client.isOpen && client.request?.isAnswered == false {
            delegate?.daemon(self, clientEnds: client.socket, isBroken: isBroken)
        }
        endedBefore.removeAll(keepingCapacity: true)
    }

    /// Watches the socket of a client that has connected.
    func watch(_ client: ClientConnection) {
        do {
            try loop.watch(client.socket, for: .anyChange, handler: self)
            client.isWatched = true
        } catch {
            // The kernel's limit on watches. The library is told so, and closes the connection.
            delegate?.daemon(self, logs: "a client's socket cannot be watched: \(error)")
        }
    }

    func list(_ client: ClientConnection) {
        guard client.isMember, client.hasNews, !client.isListed else { return }
        client.isListed = true
        ready.append(client)
    }

    /// The library wants to hear of `socket` under a tag, or no more.
    ///
    /// - Returns: 0, or why not, as `errno`.
    func change(_ socket: Int32, isMember: Bool, tag: UInt64) -> Int32 {
        guard let client = client(on: socket) else { return isMember ? EBADF : 0 }
        guard client.isWatched || !isMember else { return ENOSPC }
        (client.isMember, client.tag) = (isMember, tag)
        list(client)
        return 0
    }

    /// The tag of the next client about whom the library hears something, and what that is.
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

    /// The library's epoll, of which nobody but the library knows anything.
    var epollDescriptor: Int32 { unsafe handle.map { unsafe cmhd_epoll_fd($0) } ?? -1 }

    /// Sees to it that what the library asks on this thread is answered here.
    func enterThread() { cmhd_own_epoll(epollDescriptor) }
}

/// What is known of a client's socket that is watched for changes: each is told once.
struct SocketReadiness {
    /// What the library wants to hear of: it does not know of an end of one side.
    private static let ofInterest = Readiness.readable.union(.writable).union(.urgent).union(.broken)

    /// What the library has not heard of.
    private var news: Readiness = []
    /// Which ends have been told.
    private var ends: Readiness = []
    /// Whether there may be bytes or an end to be read: there are none since less came than was asked for, until a change is told.
    private(set) var mayBeReadable = true

    /// Keeps a change.
    ///
    /// - Returns: whether an end is told for the first time.
    mutating func note(_ change: Readiness) -> Bool {
        news.formUnion(change.intersection(Self.ofInterest))
        mayBeReadable = true
        let new = change.intersection(.ended).subtracting(ends)
        ends.formUnion(new)
        return !new.isEmpty
    }

    /// Has the library hear that it can read, though nothing has changed.
    mutating func announceReadable() { news.formUnion(.readable) }

    /// Whether an end has been told.
    var hasEnd: Bool { !ends.isEmpty }

    /// Whether the library has not heard of something.
    var hasNews: Bool { !news.isEmpty }

    /// The bits of what the library has not heard of, which it has then.
    mutating func takeNews() -> UInt32 {
        defer { news = [] }
        return news.rawValue
    }

    /// The system has given less than was asked for, or said that there is nothing: what comes later is a change.
    mutating func hasBeenDrained() {
        // The end may have come with the last bytes, and is told once.
        if ends.isEmpty { mayBeReadable = false }
    }
}
