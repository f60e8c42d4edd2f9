internal import Locking
internal import Loop

/// The files from which a configuration was read, including secrets, profiles and certificates, as they were at that time.
final class SourceFiles: Sendable {
    private struct Version {
        /// A hash of the bytes; `nil` if they could not be read.
        var contents: Int?
        /// The file's mark at that time, if every later change would produce a different one.
        var settled: FileMark?
    }

    private let versions = Lock<[String: Version]>([:])
    /// What came through standard input or a pipe: the text cannot be parsed again.
    private let streams: Lock<[String: [UInt8]]>

    /// No files yet.
    ///
    /// - Parameter former: the previous reading, whose contents of pipes are reused.
    init(after former: SourceFiles? = nil) {
        streams = Lock(former?.streams.withLock { $0 } ?? [:])
    }

    /// Reads a file and remembers its contents.
    func read(_ path: String) -> String? {
        let bytes: [UInt8]?
        if let stream = streams.withLock({ $0[path] }) {
            bytes = stream
            versions.withLock { $0[path] = Version(contents: stream.hashValue) }
        } else {
            let isStream = path == "-" || FileMark(path)?.isRegular == false
            let version: Version
            (version, bytes) = Self.look(at: path)
            versions.withLock { $0[path] = version }
            if isStream { streams.withLock { $0[path] = bytes } }
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A hash of the contents of these files as they were read.
    func contents(of paths: [String]) -> Int {
        versions.withLock { versions in
            var hasher = Hasher()
            for path in paths { hasher.combine(versions[path]?.contents) }
            return hasher.finalize()
        }
    }

    /// A hash of each file as it was read.
    var contents: [String: Int?] { versions.withLock { $0.mapValues(\.contents) } }

    /// A hash of each file's current contents; files with an unchanged mark are not read again.
    func currentContents() -> [String: Int?] {
        let known = versions.withLock { $0 }
        let streams = streams.withLock { Set($0.keys) }
        var current: [String: Int?] = [:]
        for (path, version) in known {
            if streams.contains(path) {
                current[path] = .some(version.contents)
                continue
            }
            if let settled = version.settled, FileMark(path) == settled {
                current[path] = .some(version.contents)
                continue
            }
            let (now, _) = Self.look(at: path)
            current[path] = .some(now.contents)
            if now.contents == version.contents { versions.withLock { $0[path] = now } }
        }
        return current
    }

    private static func look(at path: String) -> (Version, [UInt8]?) {
        // The mark is taken before the bytes, so a change in between causes another reading.
        let mark = FileMark(path)
        let time = SystemClock.wallNanoseconds
        guard let bytes = Files.readBytes(path) else { return (Version(), nil) }
        let isSettled = mark?.isSettled(at: time) ?? false
        return (Version(contents: bytes.hashValue, settled: isSettled ? mark : nil), bytes)
    }
}
