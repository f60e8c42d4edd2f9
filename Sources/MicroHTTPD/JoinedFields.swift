internal import CMicroHTTPD
internal import Glibc
internal import HTTPWire

/// The fields of an answer as one of libmicrohttpd's: the lines of the others stand in the value of the first.
///
/// > MHD_add_response_header makes three allocations for each field, and looks through it seven times (0.9.75, response.c). It takes no
/// value with the end of a line in it, makes a copy of any other, and that copy is what is sent.
struct JoinedFields: ~Copyable {
    /// The first field's name and its value, with a NUL behind each; two blanks for the end of a line.
    private var text = ByteQueue()
    private var valueStart = 0
    /// Where in the value lines end.
    private var lineEnds: [Int] = []

    /// Adds `fields` to an answer that has none yet.
    mutating func add(_ fields: borrowing FieldBlock, to response: OpaquePointer) {
        text.removeAll()
        lineEnds.removeAll(keepingCapacity: true)
        fields.forEach { name, value in
            if Self.matters(name) { unsafe Self.add(name, value, to: response) } else { join(name, value) }
        }
        guard !text.isEmpty else { return }
        text.append(0)
        if unsafe addText(to: response) { return }
        // One of them has what no field may have: the others are not to be lost with it.
        fields.forEach { name, value in
            if !Self.matters(name) { unsafe Self.add(name, value, to: response) }
        }
    }

    private mutating func join(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        if text.isEmpty {
            text.append(name)
            text.append(0)
            valueStart = text.count
        } else {
            lineEnds.append(text.count - valueStart)
            text.append(literal: "  ")
            text.append(name)
            text.append(literal: ": ")
        }
        text.append(value)
    }

    private func addText(to response: OpaquePointer) -> Bool {
        guard let name = unsafe text.address?.assumingMemoryBound(to: CChar.self) else { return false }
        let value = unsafe IncomingRequest.shown(name + valueStart)
        // The copy ends at the first NUL, and there must be none before the last.
        guard unsafe lineEnds.isEmpty || valueStart + strlen(value) + 1 == text.count else { return false }
        guard unsafe MHD_add_response_header(response, name, value) == .YES else { return false }
        if lineEnds.isEmpty { return true }
        // The only one of this name: what is added otherwise has other names.
        guard let copy = unsafe MHD_get_response_header(response, name) else { return false }
        let bytes = unsafe UnsafeMutablePointer(mutating: copy)
        for end in lineEnds {
            unsafe bytes[end] = 0x0D
            unsafe bytes[end + 1] = 0x0A
        }
        return true
    }

    /// Whether libmicrohttpd has to know of the field: without this one, it may add one of its own.
    private static func matters(_ name: Span<UInt8>) -> Bool {
        switch name.count {
        case 4: name.equalsIgnoringCase("Date")
        case 10: name.equalsIgnoringCase("Connection")
        case 14: name.equalsIgnoringCase("Content-Length")
        case 17: name.equalsIgnoringCase("Transfer-Encoding")
        default: false
        }
    }

    /// Adds one field by itself; both have a NUL behind them, as in every ``FieldBlock``.
    private static func add(_ name: Span<UInt8>, _ value: Span<UInt8>, to response: OpaquePointer) {
        unsafe name.withUnsafeBytes { name in
            unsafe value.withUnsafeBytes { value in
                guard let name = name.baseAddress, let value = value.baseAddress else { return }
                unsafe MHD_add_response_header(
                    response, name.assumingMemoryBound(to: CChar.self),
                    IncomingRequest.shown(value.assumingMemoryBound(to: CChar.self)))
            }
        }
    }
}
