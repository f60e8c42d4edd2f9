public import Logging
internal import Synchronization

/// The minimum level of all loggers that use it, which any thread may change at any time.
public final class LogLevelSwitch: Sendable {
    private let index: Atomic<Int>

    /// A switch at this level.
    public init(_ level: Logger.Level) { index = Atomic(Self.index(of: level)) }

    /// The level in force.
    public var level: Logger.Level {
        get { Logger.Level.allCases[index.load(ordering: .relaxed)] }
        set { index.store(Self.index(of: newValue), ordering: .relaxed) }
    }

    private static func index(of level: Logger.Level) -> Int {
        Logger.Level.allCases.firstIndex(of: level) ?? 0
    }
}
