/// Percent-encoding (RFC 3986 2.1), read leniently.
enum PercentDecoding {
    /// The text behind an encoding; a `%` without two digits stands for itself.
    ///
    /// - Parameter plusIsBlank: whether `+` is a blank, as in forms.
    static func decode(_ text: Substring, plusIsBlank: Bool = false) -> String {
        var result: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = pair(rest.prefix(2)) {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(plusIsBlank && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func pair(_ digits: Substring.UTF8View) -> UInt8? {
        var value: UInt8 = 0
        for digit in digits {
            guard let number = Character(UnicodeScalar(digit)).hexDigitValue else { return nil }
            value = value << 4 | UInt8(number)
        }
        return digits.count == 2 ? value : nil
    }
}
