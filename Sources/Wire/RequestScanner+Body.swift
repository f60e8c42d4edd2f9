extension RequestScanner {
    /// The value of Content-Length or Transfer-Encoding: one number, or `chunked`, with surrounding whitespace.
    mutating func scanFraming(_ bytes: inout MutableSpan<UInt8>, _ input: inout Input) {
        let byte = bytes[input.index]
        switch state {
        case .lengthStart, .codingStart:
            if byte.isBlank {
                input.index += 1
            } else {
                (number, position) = (0, 0)
                state = state == .lengthStart ? .length : .coding
            }
        case .length: scanLength(&bytes, &input)
        case .coding:
            if position < 7 {
                guard byte.lowercasedASCII == Self.letter(of: "chunked", at: position) else {
                    return refuse(.coding)
                }
                position += 1
                fieldBytes += 1
                input.index += 1
            } else {
                endFraming(&bytes, .codingEnd, &input)
            }
        default:
            // Whitespace after the value is removed.
            if byte.isBlank { input.index += 1; return }
            let isLength = state == .lengthEnd
            guard byte == 0x0D else { return refuse(isLength ? .length : .coding) }
            endDropping(&input)
            if isLength { takeLength() } else { takeCoding() }
            if state != .refused { endValue(0x0D, &input) }
        }
    }

    private mutating func scanLength(_ bytes: inout MutableSpan<UInt8>, _ input: inout Input) {
        let byte = bytes[input.index]
        guard byte.isASCIIDigit else {
            guard position > 0 else { return refuse(.length) }
            return endFraming(&bytes, .lengthEnd, &input)
        }
        let (scaled, isTooLarge) = number.multipliedReportingOverflow(by: 10)
        let (sum, isStillTooLarge) = scaled.addingReportingOverflow(Int64(byte &- 0x30))
        guard !isTooLarge, !isStillTooLarge else { return refuse(.lengthTooLarge) }
        number = sum
        position += 1
        fieldBytes += 1
        input.index += 1
    }

    private mutating func endFraming(
        _ bytes: inout MutableSpan<UInt8>, _ end: State, _ input: inout Input
    ) {
        let byte = bytes[input.index]
        guard byte.isBlank || byte == 0x0D else { return refuse(end == .lengthEnd ? .length : .coding) }
        state = end
        beginDropping(&bytes, &input)
    }

    private mutating func takeLength() {
        if hasLength, declaredLength != number { return refuse(.lengths) }
        hasLength = true
        declaredLength = number
    }

    private mutating func takeCoding() {
        if hasCoding { return refuse(.coding) }
        hasCoding = true
    }

    /// A body of a known length, or chunks (RFC 9112 7.1).
    mutating func scanBody(_ bytes: inout MutableSpan<UInt8>, _ input: inout Input) {
        let byte = bytes[input.index]
        switch state {
        case .body, .chunkData:
            let step = Int(min(number, Int64(input.count - input.index)))
            number -= Int64(step)
            input.index += step
            guard number == 0 else { return }
            if state == .body { endRequest(&input) } else { state = .chunkDataCR }
        case .chunkSizeStart:
            (number, position) = (0, 0)
            guard byte.hexadecimalDigit != nil else { return refuse(.chunkSize) }
            state = .chunkSize
        case .chunkSize: scanChunkSize(&bytes, &input)
        case .chunkExtension:
            if byte == 0x0D {
                endDropping(&input)
                state = .chunkSizeLF
            } else {
                position += 1
                extensionBytes += 1
                guard !byte.isForbiddenInFieldValue, position <= Self.extensionLimit,
                    extensionBytes <= Self.extensionTotal
                else { return refuse(.chunkExtension) }
            }
            input.index += 1
        case .chunkSizeLF:
            guard byte == 0x0A else { return refuse(.chunkSize) }
            input.index += 1
            endChunkSize()
        case .chunkDataCR, .chunkDataLF:
            guard byte == (state == .chunkDataCR ? 0x0D : 0x0A) else { return refuse(.chunkEnd) }
            state = state == .chunkDataCR ? .chunkDataLF : .chunkSizeStart
            input.index += 1
        default: refuse(.chunkSize)
        }
    }

    private mutating func scanChunkSize(_ bytes: inout MutableSpan<UInt8>, _ input: inout Input) {
        let byte = bytes[input.index]
        if let digit = byte.hexadecimalDigit {
            position += 1
            // Sixteen digits are enough for any size; more than fifteen significant ones would overflow.
            guard position <= 16, number < 1 << 58 else { return refuse(.chunkSize) }
            number = number << 4 | Int64(digit)
        } else if byte == 0x0D {
            state = .chunkSizeLF
        } else if byte == 0x3B {
            state = .chunkExtension
            position = 0
            beginDropping(&bytes, &input)
        } else {
            return refuse(.chunkSize)
        }
        input.index += 1
    }

    private mutating func endChunkSize() {
        guard number <= limits.body else { return refuse(.chunkTooLarge) }
        extensionBytes = max(0, extensionBytes - 2 * Int(clamping: min(number, Int64(Self.extensionTotal))))
        if number > 0 { return state = .chunkData }
        // Trailers are fields again, with limits of their own.
        isTrailer = true
        endSection()
        state = .lineStart
    }
}

extension UInt8 {
    /// The value of this hexadecimal digit, or `nil`.
    @inlinable
    var hexadecimalDigit: UInt8? {
        if isASCIIDigit { return self &- 0x30 }
        let letter = self | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x57 : nil
    }
}

/// Trailers are not passed on: they are kept here until their request asks for them.
extension RequestScanner {
    /// The maximum number of trailer bytes kept per connection, for one request or several pipelined ones.
    static let trailerRoom = 16 << 10

    /// A request's trailers as lines `name:value`, each followed by a line feed.
    struct Trailers: Sendable {
        /// The first request of a connection is 1.
        var request: Int
        var lines: [UInt8]
    }

    /// Keeps bytes of the current trailer.
    mutating func keepTrailer(_ bytes: Span<UInt8>) {
        if trailerLines.count <= Self.trailerRoom { trailerLines.append(bytes) }
    }

    mutating func keepTrailer(_ byte: UInt8) {
        if trailerLines.count <= Self.trailerRoom { trailerLines.append(byte) }
    }

    /// Assigns the trailers to the request that has just been counted; they are dropped if the memory is used up.
    mutating func endTrailers() {
        guard !trailerLines.isEmpty else { return }
        let waiting = trailers.reduce(0) { $0 + $1.lines.count }
        if waiting + trailerLines.count <= Self.trailerRoom {
            trailers.append(Trailers(request: completeRequests, lines: trailerLines))
        }
        trailerLines = []
    }

    /// The trailers of a request that has passed, the first of the connection being 1; those of earlier requests are
    /// dropped.
    public mutating func takeTrailers(of request: Int) -> FieldBlock {
        var fields = FieldBlock()
        guard !trailers.isEmpty else { return fields }
        if let own = trailers.first(where: { $0.request == request }) {
            let lines = own.lines
            Self.read(lines.span, into: &fields)
        }
        trailers.removeAll { $0.request <= request }
        return fields
    }

    private static func read(_ lines: Span<UInt8>, into fields: inout FieldBlock) {
        var start = 0
        while start < lines.count {
            var colon = start
            while lines[colon] != 0x3A { colon += 1 }
            var end = colon + 1
            while lines[end] != 0x0A { end += 1 }
            let value = lines.extracting(colon + 1..<end)
            fields.append(
                name: lines.extracting(start..<colon), value: value.extracting(value.trimmedRange))
            start = end + 1
        }
    }
}
