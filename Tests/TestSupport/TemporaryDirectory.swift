/// A directory that disappears with its owner.
public final class TemporaryDirectory: Sendable {
    /// Its absolute path, without a slash at the end.
    public let path: String

    /// Makes an empty directory that only this user can read.
    public init() throws { path = try System.makeTemporaryDirectory(prefix: "/tmp/weir-test-") }

    deinit { _ = try? Subprocess.run("rm", ["-rf", path]) }

    /// The absolute path of a name inside.
    public func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, of mode 0644 unless said otherwise, and returns its absolute path.
    @discardableResult
    public func write(_ text: String, to name: String, mode: UInt32 = 0o644) throws -> String {
        try System.write(Array(text.utf8), to: path(name), mode: mode)
        return path(name)
    }

    /// The content of a file inside, as text.
    public func read(_ name: String) throws -> String {
        String(decoding: try System.read(path(name)), as: UTF8.self)
    }
}
