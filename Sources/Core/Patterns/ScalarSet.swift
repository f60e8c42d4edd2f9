/// A set of Unicode scalars: one character of a pattern, a class, or a dot.
struct ScalarSet: Sendable, Equatable {
    /// The classes with a letter.
    enum Category: Sendable, Equatable {
        case digit
        case word
        case space
        /// The categories of Unicode whose bits are set; see ``bit(of:)``.
        case general(UInt32)

        func contains(_ scalar: Unicode.Scalar) -> Bool {
            let properties = scalar.properties
            switch self {
            case .digit: return properties.generalCategory == .decimalNumber
            case .space: return properties.isWhitespace
            case .general(let bits): return bits & Self.bit(of: properties.generalCategory) != 0
            case .word:
                if properties.isAlphabetic { return true }
                switch properties.generalCategory {
                case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: return true
                default: return false
                }
            }
        }
    }

    /// A class, or all but a class.
    struct CategoryTest: Sendable, Equatable {
        var category: Category
        var isNegated: Bool
    }

    private(set) var ranges: [ClosedRange<UInt32>] = []
    private(set) var categories: [CategoryTest] = []
    var isNegated = false
    /// The members below 128, two words of bits: they are nearly all that is ever asked for.
    private var ascii: SIMD2<UInt64> = [0, 0]

    init() {}

    init(_ scalar: Unicode.Scalar) { insert(scalar.value...scalar.value) }

    /// Everything but the ends of lines.
    static let dot: ScalarSet = {
        var set = ScalarSet()
        set.insert(0x0A...0x0D)
        set.insert(0x85...0x85)
        set.insert(0x2028...0x2029)
        set.isNegated = true
        set.compile()
        return set
    }()

    /// Everything.
    static let all: ScalarSet = {
        var set = ScalarSet()
        set.isNegated = true
        set.compile()
        return set
    }()

    mutating func insert(_ range: ClosedRange<UInt32>) { ranges.append(range) }

    mutating func insert(_ category: Category, isNegated: Bool) {
        categories.append(CategoryTest(category: category, isNegated: isNegated))
    }

    /// Adds the other cases of all letters.
    mutating func ignoreCase() {
        for range in ranges {
            // Larger ranges beyond ASCII have both cases, or none.
            for value in range.prefix(512) {
                guard let properties = Unicode.Scalar(value)?.properties else { continue }
                for mapping in [properties.lowercaseMapping, properties.uppercaseMapping] {
                    let scalars = mapping.unicodeScalars
                    if scalars.count == 1, let other = scalars.first, other.value != value {
                        ranges.append(other.value...other.value)
                    }
                }
            }
        }
    }

    /// Prepares the set for ``contains(_:)``, once all is in it.
    mutating func compile() {
        ascii = [0, 0]
        for value in UInt32(0)..<128 {
            guard let scalar = Unicode.Scalar(value), holds(scalar) else { continue }
            ascii[Int(value >> 6)] |= 1 << UInt64(value & 63)
        }
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        return value < 128 ? ascii[Int(value >> 6)] >> UInt64(value & 63) & 1 == 1 : holds(scalar)
    }

    private func holds(_ scalar: Unicode.Scalar) -> Bool {
        let isMember =
            ranges.contains { $0.contains(scalar.value) }
            || categories.contains { $0.category.contains(scalar) != $0.isNegated }
        return isMember != isNegated
    }
}
