internal import Glibc

/// The value of `Date`.
enum HTTPDate {
    /// The time, as RFC 9110 5.6.7 writes it.
    static var now: [UInt8] {
        var now = time(nil)
        var parts = unsafe tm()
        unsafe gmtime_r(&now, &parts)
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 40) { room in
            // The program never sets a locale: names are the C locale's.
            guard let start = room.baseAddress else { return [] }
            let length = unsafe strftime(start, room.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            return unsafe Array(UnsafeRawBufferPointer(start: start, count: length))
        }
    }
}
