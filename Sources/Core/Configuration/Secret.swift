/// A text that may be sent to one provider, and shown to nobody.
///
/// Printing, dumping or interpolating it gives `(secret)`; only ``value`` has the text.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The text.
    public let value: String

    /// Keeps `value` to itself.
    public init(_ value: String) { self.value = value }

    /// Always `(secret)`.
    public var description: String { "(secret)" }

    /// Always `(secret)`.
    public var debugDescription: String { "(secret)" }

    /// A mirror without children, so that `dump` shows nothing either.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
