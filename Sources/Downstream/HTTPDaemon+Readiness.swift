internal import CMicroHTTPD
internal import Glibc
public import Loop
internal import Wire

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
        client.note(readiness)
        delegate?.daemonIsReady(self)
    }

    /// Reports the ends that came before the request was read that they concern.
    func reportEndsBefore() {
        for client in endedBefore where client.machine.isOpen && client.machine.hasUnansweredRequest {
            delegate?.daemon(self, clientEnds: client.socket, isBroken: client.machine.end == .broken)
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
            if client.machine.isOpen, client.isMember, client.hasNews {
                return (client.tag, client.takeNews())
            }
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
