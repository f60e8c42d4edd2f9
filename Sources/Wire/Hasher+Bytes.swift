extension Hasher {
    /// Adds bytes as one value: an array would be added byte by byte.
    public mutating func combine(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe combine(bytes: $0) }
    }
}
