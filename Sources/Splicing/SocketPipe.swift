internal import CSplice
internal import Glibc

/// What became of an attempt to fill a pipe from a socket.
public enum SpliceOutcome: Hashable, Sendable {
    /// So many bytes were moved, at least 1.
    case moved(Int)
    /// None now; the socket says when to ask again.
    case wouldBlock
    /// The peer has ended its side.
    case ended
    /// The system moves no bytes between these two: they have to be received.
    case refused
    /// The connection has failed; the `errno`.
    case failed(errno: Int32)
}

/// A pipe of the kernel, through which bytes go from one socket to another without entering this process (splice(2)).
///
/// ``count`` is what it holds: nobody else has its ends, and only ``fill(from:atMost:)`` and ``drain(into:atMost:)`` change both. A pipe
/// that is let go with bytes in it is closed with them. SIGPIPE must be ignored in the process: splice(2) has no `MSG_NOSIGNAL`.
public final class SocketPipe {
    private let readEnd: Int32
    private let writeEnd: Int32
    /// How many bytes are in it.
    public private(set) var count = 0

    /// How many bytes a pipe should have room for: a page for each piece of a packet, though most pages are not full.
    private static let size: Int32 = 1 << 20
    /// With less, moving takes more calls than copying.
    private static let leastSize = 64 << 10

    /// An empty pipe, or `nil` if the system has no descriptor or no memory for it.
    ///
    /// - Parameter limit: a descriptor this high is not for pipes.
    init?(below limit: Int) {
        var ends: (Int32, Int32) = (-1, -1)
        let room = unsafe withUnsafeMutableBytes(of: &ends) { ends in
            unsafe csplice_pipe(ends.assumingMemoryBound(to: Int32.self).baseAddress, Self.size)
        }
        (readEnd, writeEnd) = ends
        if room < Self.leastSize || max(readEnd, writeEnd) >= limit { return nil }
    }

    deinit {
        if readEnd >= 0 { close(readEnd) }
        if writeEnd >= 0 { close(writeEnd) }
    }

    /// Takes bytes that a socket has received; only while it is empty, so that an answer of "would block" is the socket's.
    public func fill(from socket: Int32, atMost limit: Int) -> SpliceOutcome {
        precondition(count == 0, "filled before it was empty")
        let moved = csplice(socket, writeEnd, limit)
        if moved > 0 {
            count = moved
            return .moved(moved)
        }
        if moved == 0 { return .ended }
        switch errno {
        case EAGAIN, EINTR: return .wouldBlock
        // It is no pair that can be spliced, or a filter of system calls does not know the call.
        case EINVAL, ENOSYS, EPERM, EACCES, ENOMEM: return .refused
        case let number: return .failed(errno: number)
        }
    }

    /// Gives bytes to a socket until they are all gone or the socket takes no more; returns as send(2) does, with `errno`.
    ///
    /// Less than `limit` means that the socket is full, as it does with send(2): who waits for room in it is told.
    public func drain(into socket: Int32, atMost limit: Int) -> Int {
        let wanted = min(limit, count)
        var moved = 0
        while moved < wanted {
            let step = csplice(readEnd, socket, wanted - moved)
            if step > 0 {
                moved += step
                count -= step
            } else if step == 0 {
                // It holds less than was counted: that is a bug, and nothing may follow these bytes.
                errno = EPIPE
                return -1
            } else if errno != EINTR {
                return moved > 0 ? moved : -1
            }
        }
        return moved
    }
}
