internal import CCurl
internal import Wire

/// The request's fields as a libcurl list, built in reusable memory.
///
/// `curl_slist_append` copies each line and walks the list each time; here a line and its node are allocated from a
/// block.
@safe final class HeaderArena {
    private static let blockSize = 4096

    private var blocks: [UnsafeMutableRawPointer]
    private var used = 0
    private var size = 0
    private(set) var first: UnsafeMutablePointer<curl_slist>?
    private var last: UnsafeMutablePointer<curl_slist>?

    init() {
        unsafe blocks = []
        unsafe first = nil
        unsafe last = nil
    }

    deinit {
        while let block = unsafe blocks.popLast() { unsafe block.deallocate() }
    }

    /// Removes all lines and keeps the first block.
    func reset() {
        unsafe first = nil
        unsafe last = nil
        while unsafe blocks.count > 1 { unsafe blocks.removeLast().deallocate() }
        used = 0
        size = unsafe blocks.isEmpty ? 0 : Self.blockSize
    }

    /// Adds the line `name: value`.
    ///
    /// libcurl removes a field that is written `Name:`; an empty field must be written `Name;`.
    func append(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) {
        let line = unsafe allocate(name.count + value.count + 3)
        unsafe copy(name, to: line)
        let mark = unsafe line + name.count
        if value.isEmpty {
            unsafe mark.storeBytes(of: UInt8(ascii: ";"), as: UInt8.self)
            unsafe (mark + 1).storeBytes(of: 0, as: UInt8.self)
        } else {
            unsafe mark.storeBytes(of: UInt8(ascii: ":"), as: UInt8.self)
            unsafe (mark + 1).storeBytes(of: UInt8(ascii: " "), as: UInt8.self)
            unsafe copy(value, to: mark + 2)
            unsafe (mark + 2 + value.count).storeBytes(of: 0, as: UInt8.self)
        }
        unsafe append(line: line.assumingMemoryBound(to: CChar.self))
    }

    /// Adds a constant line, such as `Expect:`, which prevents libcurl from adding that field.
    func append(_ line: StaticString) {
        unsafe append(
            line: UnsafeMutableRawPointer(mutating: line.utf8Start).assumingMemoryBound(to: CChar.self))
    }

    /// A copy of `text` with a terminating NUL, valid until ``reset()``.
    func terminatedCopy(of text: borrowing Span<UInt8>) -> UnsafePointer<CChar> {
        let copy = unsafe allocate(text.count + 1)
        unsafe self.copy(text, to: copy)
        unsafe (copy + text.count).storeBytes(of: 0, as: UInt8.self)
        return unsafe UnsafePointer(copy.assumingMemoryBound(to: CChar.self))
    }

    private func append(line: UnsafeMutablePointer<CChar>) {
        let node = unsafe allocate(MemoryLayout<curl_slist>.size).bindMemory(to: curl_slist.self, capacity: 1)
        unsafe node.initialize(to: curl_slist(data: line, next: nil))
        if let last = unsafe last { unsafe last.pointee.next = node } else { unsafe first = node }
        unsafe last = node
    }

    private func copy(_ text: borrowing Span<UInt8>, to target: UnsafeMutableRawPointer) {
        unsafe text.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe target.copyMemory(from: base, byteCount: source.count)
        }
    }

    private func allocate(_ length: Int) -> UnsafeMutableRawPointer {
        let rounded = (length + 7) & ~7
        if used + rounded > size {
            size = max(Self.blockSize, rounded)
            unsafe blocks.append(.allocate(byteCount: size, alignment: 16))
            used = 0
        }
        defer { used += rounded }
        return unsafe blocks[blocks.count - 1] + used
    }
}
