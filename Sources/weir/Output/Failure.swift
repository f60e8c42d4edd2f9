internal import ArgumentParser

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
