public import Wire

/// A provider's whole answer.
public struct ProviderAnswer: Sendable {
    /// The status, 100 to 999.
    public var status: Int
    /// The fields.
    public var fields: FieldBlock
    /// The body without its content coding.
    public var body: [UInt8]
    /// Whether the body was cut at its limit, so that it cannot be read as a whole.
    public var isTruncated: Bool
    /// Whether the codings of the body could be undone.
    public var isDecoded: Bool

    /// An answer.
    public init(
        status: Int, fields: FieldBlock, body: [UInt8], isTruncated: Bool = false, isDecoded: Bool = true
    ) {
        self.status = status
        self.fields = fields
        self.body = body
        self.isTruncated = isTruncated
        self.isDecoded = isDecoded
    }
}
