/// A body without its content coding, as far as it could be taken off.
public struct DecodedBody: Sendable, Hashable {
    /// The decoded bytes; the coded ones if nothing could be decoded.
    public var bytes: [UInt8]
    /// Whether the bytes were cut at the limit.
    public var isTruncated: Bool
    /// Whether all of it could be decoded; `false` for an unknown coding, a lie, or a body that broke off.
    public var isIntact: Bool

    /// A body.
    public init(bytes: [UInt8], isTruncated: Bool, isIntact: Bool) {
        self.bytes = bytes
        self.isTruncated = isTruncated
        self.isIntact = isIntact
    }
}
