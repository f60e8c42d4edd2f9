/// A real redis-server on a Unix socket, without a port.
public final class RedisServer: Sendable {
    /// Where it listens.
    public let path: String
    private let directory: TemporaryDirectory
    private let settings: [String]
    private let process: Current

    /// The running process, which may be restarted.
    private final class Current: Sendable {
        let process: Subprocess
        init(_ process: Subprocess) { self.process = process }
    }

    /// Starts the server and waits until it responds.
    ///
    /// - Parameter settings: more options, such as `--requirepass`, `secret`.
    public init(_ settings: [String] = [], in directory: TemporaryDirectory? = nil) throws {
        let directory = try directory ?? TemporaryDirectory()
        self.directory = directory
        self.settings = settings
        path = directory.path("redis.sock")
        let options = [
            "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", directory.path,
        ]
        let process = try Subprocess("redis-server", options + settings)
        self.process = Current(process)
        let socket = path
        try eventually("Redis to answer", every: .milliseconds(10)) {
            guard process.isRunning else { throw PeerError.unexpected("redis: \(process.output)") }
            let answer = try Subprocess.run("redis-cli", ["-s", socket, "PING"])
            return answer.output.contains("PONG") || answer.output.contains("NOAUTH")
        }
    }

    /// Starts an empty server at the same path; this one must have ended.
    public func startAgain() throws -> RedisServer { try RedisServer(settings, in: directory) }

    /// The configuration's `ledger`, with a user and a password if given.
    public func url(credentials: String = "") -> String {
        "redis+unix://\(credentials.isEmpty ? "" : credentials + "@")\(path)"
    }

    /// What redis-cli prints for a command, without the last line end.
    @discardableResult
    public func command(_ words: String..., password: String? = nil) throws -> String {
        let login = password.map { ["--no-auth-warning", "-a", $0] } ?? []
        let answer = try Subprocess.run("redis-cli", ["-s", path] + login + words)
        return String(answer.output.drop { $0 == "\n" }.reversed().drop { $0 == "\n" }.reversed())
    }

    /// Sends it a signal.
    public func send(_ signal: Subprocess.Signal) { process.process.send(signal) }

    /// Kills it, as in a crash.
    public func kill() throws {
        process.process.send(.kill)
        _ = try process.process.waitForExit()
    }
}
