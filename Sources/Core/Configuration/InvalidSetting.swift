/// Why a text is not the value that a setting needs.
///
/// The text itself is left out: whoever read it knows whether it may be shown.
public struct InvalidSetting: Error, Hashable, Sendable {
    /// What is wrong and what is allowed, such as `must have a port from 0 to 65535`.
    public var reason: String

    /// Says that a text is wrong for this reason.
    public init(_ reason: String) { self.reason = reason }
}
