internal import Glibc

/// Whole small files: configurations, profiles, secrets.
enum Files {
    /// The largest file that is read, in bytes.
    static let limit = 4 << 20

    /// The contents of a file, or `nil`; `-` is standard input, and bytes that are not UTF-8 become U+FFFD.
    static func read(_ path: String) -> String? {
        readBytes(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The contents of a file, or `nil`; `-` is standard input.
    ///
    /// - Parameter limit: how many bytes it may have.
    static func readBytes(_ path: String, limit: Int = limit) -> [UInt8]? {
        let descriptor = path == "-" ? dup(STDIN_FILENO) : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 64 << 10)
        while contents.count <= limit {
            let count = unsafe Glibc.read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return contents }
            contents += part[..<count]
        }
        errno = EFBIG
        return nil
    }

    /// Writes a new file; `false` if there is one already, or it cannot be written.
    static func create(_ path: String, _ contents: [UInt8]) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var rest = contents[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The folder of a file, with a trailing slash; `nil` for standard input and for files in the working directory.
    static func folder(of path: String) -> String? {
        path.lastIndex(of: "/").map { String(path[...$0]) }
    }

    /// `path` itself if it is absolute or standard input, otherwise relative to `folder`.
    static func path(_ path: String, in folder: String?) -> String {
        guard let folder, !path.hasPrefix("/"), path != "-" else { return path }
        return folder + path
    }

    /// The system's description of the last error.
    static var lastError: String { unsafe String(cString: strerror(errno)) }
}

/// Identifies a version of a file without reading it.
struct FileMark: Hashable {
    private var device: UInt64
    private var inode: UInt64
    private var size: Int64
    private var changedAt: Int64
    private var modifiedAt: Int64
    /// Whether it is a regular file, not a pipe, socket, terminal or folder.
    private(set) var isRegular: Bool

    /// The mark of the file at `path`, with symbolic links resolved; `nil` if there is none.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        changedAt = Self.nanoseconds(status.st_ctim)
        modifiedAt = Self.nanoseconds(status.st_mtim)
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }

    /// Whether a change at `wallNanoseconds` or later certainly produces a different mark.
    ///
    /// File systems have coarse clocks: two changes within one tick have the same mark.
    func isSettled(at wallNanoseconds: Int64) -> Bool {
        max(changedAt, modifiedAt) < wallNanoseconds - 2_000_000_000
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// The environment variables of the process.
enum Environment {
    /// The value of a variable, or `nil` if it is not set.
    @Sendable static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
