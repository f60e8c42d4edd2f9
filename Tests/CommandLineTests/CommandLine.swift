import TestSupport

/// The built program, run without what the tester's environment may say.
enum CommandLine {
    private static let clean = [
        "WEIR_LISTEN": "", "WEIR_ADMIN_LISTEN": "", "WEIR_WORKERS": "", "WEIR_LOG_LEVEL": "",
        "WEIR_ACCESS_LOG": "",
    ]

    /// Runs `weir` to its end.
    static func run(
        _ arguments: String..., environment: [String: String] = [:], input: String = ""
    ) throws -> Subprocess.Outcome {
        try run(arguments, environment: environment, input: Array(input.utf8))
    }

    /// Runs `weir` to its end.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = []
    ) throws -> Subprocess.Outcome {
        try Subprocess.run(
            WeirBinary.path, arguments, environment: clean.merging(environment) { $1 }, input: input)
    }

    /// Starts `weir`, to be stopped by a signal.
    static func start(_ arguments: String..., environment: [String: String] = [:]) throws -> Subprocess {
        try Subprocess(WeirBinary.path, arguments, environment: clean.merging(environment) { $1 })
    }
}

extension Subprocess.Outcome {
    /// Its exit code; `nil` if a signal ended it.
    var code: Int32? {
        if case .code(let code) = exit { code } else { nil }
    }

    /// The lines of its standard error.
    var errorLines: [Substring] { errorOutput.split(separator: "\n") }
}
