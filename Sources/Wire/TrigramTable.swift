/// Finds where three consecutive bytes of a table may end in a text, ignoring separators, with a few instructions per
/// byte and without an allocation.
///
/// It may report false positives, but misses nothing.
public struct TrigramTable: Sendable {
    /// Why a search has ended.
    public enum Result: Sendable, Equatable {
        /// Three bytes of the table may end at this index.
        case place(Int)
        /// A stop byte was reached before any such index.
        case stop
        /// The text contains neither.
        case none
    }

    private static let separator: UInt16 = 0x100
    private static let stop: UInt16 = 0x200
    private static let size = 8192

    /// The folded value of each byte.
    private let folds: [UInt16]
    /// Whether three bytes of the table have this hash.
    private var isKnown = [Bool](repeating: false, count: size)

    /// An empty table.
    ///
    /// - Parameters:
    ///   - fold: returns the value as which a byte is compared.
    ///   - isSeparator: whether a folded byte is ignored.
    ///   - stops: bytes that end every search.
    public init(folding fold: (UInt8) -> UInt8, isSeparator: (UInt8) -> Bool, stops: [UInt8]) {
        folds = (UInt8.min...UInt8.max).map { byte in
            if stops.contains(byte) { return Self.stop }
            let folded = fold(byte)
            return isSeparator(folded) ? Self.separator : UInt16(folded)
        }
    }

    /// Adds three folded bytes, none of which is a separator.
    public mutating func insert(_ first: UInt8, _ second: UInt8, _ third: UInt8) {
        var hash = 0
        for byte in [first, second, third] { hash = Self.hash(UInt16(byte), after: hash) }
        isKnown[hash] = true
    }

    /// The next match in `text`, from `start` on.
    ///
    /// - Parameter hash: 0 at the beginning; to continue after a match, the value that the previous search left.
    public func next(in text: Span<UInt8>, from start: Int, hash: inout Int) -> Result {
        precondition(start >= 0)
        return unsafe text.withUnsafeBytes { text in
            unsafe folds.withUnsafeBufferPointer { folds in
                unsafe isKnown.withUnsafeBufferPointer { isKnown in
                    var index = start
                    var current = hash & (Self.size - 1)
                    while index < text.count {
                        let byte = unsafe folds[Int(text[index])]
                        if byte > 0xFF {
                            if byte == Self.stop { return .stop }
                        } else {
                            current = Self.hash(byte, after: current)
                            if unsafe isKnown[current] {
                                hash = current
                                return .place(index)
                            }
                        }
                        index &+= 1
                    }
                    return .none
                }
            }
        }
    }

    /// Depends only on the last three bytes: earlier ones are shifted out.
    @inline(__always)
    private static func hash(_ byte: UInt16, after hash: Int) -> Int {
        (hash &<< 5 ^ Int(byte)) & (size - 1)
    }
}
