import TestSupport

extension [UInt8] {
    /// The bytes as text with one scalar for each, so that none is changed and all can be compared.
    var latin1: String { String(String.UnicodeScalarView(map { Unicode.Scalar($0) })) }

    /// The lines of a message's head, the start line included.
    var headLines: [String] {
        let text = latin1.replacing("\r\n", with: "\n")
        let head = text.split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        return head.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// `count` bytes that repeat only after a prime number of them, so that a lost or doubled piece is seen.
    static func pattern(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count { bytes += patternBlock.prefix(count - bytes.count) }
        return bytes
    }
}

/// See ``Swift/Array/pattern(_:)``.
private let patternBlock = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 % 251) }

extension String {
    /// The bytes of a text that was made with ``Swift/Array/latin1``.
    var latin1Bytes: [UInt8] { unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }
}

extension RawClient {
    /// Sends the bytes and reads everything until the connection ends.
    func sendAndReadAll(_ bytes: [UInt8]) throws -> [UInt8] {
        try send(bytes)
        var all: [UInt8] = []
        while true {
            let part = try readBytes(atMost: 1 << 16)
            guard !part.isEmpty else { return all }
            all += part
        }
    }
}
