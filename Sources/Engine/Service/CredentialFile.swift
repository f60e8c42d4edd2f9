internal import Core
internal import Glibc
internal import Locking
internal import Loop

/// The file with a provider's credential, which may change while Weir runs.
///
/// Shared by all workers. A look at an unchanged file is one system call.
final class CredentialFile: Sendable {
    /// Identifies a version of the file without reading it.
    private struct Mark: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var changedAt: Int64
        var modifiedAt: Int64

        init?(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            changedAt = Self.nanoseconds(status.st_ctim)
            modifiedAt = Self.nanoseconds(status.st_mtim)
        }

        /// Whether every change from now on produces another mark: file systems have coarse clocks.
        func isSettled(at wallNanoseconds: Int64) -> Bool {
            max(changedAt, modifiedAt) < wallNanoseconds - 2_000_000_000
        }

        private static func nanoseconds(_ time: timespec) -> Int64 {
            Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }
    }

    let path: String
    /// The version that was read last, if every later one has another mark.
    private let known = Lock<Mark?>(nil)

    init(_ path: String) { self.path = path }

    /// The credential in the file, if it is another one than `credential`.
    ///
    /// A file that is gone, or holds no credential at the moment, changes nothing.
    func replacement(of credential: Secret?) -> Secret? {
        // The mark is taken before the bytes, so a change in between causes another reading.
        guard let mark = Mark(path), known.withLock({ $0 }) != mark else { return nil }
        let isSettled = mark.isSettled(at: SystemClock.wallNanoseconds)
        guard let content = read() else { return nil }
        guard let found = CredentialText.credential(inFile: content) else { return nil }
        guard found != credential else {
            if isSettled { known.withLock { $0 = mark } }
            return nil
        }
        return found
    }

    private func read() -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content = [UInt8](repeating: 0, count: CredentialText.limit + 16)
        let count = unsafe Glibc.read(descriptor, &content, content.count)
        guard count >= 0 else { return nil }
        return Array(content.prefix(count))
    }
}
