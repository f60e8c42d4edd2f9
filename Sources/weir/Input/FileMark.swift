internal import Glibc

/// What tells a version of a file from others without reading it.
struct FileMark: Hashable {
    private var device: UInt64
    private var inode: UInt64
    private var size: Int64
    private var changedAt: Int64
    private var modifiedAt: Int64
    /// Whether it is a file, and no pipe, socket, terminal or folder.
    private(set) var isRegular: Bool

    /// The mark of the file that `path` leads to now, through all symbolic links; `nil` if there is none.
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

    /// Whether a change at `wallNanoseconds` or later is certain to make another mark.
    ///
    /// The clock of a file system ticks slowly: two changes within a tick leave the same mark.
    func isSettled(at wallNanoseconds: Int64) -> Bool {
        max(changedAt, modifiedAt) < wallNanoseconds - 2_000_000_000
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
