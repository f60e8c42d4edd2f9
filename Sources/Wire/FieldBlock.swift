/// The header fields of one message in order, as received: names keep their case, repeated fields stay separate.
///
/// One allocation holds everything; `removeAll()` keeps it, so a reused block allocates nothing. A NUL follows each
/// name and each value, because C libraries need it and HTTP forbids it inside.
public struct FieldBlock: Sendable {
    /// The fields one after the other, up to `end`: the ``Lengths`` of a field, its name, a NUL, its value, a NUL.
    ///
    /// Bytes after `end` are meaningless: an array that ended there would check its capacity and update its count for
    /// each piece.
    private var memory: [UInt8] = []
    private var end = 0
    /// The number of fields, and in the upper bits the start of the last field: a larger block would be passed
    /// through memory.
    private var tail: UInt64 = 0
    /// One bit per added name, see ``bit(of:)``: most names that are looked up are absent.
    private var names: UInt64 = 0

    /// The number of fields; a repeated field counts each time.
    public var count: Int { Int(tail & 0xFFFF_FFFF) }

    /// Where the last field begins.
    private var lastStart: Int { Int(tail &>> 32) }

    /// Counts a field that was added at `start`.
    @inline(__always)
    private mutating func countField(at start: Int) {
        tail = UInt64(UInt32(start)) &<< 32 | (tail &+ 1) & 0xFFFF_FFFF
    }

    /// An empty block.
    public init() {}

    /// The bytes of all names and values without separators, as counted by the limit on the header section.
    public var byteCount: Int { end - count * (Lengths.size + 2) }

    /// Appends a field.
    public mutating func append(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
        let lengths = Lengths(name: name.count, value: value.count)
        let (start, place) = (end, lengths.place(at: end))
        makeRoom(place.end - start)
        let (name, value) = (copy name, copy value)
        unsafe memory.withUnsafeMutableBytes { memory in
            unsafe memory.storeBytes(of: lengths.word, toByteOffset: start, as: UInt64.self)
            unsafe Self.copy(name, to: memory, at: place.nameStart)
            unsafe memory[place.valueStart - 1] = 0
            unsafe Self.copy(value, to: memory, at: place.valueStart)
            unsafe memory[place.end - 1] = 0
        }
        names |= Self.bit(of: name)
        countField(at: start)
        end = place.end
    }

    /// Appends a field.
    public mutating func append(_ name: String, _ value: String) {
        append(name: Array(name.utf8).span, value: Array(value.utf8).span)
    }

    /// Appends a field whose value is produced by `write`, without an allocation.
    public mutating func append(name: [UInt8], writingValue write: (inout ValueWriter) -> Void) {
        let start = end
        append(name: name.span, value: Span())
        // The NUL after the value is added when the value is complete.
        end -= 1
        let valueStart = end
        var writer = ValueWriter(block: exchange(&self, with: FieldBlock()))
        write(&writer)
        self = writer.finish()
        let lengths = Lengths(name: name.count, value: end - valueStart)
        push(0)
        unsafe memory.withUnsafeMutableBytes { memory in
            unsafe memory.storeBytes(of: lengths.word, toByteOffset: start, as: UInt64.self)
        }
    }

    /// Appends those fields of `other` for which `isWanted` returns true, in order.
    @inline(__always)
    public mutating func append(
        _ other: borrowing FieldBlock, where isWanted: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool
    ) {
        let all = other.memory.span
        names |= other.names
        var start = 0
        while start < other.end {
            let place = Lengths(in: all, at: start).place(at: start)
            if isWanted(all.extracting(place.name), all.extracting(place.value)) {
                countField(at: end)
                push(all.extracting(start..<place.end))
            }
            start = place.end
        }
    }

    /// Appends a space and `text` to the last field's value: an obsolete line folding (RFC 9112 5.2).
    public mutating func continueLastValue(with text: borrowing Span<UInt8>) {
        guard count > 0 else { return }
        let lengths = Lengths(in: memory.span, at: lastStart)
        end -= 1
        push(0x20)
        push(text)
        push(0)
        let (start, longer) = (lastStart, Lengths(name: lengths.name, value: lengths.value + 1 + text.count))
        unsafe memory.withUnsafeMutableBytes { memory in
            unsafe memory.storeBytes(of: longer.word, toByteOffset: start, as: UInt64.self)
        }
    }

    /// Removes the last field; there must be one, and this must not be called twice in a row.
    public mutating func removeLast() {
        guard count > 0 else { return }
        end = lastStart
        tail &-= 1
    }

    /// Removes all fields and keeps the memory.
    public mutating func removeAll() {
        names = 0
        end = 0
        tail = 0
    }

    /// Calls `body` with each field's name and value, in order.
    @inline(__always)
    public func forEach(_ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        let all = memory.span
        var start = 0
        while start < end {
            let place = Lengths(in: all, at: start).place(at: start)
            body(all.extracting(place.name), all.extracting(place.value))
            start = place.end
        }
    }

    /// Calls `body` with each field's name and value as C strings, valid during the call.
    public func forEachTerminated(_ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Void) {
        unsafe memory.withUnsafeBytes { bytes in
            guard let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            var start = 0
            while start < end {
                let place = Lengths(in: memory.span, at: start).place(at: start)
                unsafe body(base + place.nameStart, base + place.valueStart)
                start = place.end
            }
        }
    }

    /// The first value of the field `name` (case-insensitive), or `nil`.
    public func first(_ name: String) -> String? {
        place(of: Array(name.utf8).span).map { memory.span.extracting($0.value).string }
    }

    /// All values of the field `name` as one list (RFC 9110 5.3), or `nil` if there is none.
    public func list(_ name: String) -> String? {
        guard var list = first(name) else { return nil }
        var isFirst = true
        let wanted = Array(name.utf8)
        forEach { field, value in
            guard field.equalsIgnoringCase(wanted.span) else { return }
            if !isFirst { list += ", " + value.string }
            isFirst = false
        }
        return list
    }

    /// The array that ``rangeOfFirstValue(of:)`` refers to; the rest of its contents is private.
    public var storage: [UInt8] { memory }

    /// The range in ``storage`` of the first value of the field `name` (case-insensitive), without surrounding
    /// whitespace.
    public func rangeOfFirstValue(of name: borrowing Span<UInt8>) -> Range<Int>? {
        guard let place = place(of: name) else { return nil }
        let range = memory.span.extracting(place.value).trimmedRange
        return place.valueStart + range.lowerBound..<place.valueStart + range.upperBound
    }

    /// The result of `body` for the first value of the field `name`, without surrounding whitespace; `nil` if there
    /// is no such field.
    public func withFirstValue<Result>(
        of name: borrowing Span<UInt8>, _ body: (Span<UInt8>) -> Result
    ) -> Result? {
        guard let place = place(of: name) else { return nil }
        let value = memory.span.extracting(place.value)
        return body(value.extracting(value.trimmedRange))
    }

    /// Whether there is a field `name` (case-insensitive).
    public func contains(_ name: borrowing Span<UInt8>) -> Bool { place(of: name) != nil }

    private func place(of name: borrowing Span<UInt8>) -> Place? {
        guard names & Self.bit(of: name) != 0 else { return nil }
        let all = memory.span
        var start = 0
        while start < end {
            let lengths = Lengths(in: all, at: start)
            let place = lengths.place(at: start)
            if lengths.name == name.count, all.extracting(place.name).equalsIgnoringCase(name) {
                return place
            }
            start = place.end
        }
        return nil
    }
}

// MARK: Memory

extension FieldBlock {
    /// The bit is the same for names that differ only in the case of letters.
    @inline(__always)
    private static func bit(of name: borrowing Span<UInt8>) -> UInt64 {
        let count = name.count
        guard count > 0 else { return 1 }
        // Small and capital letters differ in one bit.
        let ends = (name[0] | 0x20) &+ (name[count - 1] | 0x20) &* 5
        return 1 &<< (UInt64(truncatingIfNeeded: count) &* 11 &+ UInt64(ends))
    }

    /// The lengths of a field's name and value, stored before them.
    private struct Lengths {
        static let size = 8

        var word: UInt64

        /// Every limit stops a message before it reaches 4 GiB.
        init(name: Int, value: Int) { word = UInt64(UInt32(name)) << 32 | UInt64(UInt32(value)) }

        init(in memory: Span<UInt8>, at start: Int) {
            word = unsafe memory.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
        }

        var name: Int { Int(word >> 32) }
        var value: Int { Int(word & 0xFFFF_FFFF) }

        func place(at start: Int) -> Place {
            let nameStart = start + Self.size
            let valueStart = nameStart + name + 1
            return Place(nameStart: nameStart, valueStart: valueStart, end: valueStart + value + 1)
        }
    }

    /// The position of a field, including the NUL after its value.
    private struct Place {
        var nameStart: Int
        var valueStart: Int
        var end: Int

        var name: Range<Int> { nameStart..<valueStart - 1 }
        var value: Range<Int> { valueStart..<end - 1 }
    }

    /// Writes the value of a field; see ``FieldBlock/append(name:writingValue:)``.
    public struct ValueWriter: ~Copyable, ByteSink {
        private var block: FieldBlock

        fileprivate init(block: consuming FieldBlock) { self.block = block }

        /// Adds a byte.
        public mutating func append(_ byte: UInt8) { block.push(byte) }

        /// Adds a copy of some bytes.
        public mutating func append(_ bytes: borrowing Span<UInt8>) { block.push(bytes) }

        /// Adds the UTF-8 of a literal.
        public mutating func append(literal: StaticString) {
            // A StaticString is a constant of the program: its pointer is always valid.
            block.push(
                unsafe Span(_unsafeStart: literal.utf8Start, count: literal.utf8CodeUnitCount))
        }

        fileprivate consuming func finish() -> FieldBlock { block }
    }

    private mutating func push(_ byte: UInt8) {
        makeRoom(1)
        memory[end] = byte
        end += 1
    }

    private mutating func push(_ bytes: borrowing Span<UInt8>) {
        makeRoom(bytes.count)
        let (bytes, start) = (copy bytes, end)
        unsafe memory.withUnsafeMutableBytes { unsafe Self.copy(bytes, to: $0, at: start) }
        end += bytes.count
    }

    /// - Parameter memory: must have enough room.
    @inline(__always)
    private static func copy(
        _ text: borrowing Span<UInt8>, to memory: UnsafeMutableRawBufferPointer, at start: Int
    ) {
        unsafe text.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: source)
        }
    }

    @inline(__always)
    private mutating func makeRoom(_ length: Int) {
        if length > memory.count - end { grow(length) }
    }

    @inline(never)
    private mutating func grow(_ length: Int) {
        memory += repeatElement(0, count: max(length, memory.count, 512))
    }
}
