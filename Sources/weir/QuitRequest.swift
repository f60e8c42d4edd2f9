internal import Core
internal import Engine
internal import Glibc
internal import JSONLog
internal import Logging
internal import Synchronization

/// A request to shut down that came over HTTP: the program sends itself the signal that it waits for.
final class QuitRequest: Sendable {
    private let requested = Atomic(false)

    /// Whether there was one.
    var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Starts the drain; may be called from any thread, and again.
    func send() {
        requested.store(true, ordering: .relaxed)
        kill(getpid(), SIGTERM)
    }
}

extension ProcessControl {
    /// The control of this process.
    init(quit: QuitRequest, level: LogLevelSwitch) {
        self.init(
            quit: { quit.send() }, logLevel: { LogLevel(rawValue: level.level.rawValue) ?? .info },
            setLogLevel: { level.level = Logger.Level($0) })
    }
}
