/// A queue of bytes in one block of memory, which moves only when it grows.
///
/// The memory is kept when the queue becomes empty. It is the only body buffer of an exchange; its owner decides how
/// full it may get.
@safe public struct ByteQueue: ~Copyable, ByteSink {
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0

    /// An empty queue without memory.
    public init() { unsafe memory = nil }

    deinit { unsafe memory?.deallocate() }

    /// The number of bytes in the queue.
    public var count: Int { end - start }

    /// Whether the queue is empty.
    public var isEmpty: Bool { end == start }

    /// Adds a byte.
    @inline(__always)
    public mutating func append(_ byte: UInt8) {
        unsafe reserve(1).storeBytes(of: byte, as: UInt8.self)
        end &+= 1
    }

    /// Adds a copy of `bytes`.
    public mutating func append(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe reserve(source.count).copyMemory(from: base, byteCount: source.count)
            end &+= source.count
        }
    }

    /// Adds the UTF-8 of a literal; if it is inlined, this takes a few stores.
    @inline(__always)
    public mutating func append(literal: StaticString) {
        let length = literal.utf8CodeUnitCount
        // A StaticString is a constant of the program: its pointer is always valid.
        unsafe reserve(length).copyMemory(from: literal.utf8Start, byteCount: length)
        end &+= length
    }

    /// Adds a field line, `name: value` and CR LF.
    @inline(__always)
    public mutating func appendField(
        name: borrowing Span<UInt8>, value: borrowing Span<UInt8>, lineEnd: StaticString = "\r\n"
    ) {
        // `name:` alone for an empty value.
        let valueStart = name.count + (value.isEmpty ? 1 : 2)
        let length = valueStart + value.count + 2
        let target = unsafe reserve(length)
        unsafe Self.copy(name, to: target)
        unsafe (target + name.count).storeBytes(of: UInt16(littleEndian: 0x203A), as: UInt16.self)
        unsafe Self.copy(value, to: target + valueStart)
        precondition(lineEnd.utf8CodeUnitCount == 2)
        unsafe (target + length - 2).copyMemory(from: lineEnd.utf8Start, byteCount: 2)
        end += length
    }

    /// Adds a copy of `bytes`.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return }
        unsafe reserve(bytes.count).copyMemory(from: base, byteCount: bytes.count)
        end += bytes.count
    }

    /// Adds a number in decimal digits.
    public mutating func append(decimal number: Int64) { append(digitsOf: UInt64(max(0, number)), base: 10) }

    /// Adds a number in hexadecimal digits.
    public mutating func append(hexadecimal number: Int) {
        append(digitsOf: UInt64(max(0, number)), base: 16)
    }

    private mutating func append(digitsOf number: UInt64, base: UInt64) {
        var length = 1
        var rest = number / base
        while rest > 0 { (length, rest) = (length + 1, rest / base) }
        let target = unsafe reserve(length)
        end += length
        rest = number
        for index in stride(from: length - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: rest % base)
            unsafe (target + index).storeBytes(of: digit < 10 ? 0x30 + digit : 0x57 + digit, as: UInt8.self)
            rest /= base
        }
    }

    /// Removes the first `count` bytes.
    public mutating func removeFirst(_ count: Int) {
        precondition(count <= self.count)
        start += count
        if start == end { (start, end) = (0, 0) }
    }

    /// Removes the last `count` bytes.
    public mutating func removeLast(_ count: Int) {
        precondition(count <= self.count)
        end -= count
    }

    /// The bytes in the queue; valid until the queue is changed.
    public var waiting: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: memory.map { unsafe $0 + start }, count: count)
    }

    private static func copy(_ text: borrowing Span<UInt8>, to target: UnsafeMutableRawPointer) {
        unsafe text.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe target.copyMemory(from: base, byteCount: source.count)
        }
    }

    /// Moves as many bytes as fit into `target`, and returns their number.
    public mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let length = min(count, target.count)
        guard length > 0, let memory = unsafe memory, let base = target.baseAddress else { return 0 }
        unsafe base.copyMemory(from: memory + start, byteCount: length)
        start += length
        if start == end { (start, end) = (0, 0) }
        return length
    }

    /// Removes all bytes; memory above `kept` bytes is released.
    public mutating func removeAll(keeping kept: Int = 64 << 10) {
        (start, end) = (0, 0)
        guard capacity > kept else { return }
        unsafe memory?.deallocate()
        unsafe memory = nil
        capacity = 0
    }

    /// The address of the first byte; valid until the queue is changed.
    public var address: UnsafeMutableRawPointer? { unsafe memory.map { unsafe $0 + start } }

    /// A copy of the bytes in the queue.
    public var bytes: [UInt8] {
        guard let memory = unsafe memory else { return [] }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: memory + start, count: count))
    }

    /// Makes room after the bytes and returns its address.
    @inline(__always)
    private mutating func reserve(_ length: Int) -> UnsafeMutableRawPointer {
        if let memory = unsafe memory, length <= capacity &- end { return unsafe memory + end }
        return unsafe makeRoom(length)
    }

    @inline(never)
    private mutating func makeRoom(_ length: Int) -> UnsafeMutableRawPointer {
        let waiting = count
        if let memory = unsafe memory, start > 0, waiting + length <= capacity {
            unsafe memory.copyMemory(from: memory + start, byteCount: waiting)
            (start, end) = (0, waiting)
            return unsafe memory + end
        }
        var larger = max(capacity, 2048)
        while larger < waiting + length { larger *= 2 }
        let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        if let memory = unsafe memory {
            unsafe grown.copyMemory(from: memory + start, byteCount: waiting)
            unsafe memory.deallocate()
        }
        unsafe memory = grown
        capacity = larger
        (start, end) = (0, waiting)
        return unsafe grown + end
    }
}

/// A destination for bytes: an array, or the queue in which a response waits for its client.
public protocol ByteSink: ~Copyable {
    /// Adds a byte.
    mutating func append(_ byte: UInt8)
    /// Adds a copy of some bytes.
    mutating func append(_ bytes: borrowing Span<UInt8>)
    /// Adds the UTF-8 of a literal.
    mutating func append(literal: StaticString)
}

extension ByteSink where Self: ~Copyable {
    /// Adds a copy of some bytes.
    public mutating func append(_ bytes: [UInt8]) { append(bytes.span) }
}

extension [UInt8]: ByteSink {
    /// Adds a copy of some bytes.
    public mutating func append(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Adds the UTF-8 of a literal.
    public mutating func append(literal: StaticString) {
        // A StaticString is a constant of the program: its pointer is always valid.
        unsafe append(
            contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
}
