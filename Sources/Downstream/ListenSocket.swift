internal import Glibc
internal import Locking

/// A listening socket, created before any daemon: its port is known, and several may share one.
public final class ListenSocket: Sendable {
    /// The descriptor; a daemon that receives it owns it.
    public let descriptor: Int32
    /// The TCP port; chosen by the system if 0 was requested.
    public let port: UInt16
    /// Whether it is a Unix domain socket.
    public let isUnix: Bool
    /// Its file.
    private let file: Lock<SocketFile?>

    /// Listens on `port` of a numeric address.
    ///
    /// - Parameters:
    ///   - host: an IPv4 or IPv6 address, such as `127.0.0.1` or `::1`.
    ///   - port: 0 lets the system choose.
    ///   - isShared: other sockets of this process listen on the same port as well (SO_REUSEPORT); the kernel
    ///     distributes the connections.
    /// - Throws: ``ListenError``, with the system's message.
    public init(host: String, port: UInt16, isShared: Bool) throws(ListenError) {
        isUnix = false
        file = Lock(nil)
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
        // Responses are written in one piece, so Nagle's algorithm has nothing to gather.
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

    /// Listens on a socket of the file system.
    ///
    /// A socket on which no process listens is replaced; anything else at `path` is kept, and is an error. A lock on
    /// the directory excludes concurrent programs.
    ///
    /// - Parameters:
    ///   - path: at most 107 bytes.
    ///   - mode: the permissions of the file from its creation on: connecting needs permission to write.
    /// - Throws: ``ListenError``
    public init(path: String, mode: UInt16 = 0o600) throws(ListenError) {
        port = 0
        isUnix = true
        func error(_ number: Int32, reason: String? = nil) -> ListenError {
            ListenError(place: "unix:\(path)", number: number, reason: reason)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { throw error(ENAMETOOLONG) }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let lock = DirectoryLock(of: path)
        defer { lock.release() }
        if let (number, reason) = SocketFile.obstacle(at: path, address) {
            throw error(number, reason: reason)
        }
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw error(errno) }
        // > The file is made with the socket's own permissions, less the umask: never more than `mode`. Nobody can connect before
        // > listen(), when it has all of them.
        let permissions = mode_t(mode)
        fchmod(descriptor, permissions)
        let status = unsafe SocketFile.withPointer(to: address) { unsafe bind(descriptor, $0, $1) }
        guard status == 0 else {
            let reason = error(errno)
            close(descriptor)
            throw reason
        }
        file = Lock(SocketFile(at: path))
        guard unsafe chmod(path, permissions) == 0, listen(descriptor, 1024) == 0 else {
            let reason = error(errno)
            removeFile()
            close(descriptor)
            throw reason
        }
    }

    /// Stops listening; only if no daemon has taken it over.
    public func closeUnused() {
        removeFile()
        close(descriptor)
    }

    /// Removes the file of a Unix domain socket, unless another one has replaced it.
    ///
    /// From then on no client finds the socket; clients in its backlog can still be accepted.
    public func removeFile() {
        file.withLock { file in
            file?.remove()
            file = nil
        }
    }

    private static func boundPort(of descriptor: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard status == 0 else { return nil }
        // The port is at the same position in both families, in network order.
        return unsafe withUnsafeBytes(of: &storage) { UInt16(unsafe $0[2]) << 8 | UInt16(unsafe $0[3]) }
    }
}

/// Why a socket cannot listen on an address.
public struct ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address and port.
    public var place: String
    /// The value of `errno`.
    public var number: Int32
    /// The problem, if the system's message for ``number`` does not describe it.
    public var reason: String?

    /// One line for a user.
    public var description: String {
        if let reason { return "cannot listen on \(place): \(reason)" }
        let hint =
            number == EACCES ? " (\(place.hasPrefix("unix:") ? Self.directoryHint : Self.portHint))" : ""
        return unsafe "cannot listen on \(place): \(String(cString: strerror(number)))\(hint)"
    }

    private static let portHint = "ports below 1024 need root or CAP_NET_BIND_SERVICE"
    private static let directoryHint = "a socket needs permission to write to its directory"
}

/// Identifies the file of a Unix domain socket that this process has bound, so that no other file is removed.
struct SocketFile: Hashable, Sendable {
    private let path: String
    private let device: UInt64
    private let inode: UInt64

    /// The file at `path`; `nil` if it no longer exists.
    init?(at path: String) {
        guard let status = Self.status(of: path) else { return nil }
        self.path = path
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// Removes it, unless another file is at its path.
    ///
    /// Only while the socket is open: until then no other file has its inode number.
    func remove() {
        guard SocketFile(at: path) == self else { return }
        unsafe unlink(path)
    }

    /// The obstacle at `path` that prevents binding a socket there, as an error; removes a socket on which no process
    /// listens.
    static func obstacle(at path: String, _ address: sockaddr_un) -> (number: Int32, reason: String?)? {
        guard let status = status(of: path) else { return nil }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            return (
                EADDRINUSE,
                "\(kind(of: status)) is at this path, not a socket; remove it or choose another path"
            )
        }
        let probe = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { return (errno, nil) }
        defer { close(probe) }
        // > ECONNREFUSED: no process listens. All else, a full backlog (EAGAIN) and another kind of socket (EPROTOTYPE) among it,
        // > shows one, or does not show that there is none.
        let isRefused =
            unsafe withPointer(to: address) { unsafe connect(probe, $0, $1) } != 0 && errno == ECONNREFUSED
        guard isRefused else { return (EADDRINUSE, nil) }
        return unsafe unlink(path) == 0 || errno == ENOENT ? nil : (errno, nil)
    }

    /// Calls `body` with the address as a `sockaddr`.
    static func withPointer<Value>(
        to address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status : nil
    }

    private static func kind(of status: stat) -> String {
        switch status.st_mode & S_IFMT {
        case S_IFREG: "a file"
        case S_IFDIR: "a directory"
        case S_IFLNK: "a symbolic link"
        case S_IFIFO: "a named pipe"
        case S_IFCHR, S_IFBLK: "a device"
        default: "something else than a socket"
        }
    }
}

/// A lock on a path's directory, which programs hold while they replace a socket there.
///
/// If the directory cannot be locked (its file system does not support it, or another program holds the lock), the
/// check of the socket and the error of bind(2) must suffice.
struct DirectoryLock {
    private let descriptor: Int32
    /// How often, and at which interval, a lock held by another process is requested: one second in total.
    private static let attempts = (count: 100, microseconds: UInt32(10_000))

    init(of path: String) {
        let end = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let directory = end == path.startIndex ? "/" : String(path[..<end])
        descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        for _ in 0..<Self.attempts.count {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { return }
            usleep(Self.attempts.microseconds)
        }
    }

    /// Releases the lock.
    func release() {
        if descriptor >= 0 { close(descriptor) }
    }
}
