internal import Glibc

/// Writing between two answers of libmicrohttpd's.
extension ClientConnection {
    /// Most bytes of an interim answer.
    static let interimLimit = 4 << 10
    /// What the system must be ready to hold, in its own count of bytes, where each packet counts for a KiB more than it carries.
    private static let roomNeeded = 32 << 10

    /// Writes an interim answer if the system is sure to take it whole; never waits.
    ///
    /// - Returns: whether it was written. If a part of it was, against all expectation, the connection ends: nothing may follow that.
    func sendInterim(_ message: [UInt8]) -> Bool {
        guard isOpen, !isLeaving, message.count <= Self.interimLimit, systemHasRoom else { return false }
        var sent = 0
        while sent < message.count {
            let written = unsafe message.withUnsafeBytes {
                unsafe write(UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            switch written {
            case .bytes(let count): sent += count
            case .later, .failed:
                // What TLS has not sent yet would stand before the next record.
                if sent > 0 || isEncrypted { cutOff() }
                return false
            }
        }
        pushOut()
        return true
    }

    /// Whether the socket is far from full; a client that is slow to read fills it.
    private var systemHasRoom: Bool {
        // SK_MEMINFO_…: sndbuf is the fourth, and what counts against it wmem_alloc, the third, or wmem_queued, the sixth.
        var counts = [UInt32](repeating: 0, count: 9)
        var size = socklen_t(counts.count * MemoryLayout<UInt32>.stride)
        guard unsafe getsockopt(socket, SOL_SOCKET, SO_MEMINFO, &counts, &size) == 0,
            Int(size) >= 6 * MemoryLayout<UInt32>.stride
        else { return false }
        return Int(counts[3]) - Int(max(counts[2], counts[5])) >= Self.roomNeeded
    }

    /// > With TLS, 0.9.75 leaves the socket corked behind an answer, which it has pushed out just so.
    private func pushOut() {
        var on: Int32 = 1
        unsafe setsockopt(
            socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }
}
