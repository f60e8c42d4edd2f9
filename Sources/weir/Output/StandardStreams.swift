internal import ArgumentParser
internal import Core
internal import Glibc
internal import Logging

/// Output for people and scripts: results go to standard output, everything else to standard error.
enum StandardStreams {
    /// Opens missing standard descriptors on /dev/null: otherwise the program's next socket would get
    /// their number, and receive output for people.
    static func open() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // > open() returns the lowest free number, which is this one. Without /dev/null, an unused socket
            // > serves the same purpose.
            if unsafe Glibc.open("/dev/null", O_RDWR) < 0 {
                _ = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            }
        }
    }

    /// Writes a line of a result.
    static func print(_ line: String) { write(line, to: STDOUT_FILENO) }

    /// Writes a line that is not a result: a failure, a hint, progress.
    static func printError(_ line: String) { write(line, to: STDERR_FILENO) }

    /// Replaces the last line of a terminal on standard error; an empty text removes it.
    static func printProgress(_ text: String) { write(bytes: "\r\u{1B}[K\(text)", to: STDERR_FILENO) }

    /// Whether standard error is a terminal.
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    private static func write(_ line: String, to descriptor: Int32) {
        write(bytes: line + "\n", to: descriptor)
    }

    private static func write(bytes text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            // The reader has closed the stream.
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}

/// Exit codes of failed commands (as in sysexits.h).
enum Failure {
    /// The configuration is wrong, or a check has failed.
    static let check = ExitCode(1)
    /// The command line is wrong.
    static let usage = ExitCode(64)
    /// An input file is not what the command reads (EX_DATAERR).
    static let data = ExitCode(65)
    /// Weir cannot listen on an address.
    static let unavailable = ExitCode(69)

    /// Prints the reason in one line, and returns the code to throw.
    static func report(_ reason: String, _ code: ExitCode) -> ExitCode {
        StandardStreams.printError("weir: \(reason)")
        return code
    }
}

extension Logger.Level {
    /// The level with the name that the configuration uses.
    init(_ level: LogLevel) {
        self = Logger.Level(rawValue: level.rawValue) ?? .info
    }
}
