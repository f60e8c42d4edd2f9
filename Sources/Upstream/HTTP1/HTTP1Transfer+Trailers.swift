internal import Wire

/// What stands behind the last chunk of a request.
extension HTTP1Transfer {
    /// See ``UpstreamTransfer/sendsTrailers``.
    public var sendsTrailers: Bool { true }

    /// See ``UpstreamTransfer/addTrailer(name:value:)``.
    public func addTrailer(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
        trailerLines.append(name)
        trailerLines += [0x3A, 0x20]
        trailerLines.append(value)
        trailerLines += [0x0D, 0x0A]
    }
}
