/// Most bytes of a message mean themselves: they are looked through eight at a time, and copied as one piece.
extension Span where Element == UInt8 {
    /// The index of the first byte, from `start` on, that does not mean itself in a JSON string: a quote, a backslash, or
    /// anything but printable ASCII; `count` if there is none.
    public func endOfPlainRun(from start: Int) -> Int {
        precondition(start >= 0)
        return unsafe withUnsafeBytes { memory in
            var index = start
            while index &+ 8 <= memory.count {
                let special = unsafe Self.special(in: Self.word(memory, at: index))
                if special != 0 { return index &+ special.trailingZeroBitCount >> 3 }
                index &+= 8
            }
            while index < memory.count, unsafe memory[index].isPlain { index &+= 1 }
            return index
        }
    }

    /// Whether `first` stands somewhere directly before `second`.
    public func containsPair(_ first: UInt8, _ second: UInt8) -> Bool {
        unsafe withUnsafeBytes { memory in
            let (firsts, seconds) = (Self.low &* UInt64(first), Self.low &* UInt64(second))
            var index = 0
            while index &+ 9 <= memory.count {
                let here = unsafe Self.word(memory, at: index) ^ firsts
                let next = unsafe Self.word(memory, at: index &+ 1) ^ seconds
                if Self.zeros(in: here | next) != 0 { return true }
                index &+= 8
            }
            while index &+ 1 < memory.count {
                if unsafe memory[index] == first && memory[index &+ 1] == second { return true }
                index &+= 1
            }
            return false
        }
    }

    /// The index of the first `byte` from `start` on; `count` if there is none.
    public func index(of byte: UInt8, from start: Int) -> Int {
        precondition(start >= 0)
        return unsafe withUnsafeBytes { memory in
            let pattern = Self.low &* UInt64(byte)
            var index = start
            while index &+ 8 <= memory.count {
                let found = unsafe Self.zeros(in: Self.word(memory, at: index) ^ pattern)
                if found != 0 { return index &+ found.trailingZeroBitCount >> 3 }
                index &+= 8
            }
            while index < memory.count, unsafe memory[index] != byte { index &+= 1 }
            return index
        }
    }

    /// The lowest bit of each byte.
    private static var low: UInt64 { 0x0101_0101_0101_0101 }
    /// The highest bit of each byte.
    private static var high: UInt64 { 0x8080_8080_8080_8080 }

    @inline(__always)
    private static func word(_ memory: UnsafeRawBufferPointer, at index: Int) -> UInt64 {
        UInt64(littleEndian: unsafe memory.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    /// Marks bytes that are 0.
    ///
    /// A mark above the lowest one may be wrong: subtracting borrows.
    @inline(__always)
    private static func zeros(in word: UInt64) -> UInt64 { (word &- low) & ~word & high }

    /// Marks bytes that do not mean themselves.
    ///
    /// A mark above the lowest one may be wrong.
    @inline(__always)
    private static func special(in word: UInt64) -> UInt64 {
        let quotes = zeros(in: word ^ low &* 0x22)
        let backslashes = zeros(in: word ^ low &* 0x5C)
        let controls = (word &- low &* 0x20) & ~word
        // Adding 1 carries DEL into the highest bit.
        return quotes | backslashes | ((controls | word | (word &+ low)) & high)
    }
}

extension UInt8 {
    /// Whether this means itself in a JSON string: printable ASCII, no quote, no backslash.
    fileprivate var isPlain: Bool { self &- 0x20 < 0x5F && self != 0x22 && self != 0x5C }
}

extension [UInt8] {
    /// Adds a copy of some bytes.
    public mutating func append(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Adds the UTF-8 of a literal.
    public mutating func append(literal: StaticString) {
        // A StaticString is a constant of the program: its pointer is valid for ever.
        unsafe append(
            contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
}
