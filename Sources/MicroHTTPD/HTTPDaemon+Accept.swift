internal import CMicroHTTPD
internal import Glibc

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

    /// Takes clients that wait to connect; ``run()`` must follow.
    ///
    /// Those that are not taken keep waiting, in the system's backlog.
    public func accept() -> Acceptance {
        guard let handle = unsafe handle, listenDescriptor >= 0 else { return .goesOn }
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
        for _ in 0..<Self.burst {
            guard connections < limits.connections else { return .isFull }
            let (client, address, length) = nextClient()
            if client < 0 {
                switch errno {
                case EAGAIN, EWOULDBLOCK: return .goesOn
                // The client has gone already, or its network has; accept(2) has the list.
                case EINTR, ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTDOWN, ENONET, EHOSTUNREACH,
                    ENETUNREACH,
                    ENOPROTOOPT, ETIMEDOUT:
                    continue
                case let number: return .isExhausted(number: number)
                }
            }
            // The socket is the library's now, which closes it if it cannot serve it.
            let isTaken = unsafe withUnsafePointer(to: address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe MHD_add_connection(library, client, $0, length) == .YES
                }
            }
            guard isTaken else { return .isExhausted(number: errno) }
            if client >= limits.descriptors { return .isExhausted(number: EMFILE) }
        }
        return .goesOn
    }

    private func nextClient() -> (socket: Int32, address: sockaddr_storage, length: socklen_t) {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let client = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe accept4(
                    listenDescriptor, $0, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            }
        }
        return (client, address, length)
    }
}
