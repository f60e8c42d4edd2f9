internal import Wire

/// The state of reading a chunked body (RFC 9112 7.1).
///
/// Sizes have at most 15 hexadecimal digits, so that they cannot overflow. Extensions are read and dropped. A line
/// may end with a bare line feed, which many senders use; the reader is strict otherwise.
struct ChunkReader {
    /// What the next bytes are.
    private enum State {
        case size(digits: Int)
        case extensions
        case sizeLineFeed
        case data(left: Int64)
        case dataEnd
        case dataLineFeed
        case trailers
    }

    /// The result of reading bytes.
    enum Step {
        /// This many bytes from the position on belong to the body.
        case data(Int)
        /// All bytes are consumed.
        case needsMore
        /// The last chunk is complete; trailers follow.
        case trailers
        case invalid
    }

    private var state = State.size(digits: 0)
    private var size: Int64 = 0
    private var extensionBytes = 0

    /// The maximum length of one chunk's extensions, in bytes.
    private static let extensionLimit = 4096
    private static let digitLimit = 15

    init() {}

    /// Reads from `position` on, and advances it; data is reported, and must be skipped with ``skip(_:)``.
    mutating func next(in bytes: borrowing Span<UInt8>, at position: inout Int) -> Step {
        while position < bytes.count {
            if case .data(let left) = state { return .data(Int(min(left, Int64(bytes.count - position)))) }
            if case .trailers = state { return .trailers }
            guard take(bytes[position]) else { return .invalid }
            position += 1
        }
        if case .trailers = state { return .trailers }
        return .needsMore
    }

    /// Skips this many bytes of reported data.
    mutating func skip(_ count: Int) {
        guard case .data(let left) = state else { return }
        state = left == Int64(count) ? .dataEnd : .data(left: left - Int64(count))
    }

    /// Reads one byte that is not data.
    private mutating func take(_ byte: UInt8) -> Bool {
        switch state {
        case .size(let digits):
            if let digit = byte.hexadecimalValue {
                size = size << 4 | Int64(digit)
                state = .size(digits: digits + 1)
                return digits < Self.digitLimit
            }
            guard digits > 0 else { return false }
            return takeSizeEnd(byte)
        case .extensions:
            extensionBytes += 1
            if byte == 0x0D || byte == 0x0A { return takeSizeEnd(byte) }
            return extensionBytes <= Self.extensionLimit && !byte.isForbiddenInFieldValue
        case .sizeLineFeed:
            guard byte == 0x0A else { return false }
            endSizeLine()
            return true
        case .dataEnd:
            if byte == 0x0D { state = .dataLineFeed } else { beginSize() }
            return byte == 0x0D || byte == 0x0A
        case .dataLineFeed:
            beginSize()
            return byte == 0x0A
        case .data, .trailers: return false
        }
    }

    private mutating func takeSizeEnd(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x0D: state = .sizeLineFeed
        case 0x0A: endSizeLine()
        // Whitespace before extensions is discouraged, but not an error (RFC 9112 7.1.1: BWS).
        case 0x3B, 0x20, 0x09: state = .extensions
        default: return false
        }
        return true
    }

    private mutating func endSizeLine() {
        state = size == 0 ? .trailers : .data(left: size)
    }

    private mutating func beginSize() {
        state = .size(digits: 0)
        size = 0
        extensionBytes = 0
    }
}

extension UInt8 {
    /// The value of a hexadecimal digit.
    fileprivate var hexadecimalValue: UInt8? {
        if isASCIIDigit { return self &- 0x30 }
        let letter = lowercasedASCII
        return (0x61...0x66).contains(letter) ? letter &- 0x57 : nil
    }
}
