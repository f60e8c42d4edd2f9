internal import Glibc

/// A socket that listens, made before any daemon: it knows its port, and several may share one.
public final class ListenSocket: Sendable {
    /// The descriptor; a daemon that is given it owns it.
    public let descriptor: Int32
    /// The TCP port; the one that the system chose if 0 was asked for.
    public let port: UInt16
    /// Whether it is a Unix domain socket.
    public let isUnix: Bool

    /// Listens on `port` of a numeric address.
    ///
    /// - Parameters:
    ///   - host: an IPv4 or IPv6 address, such as `127.0.0.1` or `::1`.
    ///   - port: 0 lets the system choose.
    ///   - isShared: other sockets of this process listen on the same port as well (SO_REUSEPORT); the kernel spreads the connections.
    /// - Throws: ``ListenError``, with the system's words.
    public init(host: String, port: UInt16, isShared: Bool) throws(ListenError) {
        isUnix = false
        let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &found) == 0, let address = unsafe found else {
            throw ListenError(place: place, number: EINVAL)
        }
        defer { unsafe freeaddrinfo(address) }
        descriptor = unsafe socket(
            address.pointee.ai_family,
            Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw ListenError(place: place, number: errno) }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if isShared { unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, size) }
        // Answers are written in one piece: there is nothing for Nagle to gather.
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
        guard unsafe bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
            listen(descriptor, 1024) == 0
        else {
            let error = ListenError(place: place, number: errno)
            close(descriptor)
            throw error
        }
        self.port = Self.boundPort(of: descriptor) ?? port
    }

    /// Listens on a socket of the file system, which takes the place of one that nobody listens on any more.
    ///
    /// - Throws: ``ListenError``
    public init(path: String) throws(ListenError) {
        port = 0
        isUnix = true
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { throw ListenError(place: "unix:\(path)", number: ENAMETOOLONG) }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw ListenError(place: "unix:\(path)", number: errno) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                if unsafe connect(descriptor, address, length) == 0 { return EADDRINUSE }
                if errno == ECONNREFUSED { unsafe unlink(path) }
                return unsafe bind(descriptor, address, length) == 0 ? 0 : errno
            }
        }
        guard status == 0, listen(descriptor, 1024) == 0 else {
            let error = ListenError(place: "unix:\(path)", number: status == 0 ? errno : status)
            close(descriptor)
            throw error
        }
    }

    /// Ends listening; only if no daemon took it.
    public func closeUnused() { close(descriptor) }

    private static func boundPort(of descriptor: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0 else { return nil }
        // The port stands at the same place in both families, in network order.
        return unsafe withUnsafeBytes(of: &storage) { UInt16(unsafe $0[2]) << 8 | UInt16(unsafe $0[3]) }
    }
}

/// Why nobody can listen somewhere.
public struct ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address and port.
    public var place: String
    /// The value of `errno`.
    public var number: Int32

    /// One line for a user.
    public var description: String {
        let hint = number == EACCES ? " (ports below 1024 need root or CAP_NET_BIND_SERVICE)" : ""
        return unsafe "cannot listen on \(place): \(String(cString: strerror(number)))\(hint)"
    }
}
