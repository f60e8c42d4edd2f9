internal import Glibc

/// Whole small files: configurations, profiles, secrets.
enum Files {
    /// The largest file that is read: more is no configuration.
    static let limit = 4 << 20

    /// The contents of a file, or `nil`; `-` is standard input, and bytes that are not UTF-8 become U+FFFD.
    static func read(_ path: String) -> String? {
        readBytes(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The contents of a file, or `nil`; `-` is standard input.
    static func readBytes(_ path: String) -> [UInt8]? {
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

    /// The folder in which a file lies, with its slash; `nil` for standard input, and for the working directory.
    static func folder(of path: String) -> String? {
        path.lastIndex(of: "/").map { String(path[...$0]) }
    }

    /// `path` as it is if it is absolute or standard input, else below `folder`.
    static func path(_ path: String, in folder: String?) -> String {
        guard let folder, !path.hasPrefix("/"), path != "-" else { return path }
        return folder + path
    }

    /// Why the last call failed, in the system's words.
    static var lastError: String { unsafe String(cString: strerror(errno)) }
}
