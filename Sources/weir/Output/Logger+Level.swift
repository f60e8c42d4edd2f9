internal import Logging
internal import Core

extension Logger.Level {
    /// The level of the configuration's name.
    init(_ level: LogLevel) {
        self = Logger.Level(rawValue: level.rawValue) ?? .info
    }
}
