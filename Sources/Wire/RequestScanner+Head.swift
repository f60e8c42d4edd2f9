extension RequestScanner {
    /// `method SP target SP HTTP/1.x CR LF`, and preceding empty lines.
    mutating func scanRequestLine(_ bytes: inout MutableSpan<UInt8>, _ input: inout Input) {
        let byte = bytes[input.index]
        switch state {
        case .start:
            if byte == 0x0D { state = .startLF } else { beginRequest(&input) }
            if state == .startLF { input.index += 1 }
        case .startLF:
            position += 1
            guard byte == 0x0A, position <= Self.emptyLineLimit else { return refuse(.lineEnd) }
            state = .start
            input.index += 1
        case .method:
            let end = end(ofAtMost: limits.target, from: input)
            let start = input.index
            while input.index < end, bytes[input.index].isTokenCharacter { input.index += 1 }
            position += input.index - start
            guard position <= limits.target else { return refuse(.requestLine) }
            guard input.index < input.count else { return }
            guard bytes[input.index] == 0x20, position > 0 else { return refuse(.requestLine) }
            (state, position) = (.target, 0)
            input.index += 1
        case .target: scanTarget(&bytes, &input)
        case .version:
            if byte == 0x0D, position == 8 {
                state = .requestLineLF
            } else if let fault = versionFault(byte) {
                return refuse(fault)
            }
            position += 1
            input.index += 1
        default:
            guard byte == 0x0A else { return refuse(.lineEnd) }
            state = .lineStart
            input.index += 1
        }
    }

    private mutating func beginRequest(_ input: inout Input) {
        input.requestStart = input.index - input.gap
        (state, position) = (.method, 0)
        extensionBytes = 0
        (isTrailer, isHTTP10, hasLength, hasCoding) = (false, false, false, false)
    }

    private mutating func scanTarget(_ bytes: inout MutableSpan<UInt8>, _ input: inout Input) {
        let end = end(ofAtMost: limits.target, from: input)
        let start = input.index
        while input.index < end, bytes[input.index] > 0x20, bytes[input.index] != 0x7F {
            if bytes[input.index] == 0x3F, hidesQuery { bytes[input.index] = Self.hiddenQuery }
            input.index += 1
        }
        position += input.index - start
        guard position <= limits.target else { return refuse(.targetTooLong) }
        guard input.index < input.count else { return }
        guard bytes[input.index] == 0x20, position > 0 else { return refuse(.requestLine) }
        (state, position) = (.version, 0)
        input.index += 1
    }

    /// Where to stop reading a part of at most `limit` bytes, ``position`` of which were read before: after the first
    /// byte in excess.
    private func end(ofAtMost limit: Int, from input: Input) -> Int {
        min(input.count, input.index + max(0, limit - position) + 1)
    }

    /// The fault of the version's character at ``position``: the version must be `HTTP/1.0` or `HTTP/1.1`.
    private mutating func versionFault(_ byte: UInt8) -> RequestFault? {
        switch position {
        case 0..<5: return byte == Self.letter(of: "HTTP/", at: position) ? nil : .requestLine
        case 5: return byte == 0x31 ? nil : byte.isASCIIDigit ? .version : .requestLine
        case 6: return byte == 0x2E ? nil : .requestLine
        case 7:
            isHTTP10 = byte == 0x30
            return byte == 0x30 || byte == 0x31 ? nil : byte.isASCIIDigit ? .version : .requestLine
        default: return .requestLine
        }
    }

    /// `name: value CR LF`, or the empty line after the last field.
    mutating func scanField(_ bytes: inout MutableSpan<UInt8>, _ input: inout Input) {
        let byte = bytes[input.index]
        switch state {
        case .lineStart:
            if byte == 0x0D {
                state = .endLF
                input.index += 1
                return
            }
            if byte.isBlank { return refuse(.folding) }
            fieldCount += 1
            if isTrailer, !isDropping { beginDropping(&bytes, &input) }
            candidate = isTrailer ? .none : Self.candidate(for: byte)
            (state, position) = (.name, 0)
        case .name: scanName(&bytes, &input)
        case .valueStart:
            if byte.isBlank { input.index += 1 } else { state = .value }
        case .value:
            let start = input.index
            input.index = bytes.span.endOfFieldValue(from: start)
            fieldBytes += input.index - start
            if isTrailer { keepTrailer(bytes.span.extracting(start..<input.index)) }
            guard input.index < input.count else { return }
            endValue(bytes[input.index], &input)
        case .valueLF:
            guard byte == 0x0A else { return refuse(.lineEnd) }
            state = .lineStart
            input.index += 1
            if isTrailer {
                endDropping(&input)
                keepTrailer(0x0A)
            }
        default:
            guard byte == 0x0A else { return refuse(.lineEnd) }
            input.index += 1
            endHead(&input)
        }
    }

    private mutating func scanName(_ bytes: inout MutableSpan<UInt8>, _ input: inout Input) {
        let start = input.index
        while input.index < input.count, bytes[input.index].isTokenCharacter {
            if candidate != .none {
                let byte = bytes[input.index]
                follow(byte, at: position + input.index - start)
                if candidate == .cookie, position + input.index - start == 5 {
                    bytes[input.index] = byte == 0x65 ? Self.hiddenCookie.small : Self.hiddenCookie.capital
                    candidate = .none
                }
            }
            input.index += 1
        }
        position += input.index - start
        fieldBytes += input.index - start
        if isTrailer { keepTrailer(bytes.span.extracting(start..<input.index)) }
        guard input.index < input.count else { return }
        guard bytes[input.index] == 0x3A, position > 0 else {
            return refuse(bytes[input.index] == 0x0A ? .lineEnd : .fieldName)
        }
        if isTrailer { keepTrailer(0x3A) }
        input.index += 1
        switch candidate {
        case .length where position == 14: state = .lengthStart
        case .coding where position == 17: state = .codingStart
        default: state = .valueStart
        }
    }

    /// Ends a value at a byte that it cannot contain.
    mutating func endValue(_ byte: UInt8, _ input: inout Input) {
        guard byte == 0x0D else { return refuse(byte == 0x0A ? .lineEnd : .fieldValue) }
        state = .valueLF
        input.index += 1
    }

    private mutating func endHead(_ input: inout Input) {
        if isTrailer {
            endRequest(&input)
            return endTrailers()
        }
        if hasLength, hasCoding { return refuse(.lengthAndCoding) }
        if hasCoding, isHTTP10 { return refuse(.codingInHTTP10) }
        completeHeads += 1
        if hasCoding {
            state = .chunkSizeStart
        } else if hasLength, declaredLength > 0 {
            state = .body
            number = declaredLength
        } else {
            endRequest(&input)
        }
    }

    private static func candidate(for byte: UInt8) -> Framing {
        switch byte | 0x20 {
        case 0x63: .length
        case 0x74: .coding
        default: .none
        }
    }

    /// Whether the name can still be the candidate that its first letter suggested.
    private mutating func follow(_ byte: UInt8, at position: Int) {
        let letter = byte.lowercasedASCII
        if candidate == .length, position == 2, letter == 0x6F { candidate = .cookie }
        let expected =
            switch candidate {
            case .none: letter
            case .length: Self.letter(of: "content-length", at: position)
            case .coding: Self.letter(of: "transfer-encoding", at: position)
            case .cookie: Self.letter(of: "cookie", at: position)
            }
        if letter != expected { candidate = .none }
    }

    /// The letter of `text`; 0 behind its end.
    static func letter(of text: StaticString, at position: Int) -> UInt8 {
        // A StaticString is a constant of the program: its pointer is always valid.
        position < text.utf8CodeUnitCount ? unsafe text.utf8Start[position] : 0
    }
}
