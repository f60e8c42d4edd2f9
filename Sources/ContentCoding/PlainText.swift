extension Span where Element == UInt8 {
    /// Whether all bytes are printable ASCII, tabs and line ends: what reads the same in every character set that is used for text.
    var isPlainText: Bool {
        unsafe withUnsafeBytes { bytes in
            func isPlain(_ range: Range<Int>) -> Bool {
                for index in range {
                    let byte = unsafe bytes[index]
                    guard byte &- 0x20 < 0x5F || byte &- 0x09 < 5 else { return false }
                }
                return true
            }
            var index = 0
            while index &+ 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                // The highest bit of each byte: set, or borrowed by what is below a space, or carried into by DEL.
                let marks = (word | word &- 0x2020_2020_2020_2020 | word &+ 0x0101_0101_0101_0101)
                if marks & 0x8080_8080_8080_8080 != 0, !isPlain(index..<index &+ 8) { return false }
                index &+= 8
            }
            return isPlain(index..<bytes.count)
        }
    }
}
