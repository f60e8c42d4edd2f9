internal import Wire

/// A value of a filter.
enum PathValue {
    case nothing
    case node(Int)
    case string(Text)
    /// A number as it is spelled.
    case number(Text)
    case integer(Int)
    case boolean(Bool)
    case null

    init(node: Int) { self = .node(node) }
}

/// Comparisons (RFC 9535 2.3.5.2.2).
extension PathEvaluation {
    /// Whether two values compare so.
    mutating func compares(_ left: PathValue, _ comparison: PathComparison, _ right: PathValue) -> Bool {
        switch comparison {
        case .equal: return areEqual(left, right)
        case .notEqual: return !areEqual(left, right)
        case .less: return isLess(left, right)
        case .greater: return isLess(right, left)
        case .lessOrEqual: return isLess(left, right) || areEqual(left, right)
        case .greaterOrEqual: return isLess(right, left) || areEqual(left, right)
        }
    }

    /// What a node is in a comparison: the values of a document and the literals of a path become the same.
    private mutating func scalar(_ value: PathValue) -> PathValue {
        guard case .node(let node) = value else { return value }
        switch document.kind(node) {
        case .object, .array: return value
        case .string: return string(value).map(PathValue.string) ?? value
        case .number: return .number(document.raw(node))
        case .true: return .boolean(true)
        case .false: return .boolean(false)
        case .null: return .null
        }
    }

    private mutating func areEqual(_ left: PathValue, _ right: PathValue) -> Bool {
        guard charge() else { return false }
        switch (scalar(left), scalar(right)) {
        case (.nothing, .nothing), (.null, .null): return true
        case (.boolean(let left), .boolean(let right)): return left == right
        case (.string(let left), .string(let right)):
            guard left.count == right.count, charge(bytes: left.count) else { return false }
            return left.storage.span.extracting(left.range).equals(right.storage.span.extracting(right.range))
        case (.node(let left), .node(let right)): return areEqual(left, right)
        case (let left, let right): return order(left, right) == 0
        }
    }

    private mutating func isLess(_ left: PathValue, _ right: PathValue) -> Bool {
        guard charge() else { return false }
        switch (scalar(left), scalar(right)) {
        case (.string(let left), .string(let right)):
            // The order of bytes of UTF-8 is that of the code points.
            guard charge(bytes: min(left.count, right.count)) else { return false }
            return left.bytes.lexicographicallyPrecedes(right.bytes)
        case (let left, let right): return order(left, right).map { $0 < 0 } ?? false
        }
    }

    /// Negative, 0 or positive, as the left number is less than the right one, equal or greater; `nil` unless both are numbers.
    private mutating func order(_ left: PathValue, _ right: PathValue) -> Int? {
        switch (left, right) {
        case (.number, .number), (.number, .integer), (.integer, .number), (.integer, .integer): break
        default: return nil
        }
        let left = decimal(left)
        return left.order(decimal(right))
    }

    private mutating func decimal(_ value: PathValue) -> PathDecimal {
        switch value {
        case .number(let text):
            charge(bytes: text.count)
            return PathDecimal(text)
        case .integer(let integer): return PathDecimal(Text("\(integer)"))
        default: return PathDecimal("0")
        }
    }

    /// Whether two structured values are equal; the recursion ends with the depth of the document.
    private mutating func areEqual(_ left: Int, _ right: Int) -> Bool {
        let (leftNode, rightNode) = (document.nodes[left], document.nodes[right])
        guard leftNode.kind == rightNode.kind, !leftNode.isCut, !rightNode.isCut else { return false }
        // The same spelling is the same value.
        let size = Int(leftNode.end - leftNode.start)
        if size == Int(rightNode.end - rightNode.start) {
            guard charge(bytes: size) else { return false }
            let leftBytes = document.bytes.span.extracting(Int(leftNode.start)..<Int(leftNode.end))
            if leftBytes.equals(document.bytes.span.extracting(Int(rightNode.start)..<Int(rightNode.end))) {
                return true
            }
        }
        switch leftNode.kind {
        case .object: return haveEqualMembers(left, right)
        case .array: return haveEqualElements(left, right)
        default: return false
        }
    }

    private mutating func haveEqualElements(_ left: Int, _ right: Int) -> Bool {
        let (leftEnd, rightEnd) = (Int(document.nodes[left].next), Int(document.nodes[right].next))
        var (left, right) = (left + 1, right + 1)
        while left < leftEnd, right < rightEnd {
            guard areEqual(.node(left), .node(right)) else { return false }
            (left, right) = (Int(document.nodes[left].next), Int(document.nodes[right].next))
        }
        return left == leftEnd && right == rightEnd
    }

    private mutating func haveEqualMembers(_ left: Int, _ right: Int) -> Bool {
        let leftMembers = sortedMembers(of: left)
        let rightMembers = sortedMembers(of: right)
        guard leftMembers.count == rightMembers.count, !isExhausted else { return false }
        for (left, right) in zip(leftMembers, rightMembers) {
            guard areEqual(.node(left), .node(right)), areEqual(.node(left + 1), .node(right + 1)) else {
                return false
            }
        }
        return true
    }

    /// The names of an object in order, of equal ones the last; a part of them if the evaluation is exhausted.
    private mutating func sortedMembers(of object: Int) -> [Int] {
        var names: [(node: Int, text: Text)] = []
        document.forEachMember(of: object) { name, _ in
            names.append((name, document.text(document.nodes[name])))
        }
        let size = document.nodes[object].end - document.nodes[object].start
        // Each is compared with so many others.
        let rounds = names.count.bitWidth - names.count.leadingZeroBitCount
        guard charge((names.count + Int(size) >> 4) * rounds) else { return [] }
        names.sort { left, right in
            if left.text == right.text { return left.node < right.node }
            return left.text.bytes.lexicographicallyPrecedes(right.text.bytes)
        }
        var sorted: [Int] = []
        for (index, name) in names.enumerated()
        where index + 1 == names.count || names[index + 1].text != name.text {
            sorted.append(name.node)
        }
        return sorted
    }
}

/// A JSON number as a sign, decimal digits without zeros at either end, and the place of the first of them.
///
/// Nothing is rounded; an exponent of more than 17 digits counts as one of the largest.
struct PathDecimal {
    private static let exponentLimit = 100_000_000_000_000_000

    private let text: Text
    /// Where the digits begin and end in the array of the text; there may be a point between them.
    private let digits: Range<Int>
    /// The power of ten below which the number's magnitude lies.
    private let magnitude: Int
    /// -1, 0 or 1.
    private let sign: Int

    /// - Parameter text: a number as JSON spells it.
    init(_ text: Text) {
        self.text = text
        let bytes = text.storage
        var index = text.range.lowerBound
        let end = text.range.upperBound
        let isNegative = index < end && bytes[index] == 0x2D
        if isNegative { index += 1 }
        var point: Int?
        var first: Int?
        var last = index
        let start = index
        while index < end, bytes[index] | 0x20 != 0x65 {
            if bytes[index] == 0x2E {
                point = index
            } else if bytes[index] != 0x30 {
                if first == nil { first = index }
                last = index + 1
            }
            index += 1
        }
        let pointPlace = point ?? index
        guard let first else {
            (digits, magnitude, sign) = (start..<start, 0, 0)
            return
        }
        digits = first..<last
        sign = isNegative ? -1 : 1
        var exponent = 0
        if index < end {
            index += 1
            let isNegativeExponent = index < end && bytes[index] == 0x2D
            if index < end, !bytes[index].isASCIIDigit { index += 1 }
            while index < end {
                exponent = min(exponent * 10 + Int(bytes[index] &- 0x30), Self.exponentLimit)
                index += 1
            }
            if isNegativeExponent { exponent = -exponent }
        }
        magnitude = exponent + (first < pointPlace ? pointPlace - first : pointPlace - first + 1)
    }

    /// Negative, 0 or positive, as this number is less than the other one, equal or greater.
    func order(_ other: PathDecimal) -> Int {
        guard sign == other.sign else { return sign - other.sign }
        guard magnitude == other.magnitude else { return magnitude < other.magnitude ? -sign : sign }
        var (left, right) = (digits.lowerBound, other.digits.lowerBound)
        while true {
            let leftDigit = Self.digit(text.storage, at: &left, digits)
            let rightDigit = Self.digit(other.text.storage, at: &right, other.digits)
            if leftDigit != rightDigit { return leftDigit < rightDigit ? -sign : sign }
            if leftDigit < 0 { return 0 }
        }
    }

    /// The digit at `index`, a point aside; -1 behind the last one.
    private static func digit(_ bytes: [UInt8], at index: inout Int, _ digits: Range<Int>) -> Int {
        if index < digits.upperBound, bytes[index] == 0x2E { index += 1 }
        guard index < digits.upperBound else { return -1 }
        index += 1
        return Int(bytes[index - 1] & 0xF)
    }
}
