internal import Wire

/// Lists the nodes of a JSON text in one pass, without recursion, so that no input can exhaust the stack.
struct JSONParser {
    /// What may follow.
    enum Expected {
        case value
        case valueOrEnd
        case name
        case nameOrEnd
        case colon
        case commaOrEnd
        case end
    }

    private let bytes: [UInt8]
    private let end: Int
    /// Whether the text may be truncated.
    private let isCut: Bool
    private var position: Int
    /// The open container, or -1.
    private var parent: Int32 = -1
    private var depth = 0
    private(set) var nodes: [JSONDocument.Node] = []
    private(set) var hasForeignBytes = false
    /// Whether the text ended too early.
    private var isAtEnd = false
    /// Whether the last node is a truncated string.
    private var isCutString = false
    /// Where a string is malformed.
    private(set) var malformedString: Int?
    /// What was expected where the text is no JSON.
    private(set) var failedExpecting: Expected?
    /// How far the text was read.
    var endOfRead: Int { position }
    /// Whether an array or object was one level too deep.
    private(set) var isTooDeep = false

    init(bytes: [UInt8], range: Range<Int>, isCut: Bool = false) {
        self.bytes = bytes
        self.isCut = isCut
        position = range.lowerBound
        end = range.upperBound
        nodes.reserveCapacity(min(8 + range.count / 8, JSONDocument.nodeLimit))
    }

    /// Lists the nodes; for a truncated text, the complete ones and the beginning of a string.
    ///
    /// - Returns: whether it is valid JSON.
    mutating func parse() -> Bool {
        let (isWhole, isAfterName) = parseAll()
        return isWhole || isCut && finishCut(isAfterName: isAfterName)
    }

    /// Closes the open containers at the end of a truncated text.
    ///
    /// - Parameter isAfterName: whether the last node is the name of a member without a value.
    /// - Returns: whether everything before is valid JSON and not empty.
    private mutating func finishCut(isAfterName: Bool) -> Bool {
        guard isAtEnd, parent >= 0 else { return false }
        if isAfterName { nodes.removeLast() }
        while parent >= 0 {
            let index = Int(parent)
            parent = nodes[index].next
            nodes[index].end = Int32(end)
            nodes[index].next = Int32(nodes.count)
            nodes[index].isCut = true
        }
        return nodes.count > 1
    }

    private mutating func parseAll() -> (isWhole: Bool, isAfterName: Bool) {
        var expected = Expected.value
        let result = parseAll(&expected)
        if !result.isWhole { failedExpecting = expected }
        return result
    }

    private mutating func parseAll(_ expected: inout Expected) -> (isWhole: Bool, isAfterName: Bool) {
        var isAfterName = false
        while true {
            skipBlanks()
            if position == end { isAtEnd = true }
            guard position < end, nodes.count < JSONDocument.nodeLimit else { return (false, isAfterName) }
            let byte = bytes[position]
            switch expected {
            case .valueOrEnd where byte == 0x5D, .nameOrEnd where byte == 0x7D:
                close()
            case .value, .valueOrEnd:
                if byte == 0x7B || byte == 0x5B {
                    guard open(byte == 0x7B ? .object : .array) else { return (false, isAfterName) }
                    isAfterName = false
                    expected = byte == 0x7B ? .nameOrEnd : .valueOrEnd
                    continue
                }
                guard scalar(byte, isMember: isAfterName) else { return (false, isAfterName && !isCutString) }
                isAfterName = false
            case .name, .nameOrEnd:
                guard byte == 0x22, string() else { return (false, isAfterName) }
                isAfterName = true
                skipBlanks()
                if position == end { isAtEnd = true }
                guard position < end, bytes[position] == 0x3A else {
                    expected = .colon
                    return (false, isAfterName)
                }
                position += 1
                expected = .value
                continue
            case .colon, .commaOrEnd, .end:
                let isObject = nodes[Int(parent)].kind == .object
                if byte == 0x2C {
                    position += 1
                    expected = isObject ? .name : .value
                    continue
                }
                guard byte == (isObject ? 0x7D : 0x5D) else { return (false, isAfterName) }
                close()
            }
            if parent < 0 {
                skipBlanks()
                expected = .end
                return (position == end, false)
            }
            expected = .commaOrEnd
        }
    }

    private mutating func skipBlanks() {
        while position < end {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func open(_ kind: JSONDocument.Kind) -> Bool {
        depth += 1
        guard depth <= JSONDocument.depthLimit else {
            isTooDeep = true
            return false
        }
        let index = Int32(nodes.count)
        nodes.append(.init(kind: kind, start: Int32(position), end: 0, next: parent))
        parent = index
        position += 1
        return true
    }

    private mutating func close() {
        let index = Int(parent)
        position += 1
        depth -= 1
        parent = nodes[index].next
        nodes[index].end = Int32(position)
        nodes[index].next = Int32(nodes.count)
    }

    private mutating func scalar(_ byte: UInt8, isMember: Bool) -> Bool {
        switch byte {
        case 0x22: return string(isMember: isMember)
        case 0x74: return word("true", .true)
        case 0x66: return word("false", .false)
        case 0x6E: return word("null", .null)
        default: return number()
        }
    }

    private mutating func add(
        _ kind: JSONDocument.Kind, from start: Int, to end: Int, hasEscapes: Bool = false,
        isPlain: Bool = false
    ) {
        nodes.append(
            .init(
                kind: kind, hasEscapes: hasEscapes, isPlain: isPlain, start: Int32(start), end: Int32(end),
                next: Int32(nodes.count + 1)))
    }

    /// - Parameter isMember: whether it is the value of a member: then its beginning is kept if the rest is missing.
    private mutating func string(isMember: Bool = false) -> Bool {
        let start = position + 1
        var index = start
        var hasEscapes = false
        var isPlain = true
        while true {
            index = bytes.span.endOfPlainRun(from: index)
            guard index < end else {
                malformedString = end
                cutString(from: start, to: end, hasEscapes: hasEscapes, isMember: isMember)
                return false
            }
            let byte = bytes[index]
            switch byte {
            case 0x22:
                add(.string, from: start, to: index, hasEscapes: hasEscapes, isPlain: isPlain)
                position = index + 1
                return true
            case 0x5C:
                hasEscapes = true
                guard let length = escapeLength(at: index + 1) else {
                    malformedString = index
                    if mayContinueEscape(at: index + 1) {
                        cutString(from: start, to: index, hasEscapes: hasEscapes, isMember: isMember)
                    }
                    return false
                }
                index += 1 + length
            case 0..<0x20:
                malformedString = index
                return false
            default:
                if byte >= 0x80 { hasForeignBytes = true }
                index += 1
            }
            isPlain = false
        }
    }

    /// The text ends within a string.
    private mutating func cutString(from start: Int, to end: Int, hasEscapes: Bool, isMember: Bool) {
        isAtEnd = true
        guard isCut, isMember else { return }
        add(.string, from: start, to: end, hasEscapes: hasEscapes)
        nodes[nodes.count - 1].isCut = true
        isCutString = true
    }

    /// Whether the text ends within an escape.
    private func mayContinueEscape(at index: Int) -> Bool {
        guard index < end else { return true }
        return bytes[index] == 0x75 && index + 4 >= end
            && bytes[index + 1..<end].allSatisfy { JSONEscapes.hexadecimal($0) != nil }
    }

    /// The number of bytes of an escape after its backslash.
    private func escapeLength(at index: Int) -> Int? {
        guard index < end else { return nil }
        switch bytes[index] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return 1
        case 0x75:
            guard index + 4 < end else { return nil }
            for digit in bytes[index + 1...index + 4] where JSONEscapes.hexadecimal(digit) == nil {
                return nil
            }
            return 5
        default: return nil
        }
    }

    private mutating func word(_ word: StaticString, _ kind: JSONDocument.Kind) -> Bool {
        let length = word.utf8CodeUnitCount
        if position + length > end { isAtEnd = isBeginning(of: word) }
        guard position + length <= end, bytes.span.extracting(position..<position + length).equals(word)
        else {
            return false
        }
        add(kind, from: position, to: position + length)
        position += length
        return true
    }

    /// Whether the rest of the text is the beginning of a literal.
    private func isBeginning(of word: StaticString) -> Bool {
        word.description.utf8.starts(with: bytes[position..<end])
    }

    private mutating func number() -> Bool {
        let start = position
        if position < end, bytes[position] == 0x2D { position += 1 }
        let integerStart = position
        guard digits() else { return false }
        if bytes[integerStart] == 0x30, position > integerStart + 1 {
            position = integerStart
            return false
        }
        if position < end, bytes[position] == 0x2E {
            position += 1
            guard digits() else { return false }
        }
        if position < end, bytes[position] | 0x20 == 0x65 {
            position += 1
            if position < end, bytes[position] == 0x2B || bytes[position] == 0x2D { position += 1 }
            guard digits() else { return false }
        }
        // More digits may be missing.
        if isCut, position == end, parent >= 0 {
            isAtEnd = true
            return false
        }
        add(.number, from: start, to: position)
        return true
    }

    private mutating func digits() -> Bool {
        let start = position
        while position < end, bytes[position].isASCIIDigit { position += 1 }
        if position == start, position == end { isAtEnd = true }
        return position > start
    }
}
