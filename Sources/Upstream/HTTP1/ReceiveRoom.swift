/// Memory that bytes are received into, used again for each call.
@safe public final class ReceiveRoom {
    /// Larger than what one call usually brings; a body of a megabyte takes few of them.
    private static let size = 64 << 10

    let buffer: UnsafeMutableRawBufferPointer

    /// Makes room.
    public init() {
        unsafe buffer = .allocate(byteCount: Self.size, alignment: 64)
    }

    deinit { unsafe buffer.deallocate() }
}
