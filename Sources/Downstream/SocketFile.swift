internal import Glibc

/// The file of a Unix domain socket that this process has bound: which one it is, so that no other is removed.
struct SocketFile: Hashable, Sendable {
    private let path: String
    private let device: UInt64
    private let inode: UInt64

    /// The file that is at `path` now; `nil` if it is gone already.
    init?(at path: String) {
        guard let status = Self.status(of: path) else { return nil }
        self.path = path
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    /// Removes it, unless another file is at its path.
    ///
    /// Only while the socket is open: until then no other file has its number.
    func remove() {
        guard SocketFile(at: path) == self else { return }
        unsafe unlink(path)
    }

    /// What is at `path` and keeps a socket from being bound there, as an error; a socket that no process listens on is removed.
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

    /// Calls `body` with the address as the system's calls want it.
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

/// A lock on the directory of a path, which programs that replace a socket there hold meanwhile.
///
/// Where the directory cannot be locked (its file system knows no locks, another program keeps it locked), nothing is: a look at the
/// socket, and the error of bind(2), remain.
struct DirectoryLock {
    private let descriptor: Int32
    /// How often, and how long apart, a lock is asked for that another process holds: a second in all.
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

    /// Gives the lock back.
    func release() {
        if descriptor >= 0 { close(descriptor) }
    }
}
