/// Categories of characters by their names in Unicode, as `\p{L}` or `\p{Lu}` uses them.
extension ScalarSet.Category {
    /// The category with this name, or all whose names begin with this letter; `nil` if there is none, and for surrogates, which are
    /// no characters of a text.
    init?(generalCategory name: String) {
        guard name.utf8.count == 1 || name.utf8.count == 2 else { return nil }
        var bits: UInt32 = 0
        for (index, category) in Self.names.enumerated() where category.description.hasPrefix(name) {
            bits |= 1 << UInt32(index)
        }
        guard bits != 0 else { return nil }
        self = .general(bits)
    }

    private static let names: [StaticString] = [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
        "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cn",
    ]

    /// The bit of a category: its place in the list of names.
    static func bit(of category: Unicode.GeneralCategory) -> UInt32 {
        let place: UInt32
        switch category {
        case .uppercaseLetter: place = 0
        case .lowercaseLetter: place = 1
        case .titlecaseLetter: place = 2
        case .modifierLetter: place = 3
        case .otherLetter: place = 4
        case .nonspacingMark: place = 5
        case .spacingMark: place = 6
        case .enclosingMark: place = 7
        case .decimalNumber: place = 8
        case .letterNumber: place = 9
        case .otherNumber: place = 10
        case .connectorPunctuation: place = 11
        case .dashPunctuation: place = 12
        case .openPunctuation: place = 13
        case .closePunctuation: place = 14
        case .initialPunctuation: place = 15
        case .finalPunctuation: place = 16
        case .otherPunctuation: place = 17
        case .mathSymbol: place = 18
        case .currencySymbol: place = 19
        case .modifierSymbol: place = 20
        case .otherSymbol: place = 21
        case .spaceSeparator: place = 22
        case .lineSeparator: place = 23
        case .paragraphSeparator: place = 24
        case .control: place = 25
        case .format: place = 26
        case .privateUse: place = 27
        case .unassigned, .surrogate: place = 28
        @unknown default: place = 28
        }
        return 1 << place
    }
}
