/// The fields of one message, in order, as the bytes that came: names keep their case, repeated fields stay apart.
///
/// One allocation holds all; `removeAll()` keeps it, so a block that is used again allocates nothing. Each name and each
/// value is followed by a NUL, which C libraries want and HTTP forbids inside.
public struct FieldBlock: Sendable {
    private struct Entry {
        var nameStart: Int32
        var valueStart: Int32
        var valueEnd: Int32
    }

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []

    /// An empty block.
    public init() {}

    /// How many fields there are; a repeated field counts each time.
    public var count: Int { entries.count }

    /// The bytes of all names and values, without separators: what a limit on the field section counts.
    public var byteCount: Int { bytes.count - 2 * entries.count }

    /// Adds a field behind the others.
    public mutating func append(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
        let nameStart = bytes.count
        append(name)
        let valueStart = bytes.count
        append(value)
        entries.append(
            Entry(
                nameStart: Int32(nameStart), valueStart: Int32(valueStart), valueEnd: Int32(bytes.count - 1)))
    }

    /// Adds a field behind the others.
    public mutating func append(_ name: String, _ value: String) {
        append(name: Array(name.utf8).span, value: Array(value.utf8).span)
    }

    /// Adds a field whose value `write` appends to the bytes that it is given: nothing is allocated for it.
    public mutating func append(name: [UInt8], writingValue write: (inout [UInt8]) -> Void) {
        let nameStart = bytes.count
        append(name.span)
        let valueStart = bytes.count
        write(&bytes)
        entries.append(
            Entry(nameStart: Int32(nameStart), valueStart: Int32(valueStart), valueEnd: Int32(bytes.count)))
        bytes.append(0)
    }

    /// Adds the fields of `other` that `isWanted` chooses, in order.
    @inline(__always)
    public mutating func append(
        _ other: borrowing FieldBlock, where isWanted: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool
    ) {
        let all = other.bytes.span
        for entry in other.entries {
            let (start, end) = (Int(entry.nameStart), Int(entry.valueEnd) + 1)
            guard
                isWanted(
                    all.extracting(start..<Int(entry.valueStart) - 1),
                    all.extracting(Int(entry.valueStart)..<end - 1))
            else { continue }
            // Name and value with the NUL behind each lie in one piece.
            let shift = Int32(bytes.count - start)
            bytes.append(all.extracting(start..<end))
            entries.append(
                Entry(
                    nameStart: entry.nameStart + shift, valueStart: entry.valueStart + shift,
                    valueEnd: entry.valueEnd + shift))
        }
    }

    /// Adds `text` to the last field's value, behind a space: an obsolete line folding (RFC 9112 5.2).
    public mutating func continueLastValue(with text: borrowing Span<UInt8>) {
        guard !entries.isEmpty else { return }
        bytes.removeLast()
        bytes.append(0x20)
        append(text)
        entries[entries.count - 1].valueEnd = Int32(bytes.count - 1)
    }

    /// Forgets all fields and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with each field's name and value, in order.
    @inline(__always)
    public func forEach(_ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
        let all = bytes.span
        for entry in entries {
            body(
                all.extracting(Int(entry.nameStart)..<Int(entry.valueStart - 1)),
                all.extracting(Int(entry.valueStart)..<Int(entry.valueEnd)))
        }
    }

    /// Calls `body` with each field's name and value as C strings, valid during the call.
    public func forEachTerminated(_ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Void) {
        unsafe bytes.withUnsafeBytes { memory in
            guard let base = unsafe memory.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            for entry in entries {
                unsafe body(base + Int(entry.nameStart), base + Int(entry.valueStart))
            }
        }
    }

    /// The first value of the field `name`, whose case does not matter, or `nil`.
    public func first(_ name: String) -> String? {
        entry(of: Array(name.utf8).span).map { entry in
            bytes.span.extracting(Int(entry.valueStart)..<Int(entry.valueEnd)).string
        }
    }

    /// The bytes of all names and values, with a NUL behind each: what ``rangeOfFirstValue(of:)`` is a part of.
    public var storage: [UInt8] { bytes }

    /// Where in ``storage`` the first value of the field `name` lies, whose case does not matter, without blanks around it.
    public func rangeOfFirstValue(of name: borrowing Span<UInt8>) -> Range<Int>? {
        guard let entry = entry(of: name) else { return nil }
        let start = Int(entry.valueStart)
        let range = bytes.span.extracting(start..<Int(entry.valueEnd)).trimmedRange
        return start + range.lowerBound..<start + range.upperBound
    }

    /// What `body` makes of the first value of the field `name`, without blanks around it; `nil` if there is no such field.
    public func withFirstValue<Result>(
        of name: borrowing Span<UInt8>, _ body: (Span<UInt8>) -> Result
    ) -> Result? {
        guard let entry = entry(of: name) else { return nil }
        let value = bytes.span.extracting(Int(entry.valueStart)..<Int(entry.valueEnd))
        return body(value.extracting(value.trimmedRange))
    }

    /// Whether there is a field `name`, whose case does not matter.
    public func contains(_ name: borrowing Span<UInt8>) -> Bool { entry(of: name) != nil }

    private func entry(of name: borrowing Span<UInt8>) -> Entry? {
        let (all, entries) = (bytes.span, entries.span)
        for index in 0..<entries.count {
            let (start, end) = (Int(entries[index].nameStart), Int(entries[index].valueStart) - 1)
            if end - start == name.count, all.extracting(start..<end).equalsIgnoringCase(name) {
                return entries[index]
            }
        }
        return nil
    }

    private mutating func append(_ text: borrowing Span<UInt8>) {
        bytes.append(text)
        bytes.append(0)
    }
}
