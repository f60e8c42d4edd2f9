internal import ArgumentParser
internal import Core
internal import Glibc
internal import Logging

/// What is written for people and scripts: results to standard output, all else to standard error.
enum StandardStreams {
    /// Opens those of the three standard descriptors that the program was started without, on nothing: else its next socket would get
    /// their number, and lines that are written for people.
    static func open() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // > The lowest free number is given: this one, since those below are open. Where there is no /dev/null, any will do that
            // > nobody reads.
            if unsafe Glibc.open("/dev/null", O_RDWR) < 0 {
                _ = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            }
        }
    }

    /// Writes a line of a result.
    static func print(_ line: String) { write(line, to: STDOUT_FILENO) }

    /// Writes a line that is not the result: a failure, a hint, progress.
    static func printError(_ line: String) { write(line, to: STDERR_FILENO) }

    /// Whether a person looks at standard error.
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    private static func write(_ line: String, to descriptor: Int32) {
        var bytes = Array((line + "\n").utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            // Nobody reads any more: there is nobody to tell.
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}

/// The ways in which a command fails (exit codes as in sysexits.h).
enum Failure {
    /// The configuration is wrong, or a check has failed.
    static let check = ExitCode(1)
    /// The command line is wrong.
    static let usage = ExitCode(64)
    /// An address cannot be listened on.
    static let unavailable = ExitCode(69)

    /// Tells why, in one line, and returns the code to throw.
    static func tell(_ reason: String, _ code: ExitCode) -> ExitCode {
        StandardStreams.printError("weir: \(reason)")
        return code
    }
}

extension Logger.Level {
    /// The level of the configuration's name.
    init(_ level: LogLevel) {
        self = Logger.Level(rawValue: level.rawValue) ?? .info
    }
}
