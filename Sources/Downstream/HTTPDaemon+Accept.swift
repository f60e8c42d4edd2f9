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
