internal import CMicroHTTPD
internal import Glibc
internal import HTTPWire

/// The fields of an answer as one of libmicrohttpd's: the lines of the others stand in the value of the first.
///
/// > MHD_add_response_header makes three allocations for each field, and looks through it seven times (0.9.75, response.c). It takes no
/// value with the end of a line in it, makes a copy of any other, and that copy is what is sent.
struct JoinedFields: ~Copyable {
    private static let dateName = Array("Date".utf8)
    /// What stands for the end of a line.
    private static let lineEnd: StaticString = "  "

    /// The first field's name and its value, with a NUL behind each.
    private var text = ByteQueue()
    private var valueStart = 0
    /// Where in the value lines end.
    private var lineEnds: [Int] = []

    /// Adds `fields` to an answer that has none yet.
    mutating func add(_ fields: borrowing FieldBlock, to response: OpaquePointer) {
        text.removeAll()
        lineEnds.removeAll(keepingCapacity: true)
        var hasDate = false
        fields.forEach { name, value in
            if name.count == 4, name.equalsIgnoringCase("Date") {
                // RFC 9110 5.3: it is no list, and there is one at most.
                if hasDate { return }
                hasDate = true
            }
            if Self.matters(name) { unsafe Self.add(name, value, to: response) } else { join(name, value) }
        }
        // RFC 9110 6.6.1: whoever has a clock says when an answer was made, if nobody has said it.
        let date = hasDate ? nil : HTTPDate.now
        if let date { join(Self.dateName.span, date.span) }
        text.removeLast(Self.lineEnd.utf8CodeUnitCount)
        lineEnds.removeLast()
        text.append(0)
        if unsafe addText(to: response) { return }
        // One of them has what no field may have: the others are not to be lost with it.
        fields.forEach { name, value in
            if !Self.matters(name) { unsafe Self.add(name, value, to: response) }
        }
        if let date { unsafe Self.add((Self.dateName + [0]).span, (date + [0]).span, to: response) }
    }

    /// The lines of `fields`, for a head that goes past libmicrohttpd: without those that frame a message, which it writes.
    ///
    /// A field that has what none may have is left out.
    static func lines(of fields: borrowing FieldBlock) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity(fields.byteCount + 4 * fields.count + 64)
        var hasDate = false
        fields.forEach { name, value in
            let isDate = name.equalsIgnoringCase("Date")
            guard !matters(name), !isDate || !hasDate, name.isToken,
                value.endOfFieldValue(from: 0) == value.count
            else { return }
            if isDate { hasDate = true }
            append(name, value, to: &lines)
        }
        if !hasDate { append(dateName.span, HTTPDate.now.span, to: &lines) }
        return lines
    }

    private static func append(_ name: Span<UInt8>, _ value: Span<UInt8>, to lines: inout [UInt8]) {
        lines.append(name)
        lines += [0x3A, 0x20]
        lines.append(value)
        lines += [0x0D, 0x0A]
    }

    private mutating func join(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        if text.isEmpty {
            text.append(name)
            text.append(0)
            valueStart = text.count
            text.append(value)
            text.append(literal: Self.lineEnd)
        } else {
            text.appendField(name: name, value: value, lineEnd: Self.lineEnd)
        }
        lineEnds.append(text.count - Self.lineEnd.utf8CodeUnitCount - valueStart)
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
                guard let name = name.baseAddress else { return }
                let value = unsafe value.baseAddress?.assumingMemoryBound(to: CChar.self)
                unsafe MHD_add_response_header(
                    response, name.assumingMemoryBound(to: CChar.self), IncomingRequest.shown(value))
            }
        }
    }
}
