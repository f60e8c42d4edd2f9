/// How a program ended.
public enum ProcessExit: Sendable, Equatable {
    /// By itself, with an exit code.
    case code(Int32)
    /// By a signal.
    case signal(Int32)
}
