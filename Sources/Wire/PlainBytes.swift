/// Searches bytes sixteen at a time: most bytes of a message need no treatment and are copied in one piece.
extension Span where Element == UInt8 {
    /// The index of the first byte, from `start` on, that needs an escape or a check in a JSON string: a quote, a
    /// backslash, or anything but printable ASCII; `count` if there is none.
    public func endOfPlainRun(from start: Int) -> Int {
        precondition(start >= 0)
        return unsafe withUnsafeBytes { memory in
            let last = memory.count &- 16
            var index = start
            while index <= last {
                if let place = unsafe Words(memory, at: index).special.firstMark { return index &+ place }
                index &+= 16
            }
            if start <= last, index < memory.count {
                // The rest is processed together with bytes before it that were already checked.
                return unsafe Words(memory, at: last).special.firstMark.map { last &+ $0 } ?? memory.count
            }
            while index < memory.count, unsafe memory[index].isPlain { index &+= 1 }
            return index
        }
    }

    /// Whether these bytes equal `other`.
    public func equals(_ other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        let other = copy other
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                var index = 0
                while index &+ 8 <= left.count {
                    let word = unsafe left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    if unsafe word != right.loadUnaligned(fromByteOffset: index, as: UInt64.self) {
                        return false
                    }
                    index &+= 8
                }
                while index < left.count {
                    if unsafe left[index] != right[index] { return false }
                    index &+= 1
                }
                return true
            }
        }
    }

    /// The index, from `start` on, of `first` directly followed by `second`; `count` if there is none.
    public func index(ofPair first: UInt8, _ second: UInt8, from start: Int) -> Int {
        precondition(start >= 0)
        return unsafe withUnsafeBytes { memory in
            let (firsts, seconds) = (Words(all: first), Words(all: second))
            var index = start
            while index &+ 17 <= memory.count {
                let here = unsafe Words(memory, at: index) ^ firsts
                let next = unsafe Words(memory, at: index &+ 1) ^ seconds
                if let place = (here | next).zeros.firstMark { return index &+ place }
                index &+= 16
            }
            while index &+ 1 < memory.count {
                if unsafe memory[index] == first && memory[index &+ 1] == second { return index }
                index &+= 1
            }
            return memory.count
        }
    }

    /// The index of the first byte, from `start` on, that a field value must not contain (see
    /// ``Swift/UInt8/isForbiddenInFieldValue``); `count` if there is none.
    public func endOfFieldValue(from start: Int) -> Int {
        precondition(start >= 0)
        return unsafe withUnsafeBytes { memory in
            var index = start
            while index &+ 16 <= memory.count {
                guard let place = unsafe Words(memory, at: index).controls.firstMark else {
                    index &+= 16
                    continue
                }
                index &+= place
                // Tabs are allowed and rare.
                guard unsafe memory[index] == 0x09 else { return index }
                index &+= 1
            }
            while index < memory.count, unsafe !memory[index].isForbiddenInFieldValue { index &+= 1 }
            return index
        }
    }

    /// The index of the first `byte` from `start` on; `count` if there is none.
    public func index(of byte: UInt8, from start: Int) -> Int {
        precondition(start >= 0)
        return unsafe withUnsafeBytes { memory in
            let pattern = Words(all: byte)
            var index = start
            while index &+ 16 <= memory.count {
                let marks = unsafe (Words(memory, at: index) ^ pattern).zeros
                if let place = marks.firstMark { return index &+ place }
                index &+= 16
            }
            while index < memory.count, unsafe memory[index] != byte { index &+= 1 }
            return index
        }
    }
}

/// Sixteen bytes as two numbers, with the first byte lowest: one operation processes all bytes.
private typealias Words = SIMD2<UInt64>

extension Words {
    @inline(__always)
    fileprivate init(_ memory: UnsafeRawBufferPointer, at index: Int) {
        self.init(
            UInt64(littleEndian: unsafe memory.loadUnaligned(fromByteOffset: index, as: UInt64.self)),
            UInt64(littleEndian: unsafe memory.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)))
    }

    @inline(__always)
    fileprivate init(all byte: UInt8) { self.init(repeating: 0x0101_0101_0101_0101 &* UInt64(byte)) }

    /// Marks zero bytes with their highest bit.
    ///
    /// Only the lowest mark of a number is reliable, because of the borrow of the subtraction.
    @inline(__always)
    fileprivate var zeros: Words { (self &- Words(all: 0x01)) & ~self & Words(all: 0x80) }

    /// Marks bytes that are not plain; see ``endOfPlainRun(from:)``.
    ///
    /// Only the lowest mark of a number is reliable.
    @inline(__always)
    fileprivate var special: Words {
        let quotes = (self ^ Words(all: 0x22)).zeros
        let backslashes = (self ^ Words(all: 0x5C)).zeros
        let low = (self &- Words(all: 0x20)) & ~self
        // Adding 1 carries DEL into the highest bit.
        let others = (low | self | (self &+ Words(all: 0x01))) & Words(all: 0x80)
        return quotes | backslashes | others
    }

    /// Marks control characters, including the tab and DEL.
    ///
    /// Only the lowest mark of a number is reliable.
    @inline(__always)
    fileprivate var controls: Words {
        ((self &- Words(all: 0x20)) & ~self & Words(all: 0x80)) | (self ^ Words(all: 0x7F)).zeros
    }

    /// The index of the first marked byte.
    @inline(__always)
    fileprivate var firstMark: Int? {
        guard self[0] | self[1] != 0 else { return nil }
        return self[0] != 0
            ? self[0].trailingZeroBitCount >> 3 : 8 &+ self[1].trailingZeroBitCount >> 3
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes equal as many bytes of `other`, ignoring the case of ASCII letters.
    func equalsIgnoringCase(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count >= 8 else {
            guard count < 4 else { return unsafe ends.equalsIgnoringCase(other.ends) }
            for index in 0..<count
            where unsafe self[index].lowercasedASCII != other[index].lowercasedASCII { return false }
            return true
        }
        var index = 0
        while true {
            let word = unsafe loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let expected = unsafe other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard word.equalsIgnoringCase(expected) else { return false }
            if index == count &- 8 { return true }
            // The rest is processed together with bytes before it that were already checked.
            index = Swift.min(index &+ 8, count &- 8)
        }
    }

    /// The first four and the last four bytes: all bytes, if there are four to eight.
    @inline(__always)
    fileprivate var ends: UInt64 {
        let first = unsafe loadUnaligned(fromByteOffset: 0, as: UInt32.self)
        let last = unsafe loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        return UInt64(first) &<< 32 | UInt64(last)
    }
}

extension UInt64 {
    /// Whether eight bytes are equal, ignoring the case of ASCII letters.
    @inline(__always)
    fileprivate func equalsIgnoringCase(_ other: UInt64) -> Bool {
        func all(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }
        // The highest bits show which bytes are letters: no addition carries beyond them.
        let lowercased = (self & all(0x7F)) | all(0x20)
        let letters =
            (lowercased &+ all(0x80 - 0x61)) & ~(lowercased &+ all(0x80 - 0x7B)) & ~self & all(0x80)
        return (self ^ other) & ~(letters &>> 2) == 0
    }
}

extension UInt8 {
    /// Whether this can be copied into a JSON string: printable ASCII except quote and backslash.
    fileprivate var isPlain: Bool { self &- 0x20 < 0x5F && self != 0x22 && self != 0x5C }
}
